"""The page on which people rate: served to one browser each, or packed into one file."""
