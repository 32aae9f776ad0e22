"""A search of settings: its trials, and the searcher that proposes them."""
