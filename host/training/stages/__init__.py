"""The stages of a training: one, or two with pretrained weights."""
