"""A class for each place of a picture."""
