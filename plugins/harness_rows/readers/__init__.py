"""Readers of the kinds of files that rows come in."""
