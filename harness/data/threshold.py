"""What likeness is usual in a domain, and what the gate can recognise there.

Where rows are alike by nature (sums, lists of attributes) the floors would refuse what nobody
copied. So the threshold is taken from rows that are no copies of each other: it is the
``ceil(.99 (n + 1))``-th smallest of the similarities of ``n`` held-out prompts, each to its
nearest one of another group, as in split conformal prediction (Vovk, Gammerman and Shafer,
*Algorithmic Learning in a Random World*, 2005, chapter 2): a new row that is drawn as they were
is refused with a probability of at most .01 for each of the two comparisons, words and code.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from harness.data.likeness import (
    HELD_OUT_ROWS,
    SOURCE_ROWS,
    Likeness,
    Strengths,
    Usual,
    stride,
)
from harness.data.splits import group_of
from harness.kit.alike.texts import RowTexts
from harness.records import Example, Message

LEAST_ROWS = 99
"""Rows from which ``ceil(.99 (n + 1))`` is at most ``n``."""
MOST_HELD_OUT = 5_000
"""Held-out prompts at most that are compared with all others, evenly spaced."""
MOST_ROWS = 2_000
"""Rows of the source at most that stand in for held-out ones, evenly spaced."""
COPIES = 200
MISSPELT = 0.1
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def calibrate(
    likeness: Likeness, held_out: Sequence[Example], source: Sequence[Example],
    *, passing: float, seed: int, check: Callable[[], None] = lambda: None,
) -> Usual:  # fmt: skip
    """Ask the domain.

    Args:
        passing: share of unrelated rows that the threshold lets pass (.99).
        seed: of the copies with typing errors.
        check: is called now and then; may raise to stop.
    """
    held = list(_among_held_out(likeness, held_out, check))
    of, comparisons = HELD_OUT_ROWS, held
    if len(held) < LEAST_ROWS:
        of_source = list(_from_source(likeness, held_out, source, check))
        # With few rows on both sides, the largest of the held-out ones' has to do.
        if len(of_source) >= LEAST_ROWS:
            of, comparisons = SOURCE_ROWS, of_source
    usual = Usual(
        *_quantiles(comparisons, passing), *_quantiles(held, passing), len(comparisons), of
    )
    return replace(usual, recognised=_recognised(likeness, usual, seed, check))


def _among_held_out(
    likeness: Likeness, held_out: Sequence[Example], check: Callable[[], None]
) -> Iterable[tuple[float, float]]:
    """For each held-out prompt, how it is above the floors with its nearest of another group.

    Prompts are equal by :attr:`harness.kit.alike.texts.RowTexts.loose`, as copies are: ``7 + 3``
    and ``7 - 3`` have the same words and are two prompts.
    """
    prompts: list[dict[str, set[str]]] = [{} for _ in likeness.rows]
    members: dict[str, set[int]] = {}
    for row in held_out:
        texts = RowTexts(row)
        place = likeness.texts.get(texts.words)
        if place is not None:
            prompts[place].setdefault(texts.loose, set()).add(group_of(row))
            members.setdefault(group_of(row), set()).add(place)
    for place in range(0, len(likeness.rows), stride(len(likeness.rows), MOST_HELD_OUT)):
        check()
        strengths = likeness.strengths(RowTexts(likeness.rows[place]), new=False)
        for prompt, groups in prompts[place].items():
            own = {place, *(other for group in groups for other in members[group])}
            others = (theirs for text, theirs in prompts[place].items() if text != prompt)
            if any(groups.isdisjoint(theirs) for theirs in others):
                own.discard(place)
            if len(own) < len(likeness.rows):
                yield _most(strengths, sorted(own))


def _from_source(
    likeness: Likeness, held_out: Sequence[Example], source: Sequence[Example],
    check: Callable[[], None],
) -> Iterable[tuple[float, float]]:  # fmt: skip
    """For rows of the source, the same with their nearest held-out prompt."""
    if not likeness.rows:
        return
    copied = {RowTexts(row).loose for row in held_out}
    for row in source[:: stride(len(source), MOST_ROWS)]:
        check()
        texts = RowTexts(row)
        if texts.loose not in copied:
            yield _most(likeness.strengths(texts, new=False), [])


def _most(strengths: Strengths, without: Sequence[int]) -> tuple[float, float]:
    words, code = strengths.words.copy(), strengths.code.copy()
    words[without] = code[without] = -math.inf
    return float(words.max()), float(code.max())


def _quantiles(
    comparisons: Sequence[tuple[float, float]], share: float
) -> tuple[float | None, float | None]:
    words, code = zip(*comparisons, strict=True) if comparisons else ((), ())
    return _quantile(words, share), _quantile(code, share)


def _quantile(values: Sequence[float], share: float) -> float | None:
    """The ``ceil(share (n + 1))``-th smallest, the largest if that is too many; None below 0."""
    if not values:
        return None
    rank = min(len(values), math.ceil(share * (len(values) + 1)))
    value = sorted(values)[rank - 1]
    return math.ceil(value * 1e6) / 1e6 if value >= 0 else None


def _recognised(
    likeness: Likeness, usual: Usual, seed: int, check: Callable[[], None]
) -> float | None:
    """Share of copies with typing errors that are refused for their likeness."""
    if not likeness.rows:
        return None
    draw = random.Random(seed)
    rows = sorted(likeness.rows, key=lambda row: row.id)
    refused = 0
    for _ in range(COPIES):
        check()
        copy = RowTexts(misspelt(draw.choice(rows), draw))
        refused += likeness.nearest(copy, usual) is not None
    return refused / COPIES


def misspelt(row: Example, draw: random.Random) -> Example:
    """A copy of the row, with other references, one word in ten of the user's misspelt."""
    turns = tuple(_misspelt(turn, draw) for turn in row.messages)
    return replace(row, messages=turns, references=())


def _misspelt(turn: Message, draw: random.Random) -> Message:
    content = turn.get("content")
    if turn.get("role") != "user" or not isinstance(content, str):
        return turn
    words = content.split(" ")
    # Of sums and the like, which have no long word, the longest there are.
    least = min(3, max(map(len, words)))
    long = [place for place, word in enumerate(words) if word and len(word) >= least]
    wanted = max(1, round(MISSPELT * len(words)))
    for place in draw.sample(long, min(wanted, len(long))):
        words[place] = _mistyped(words[place], draw)
    return {**turn, "content": " ".join(words)}


def _mistyped(word: str, draw: random.Random) -> str:
    """Two letters swapped, one left out, one doubled, or one replaced."""
    if len(word) == 1:
        return draw.choice(_LETTERS.replace(word, ""))
    at = draw.randrange(len(word) - 1)
    here, after = word[at], word[at + 1]
    ways = (after + here, after, here + here + after, draw.choice(_LETTERS) + after)
    return word[:at] + draw.choice(ways) + word[at + 2 :]
