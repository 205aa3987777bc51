"""Accuracy and speed of what was made."""
