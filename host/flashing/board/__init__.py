"""The board at the other end of SSH: what it is and what it has."""
