"""The workstation's commands; each module imports its heavy parts when it runs."""
