"""Rubric files: read, checked, and turned into scores."""
