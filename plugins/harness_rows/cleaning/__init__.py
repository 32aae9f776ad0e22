"""Rows made fit to train on: what repeats, and what is private."""
