"""Keeps a training that was stopped: its folder and its checkpoints."""
