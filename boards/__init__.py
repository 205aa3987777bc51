"""What each board is. The board profiles and their loader come to live here."""
