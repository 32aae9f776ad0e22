"""The source ``jsonl``: the strict native format, one JSON object a line."""
