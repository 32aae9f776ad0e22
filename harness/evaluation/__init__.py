"""Files of answers read, joined with their references, measured and compared: harness score."""
