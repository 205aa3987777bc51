"""The workstation: labelled photographs in, a trained Keras model out."""
