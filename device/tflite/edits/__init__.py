"""Copies of a `.tflite` file with a few numbers changed; no FlatBuffer writer is needed."""
