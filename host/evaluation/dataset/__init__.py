"""What a data set is worth before a training: copies, wrong labels, odd pictures, drift."""
