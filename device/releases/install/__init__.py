"""Putting a release on the board."""
