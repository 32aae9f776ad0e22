"""``harness drift``: whether what users ask, get and say differs from what a run was judged on."""
