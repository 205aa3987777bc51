"""Code that runs TensorFlow in a separate process."""
