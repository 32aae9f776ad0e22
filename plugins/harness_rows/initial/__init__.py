"""A first config for rows that nobody has described yet: what is seen, and what is proposed."""
