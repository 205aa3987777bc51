"""Answers with their pictures, kept on disk."""
