"""What commands print about boards."""
