"""The commands below ``harness rate``: raters score answers against a rubric."""
