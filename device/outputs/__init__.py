"""Where answers go: a terminal, lines of JSON or CSV, recorded stills and video, a window.

Each output runs on a separate thread behind a bounded queue (`queue.py`); `fan_out` feeds them
all.
"""
