"""Helpers that all converters share."""
