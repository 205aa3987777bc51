"""Trying a release before it is kept."""
