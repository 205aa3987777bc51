"""Analog gauges, drawn: pictures of which the reading is known, and the demo that learns from them.

A gauge is described by numbers first (`Dial`, `Needle`, `Light`, `View`, all drawn from a seed) and
then painted, so that the same gauge can be painted with its needle anywhere.
"""
