"""The analysis of a run: one document, made from its database, that all reports are made from."""
