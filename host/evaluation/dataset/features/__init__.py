"""What the features of a network trained on ImageNet say about a data set."""
