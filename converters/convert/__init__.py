"""From a model to a verified bundle."""
