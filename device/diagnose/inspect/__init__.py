"""What a bundle or model contains."""
