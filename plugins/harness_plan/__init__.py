"""``harness plan``: what a run will do, take and need, before anything is spent."""
