"""What runs on the board: preprocessing, inference, verification and the camera loop.

Nothing here imports TensorFlow, Keras or the host's code; a test holds that.
"""
