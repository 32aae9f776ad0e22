"""``harness export``: a tuned model as a folder that loads where ``harness`` is not installed."""
