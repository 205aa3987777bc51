"""Measured values: targets from tables and names, a head that keeps places, losses."""
