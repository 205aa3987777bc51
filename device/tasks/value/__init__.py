"""A measured quantity, such as the reading of a gauge."""
