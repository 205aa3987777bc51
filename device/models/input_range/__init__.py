"""Which numbers a plain `.tflite` wants for pixels: what states it, from the user to the graph."""
