"""Fewer channels (which pays in milliseconds) and zeros in weights (which pays in size alone)."""
