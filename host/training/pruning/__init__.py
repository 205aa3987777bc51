"""Training while channels are removed."""
