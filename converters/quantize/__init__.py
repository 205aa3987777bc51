"""Full integer quantization, calibrated and repaired."""
