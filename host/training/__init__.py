"""Training: from prepared data to a folder with a Keras model and everything for `convert`."""
