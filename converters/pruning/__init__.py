"""Fewer channels (which saves time) and zeros in weights (which save only size)."""
