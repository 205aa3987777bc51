"""From a trained Keras model to a bundle: quantize, check, evaluate, gate, write."""
