"""``harness demo``: what a verdict is worth, shown on loops whose truth is known."""
