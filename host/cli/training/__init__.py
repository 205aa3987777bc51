"""The commands that make a trained run: `train` and `prune`."""
