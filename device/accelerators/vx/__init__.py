"""Which operators the VX delegate takes."""
