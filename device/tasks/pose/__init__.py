"""People by their keypoints."""
