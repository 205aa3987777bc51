"""Detectors that give some numbers for each place that an object may be, as YOLO does."""
