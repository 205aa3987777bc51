"""Text for people and for tables: lines that fit a terminal, cells that no program runs."""
