"""Near-duplicates: scaled, recompressed, brightened, mirrored and cropped copies of a picture."""
