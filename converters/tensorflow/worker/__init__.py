"""TensorFlow in a separate process: the jobs, the worker, and the caller's side."""
