"""Rows that people review before they are trained on: batches of rows, and what was decided."""
