"""How points are held against true boxes."""
