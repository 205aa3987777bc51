"""Labels that are not folders' names: in a table, or in the pictures' names."""
