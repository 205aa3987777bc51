"""What everything on the device stands on: errors, files, child processes, signals, SSH."""
