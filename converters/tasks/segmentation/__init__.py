"""A class for each place: how many places two models give the same."""
