"""Data sets in other layouts, brought into the one that edgeinfer trains from."""
