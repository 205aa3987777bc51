"""A bundle of a finished `.tflite` as it is."""
