"""Commands on people's own rows: each imports what is heavy when it is run."""
