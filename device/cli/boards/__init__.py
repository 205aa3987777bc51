"""What commands say of boards."""
