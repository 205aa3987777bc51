"""Several labels for one picture: how a network learns them."""
