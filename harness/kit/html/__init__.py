"""Blocks as HTML, and pages: of a report, of all runs, and of what a notebook shows.

Whatever a text holds, it stays text; no script is needed to read what is drawn.
"""
