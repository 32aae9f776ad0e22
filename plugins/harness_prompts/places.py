"""The places of a prompt by which examples are ranked, those that say what to do among them.

By the words of whole texts code or a long document decides what is near, and the question that is
asked of it hardly counts. So three places may be compared beside the whole text, each as much as
it: the system turn, and the first and the last sentence of what the user says. An instruction
stands where many rows say the same. Greetings do so, too: where train's rows have nearest ones
with answers more like their own by other places, those are taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean, stdev

import harness
from harness.kit.alike.words import Rows, asked, words
from harness_prompts.turns import parts

WHOLE = "whole text"
PLACES = ("system turn", "first sentence", "last sentence")
FIXED = 0.9
"""Share of the rows from which a sentence is part of their form, and asks nothing of its own."""
MOST = 500
"""Rows of train that are looked at to choose places."""
READ = 2_000
"""Characters of an answer that are compared."""

_SENTENCES = re.compile(r"\n|(?<=[.?!:;。？！])\s+")


class Places:
    """Which places of prompts are compared, and what a row has there.

    Args:
        train: rows with references.
        k: how many examples each prompt gets.
    """

    def __init__(self, train: Sequence[harness.Example], k: int) -> None:
        rows = train[:: -(-len(train) // MOST) or 1]
        held = Counter(sentence for row in rows for sentence in set(_sentences(row)))
        self._fixed = {text for text, count in held.items() if count >= FIXED * len(rows) > FIXED}
        texts = {place: [self._at(row)[place] for row in rows] for place in (WHOLE, *PLACES)}
        # What is the same in all rows, or the whole text again, tells nothing more.
        telling = [
            place for place in PLACES if len(set(texts[place])) > 1 and texts[place] != texts[WHOLE]
        ]
        usual = [place for place in telling if _recurs(texts[place], rows)]
        self.names = (WHOLE, *_chosen(rows, texts, telling, usual, k))

    def of(self, row: harness.Example) -> list[str]:
        """The texts of a row, one for each of :attr:`names`."""
        texts = self._at(row)
        return [texts[place] for place in self.names]

    def _at(self, row: harness.Example) -> Mapping[str, str]:
        own = [text for text in _sentences(row) if text not in self._fixed] or [""]
        system = "\n".join(str(turn.get("content")) for turn in parts(row)[0])
        return dict(zip((WHOLE, *PLACES), (asked(row), system, own[0], own[-1]), strict=True))


def _sentences(row: harness.Example) -> list[str]:
    return [text for part in _SENTENCES.split(asked(row)) if words(text := part.strip())]


def _recurs(texts: Sequence[str], rows: Sequence[harness.Example]) -> bool:
    """Whether most rows have a text there that a row of another group has, too."""
    groups: dict[str, set[str]] = {}
    for text, row in zip(texts, rows, strict=True):
        groups.setdefault(text, set()).add(row.group)
    return sum(len(groups[text]) > 1 for text in texts) > len(texts) / 2


def _chosen(
    rows: Sequence[harness.Example],
    texts: Mapping[str, Sequence[str]],
    telling: Sequence[str],
    usual: Sequence[str],
    k: int,
) -> Sequence[str]:
    """The usual places, unless rows have nearest ones with answers more like theirs by others.

    By more than the standard error of the difference; nearest ones are of other groups.

    Args:
        texts: place -> its text in each row.
        telling: the places to choose from.
    """
    import numpy as np

    _, groups = np.unique([row.group for row in rows], return_inverse=True)
    if not telling or groups.max() == 0:
        return usual
    alike = {place: Rows(texts[place]).similarities(texts[place]) for place in (WHOLE, *telling)}
    # Rows of one group belong together: neither is shown in the other's prompt.
    related = groups[:, None] == groups[None, :]
    grams = [_grams(row.references[0]) for row in rows]

    def likeness(places: Sequence[str]) -> list[float]:
        ranked = sum((alike[place] for place in places), start=alike[WHOLE])
        nearest = np.argsort(-np.where(related, -1.0, ranked), axis=1, kind="stable")[:, :k]
        return [
            fmean(_dice(grams[at], grams[other]) for other in others if not related[at, other])
            for at, others in enumerate(nearest.tolist())
        ]

    of_usual = likeness(usual)
    best, gain = usual, 0.0
    for count in range(len(telling) + 1):
        for places in combinations(telling, count):
            more = [own - before for own, before in zip(likeness(places), of_usual, strict=True)]
            mean = fmean(more)
            if mean > gain and mean > stdev(more) / len(more) ** 0.5:
                best, gain = list(places), mean
    return best


def _grams(text: str) -> set[str]:
    """Runs of three characters: an answer's form counts as its words do."""
    line = f" {' '.join(text[:READ].split())} "
    return {line[at : at + 3] for at in range(len(line) - 2)}


def _dice(a: set[str], b: set[str]) -> float:
    """Twice what both share, of what they have (Dice 1945); 1 for two empty answers."""
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
