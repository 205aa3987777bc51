"""What a training leaves for people to look at: the page, and TensorBoard's logs."""
