"""A class for a picture: labels, and the share of right ones."""
