"""Blocks as HTML: of the page of a report, and of what a notebook shows.

Whatever a text holds, it stays text; no script is needed to read what is drawn.
"""
