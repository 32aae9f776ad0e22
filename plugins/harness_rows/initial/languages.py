"""In which languages rows are, by the package ``py3langid`` on some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.kit.draws import spaced
from harness.kit.languages import identifier

SAMPLE = 300
"""Texts that are looked at."""
READ = 1_000
"""Characters of each."""
LEAST = 20
"""Letters without which a text is not judged."""
RARE = 0.05
"""Share below which a language is taken for a mistake of the model."""


def look(texts: Sequence[str]) -> tuple[dict[str, float], int]:
    """ISO 639-1 code -> share, the most frequent first, and how many texts this rests on.

    Args:
        texts: all; :data:`SAMPLE` of them, evenly spaced, are judged.
    """
    judged = [_language(text[:READ]) for text in spaced(texts, SAMPLE)]
    counts = Counter(code for code in judged if code)
    total = counts.total()
    shares = {code: n / total for code, n in counts.most_common() if n >= RARE * total}
    return shares, total


def _language(text: str) -> str:
    if sum(map(str.isalpha, text)) < LEAST:
        return ""
    code = str(identifier().classify(text)[0])
    return "" if code in ("zxx", "und") else code
