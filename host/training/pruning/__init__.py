"""Training while channels are cut away."""
