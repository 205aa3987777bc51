"""The commands of the workstation; each module imports large packages only when it runs."""
