"""Whether a round is better than another, and what may be said of it: rule, guards, power."""
