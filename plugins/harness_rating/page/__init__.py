"""The page for raters: served to one browser each, or packed into one file."""
