"""A class for a picture: folders of photographs, one-hot targets, cross-entropy."""
