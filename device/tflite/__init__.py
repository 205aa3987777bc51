"""Reading a `.tflite` file without a runtime."""
