"""``harness doctor``: what this machine has, and what the config needs of it that is missing."""
