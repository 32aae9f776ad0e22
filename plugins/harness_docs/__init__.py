"""The documentation in a terminal: its pages, listed, shown and searched."""
