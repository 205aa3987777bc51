"""What keeps a loop going that nobody watches: signals, systemd, heat, logs."""
