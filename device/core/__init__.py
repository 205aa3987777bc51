"""What everything on the device uses: errors, files, child processes, signals, SSH."""
