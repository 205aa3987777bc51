"""Optimizers and their learning rates."""
