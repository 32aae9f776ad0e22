"""Moved to :mod:`harness.rating.rated`."""

from harness.rating.rated import Key, Rated, counted, files, key_of

__all__ = ["Key", "Rated", "counted", "files", "key_of"]
