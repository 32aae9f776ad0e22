"""``harness score``: files of answers read, joined with their references, measured, compared."""
