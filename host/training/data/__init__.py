"""Batches of training pictures."""
