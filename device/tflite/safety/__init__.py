"""What a `.tflite` file is held to before a runtime may see it."""
