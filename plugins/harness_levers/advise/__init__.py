"""``harness advise``: which lever is worth its cost."""
