"""What models predict: a folder for each kind, which knows all about it."""
