"""Alike texts: exact repeats, near repeats by their runs of characters, the nearest by their words.

Near repeats have one engine and two weightings, on purpose. The gate asks which *held-out* prompt a
row is most like, so what three rows share is nobody's own and weighs nothing (:mod:`index`).
Duplicates are asked for among *all* rows, where three copies of a text are what is looked for, so
what many rows share weighs little (:mod:`pairs`).

The modules that need numpy import it, so import those where they are used.
"""
