"""A detector's boxes as annotations, to be corrected in the user's own tool."""
