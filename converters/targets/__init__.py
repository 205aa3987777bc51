"""One variant for each accelerator."""
