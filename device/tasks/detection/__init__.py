"""Objects in a picture."""
