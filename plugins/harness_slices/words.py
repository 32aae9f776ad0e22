"""The words of a prompt."""

from __future__ import annotations

import re

READ = 20_000
"""Characters of a prompt that are looked at."""

_WORD = re.compile(r"[^\W\d_]{3,20}")


def words(prompt: str) -> list[str]:
    """Its words of 3 to 20 letters, in lower case, in order."""
    return _WORD.findall(prompt[:READ].lower())
