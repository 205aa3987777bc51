"""What a `.tflite` says of itself next to its graph: TFLite Metadata, and files behind it."""
