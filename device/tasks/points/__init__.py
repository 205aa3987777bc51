"""Centres of things: they are counted and placed, without their sizes."""
