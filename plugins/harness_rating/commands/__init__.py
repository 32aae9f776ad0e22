"""The commands below ``harness rate``: people score answers against a rubric."""
