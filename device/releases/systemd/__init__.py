"""The units that run a release."""
