"""TensorFlow in a process of its own: what it is asked for, who does it, and who asks."""
