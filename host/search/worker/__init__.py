"""Candidates are built in a separate process."""
