"""NLTK's METEOR with its own reader of the whole WordNet: the peer of ``scoring.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def nltk_meteor(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]], root: Path
) -> list[float]:
    """NLTK's own, with its reader of the whole WordNet."""
    from nltk.translate.meteor_score import meteor_score

    reader = nltk_reader(root)
    return [
        meteor_score(refs, answer, wordnet=reader)
        for answer, refs in zip(hypotheses, references, strict=True)
    ]


_READERS: dict[Path, Any] = {}


def nltk_reader(root: Path) -> Any:
    """NLTK's reader, made once in a process."""
    if root not in _READERS:
        from harness_nltk.build_wordnet import nltk_reader as make

        _READERS[root] = make(root)
    return _READERS[root]
