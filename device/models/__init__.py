"""A model to be used: opened, described, and its outputs read."""
