"""Releases on a board: installed next to the old one, tried, kept or rolled back.

This package is a separate program, the agent, which runs as root on the board, where edgeinfer
need not be installed yet. So it imports Python's standard library alone, and of edgeinfer only
itself and `camera_url`, `errors`, `files` and `processes` of `edgeinfer.device.core`. `pack_agent`
packs exactly these into a zipapp, `releases.pyz`, under the names that they have here; the packages
around them are empty there. It runs as `python3 -I releases.pyz COMMAND`, on Python 3.10 and later.

Power may fail at any instant. Everything is made under another name, written to the disk and
renamed; the one file that says a release is not proven, `trial.json`, is there before the switch
and removed last; `settle` repairs at boot what was interrupted. Nothing is ordered by the wall
clock, which on a board may be years off.
"""
