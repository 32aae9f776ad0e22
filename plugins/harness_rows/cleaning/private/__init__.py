"""Private values in texts: found by kind, listed, and replaced by one token for each value."""
