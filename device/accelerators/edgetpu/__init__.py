"""What the Edge TPU takes of a model, and why not the rest: predicted, and by its compiler."""
