"""Everything that runs TensorFlow in a process of its own."""
