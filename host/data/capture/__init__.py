"""Collects labelled pictures from a camera, without a model."""
