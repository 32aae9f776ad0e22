"""``harness data``: rows looked at, checked and dealt out, before anything is trained."""
