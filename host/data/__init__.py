"""Labelled images: found, checked, split, prepared into one file and augmented."""
