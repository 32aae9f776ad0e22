"""What kind of answers rows have: calls of tools, labels, numbers, JSON, short texts, long ones.

The kind decides which metrics are proposed. The bounds are choices, not measurements: they part
"refund" from "The refund comes within five days.", and both from a paragraph.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from harness import Example
from harness_rows.proposals import words

Kind = Literal["calls", "labels", "numbers", "JSON", "short", "long"]

NEARLY_ALL = 0.95
"""Share of the answers that have to be of a kind."""
LABEL_WORDS, LABEL_CHARACTERS = 6, 60
LABEL_ROWS = 4
"""Rows that a label has on average; with fewer, answers are short texts that repeat by chance."""
MOST_LABELS = 500
SHORT_WORDS = 12
SKEWED = 0.5
"""Labels are skewed if the rarest has less than this part of an equal share."""

_NUMBER = re.compile(r"[-+−]?\s?[$€£¥]?\s?\d[\d.,’' ]*\s?[%$€£¥]?")
_FINAL = re.compile(r"^(####|Answer:|The answer is|\\boxed)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a data set.

    Attributes:
        labels: of the kind ``labels``: each with its rows, the most frequent first.
        worked: most long answers end in a marked final result (``#### 18``).
        fenced: most hold a block of code.
    """

    kind: Kind
    count: int
    labels: tuple[tuple[str, int], ...] = ()
    worked: bool = False
    fenced: bool = False

    @property
    def skewed(self) -> bool:
        """Whether a label is so rare that a draw at random may leave a split without it."""
        rows = [count for _, count in self.labels]
        return bool(rows) and rows[-1] < SKEWED * self.count / len(rows)


def of_rows(rows: Sequence[Example]) -> Answers:
    """The kind of the answers of rows, at least one of which has a reference.

    They are calls where most call tools: rows that call none belong to such a task, too.
    """
    answers = [row.answer(row.references[0]) for row in rows if row.references]
    if 2 * sum(bool(answer.calls) for answer in answers) > len(answers):
        return Answers("calls", len(answers))
    return look([answer.text for answer in answers])


def look(answers: Sequence[str]) -> Answers:
    """The kind of answers that are texts.

    Args:
        answers: the first reference of each row; at least one.
    """
    count = len(answers)
    if _share(answers, _is_json) >= NEARLY_ALL:
        return Answers("JSON", count)
    if labels := _labels(answers):
        return Answers("labels", count, labels)
    if _share(answers, lambda text: _NUMBER.fullmatch(text.strip()) is not None) >= NEARLY_ALL:
        return Answers("numbers", count)
    if _share(answers, lambda text: words(text) <= SHORT_WORDS) >= NEARLY_ALL:
        return Answers("short", count)
    return Answers(
        "long",
        count,
        worked=_share(answers, lambda text: _FINAL.search(text) is not None) >= NEARLY_ALL,
        fenced=_share(answers, lambda text: "```" in text) >= 0.5,
    )


def _share(answers: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, answers)) / len(answers)


def _is_json(text: str) -> bool:
    """Whether the text is an object or a list; a number or a quoted word is no more than that."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _labels(answers: Sequence[str]) -> tuple[tuple[str, int], ...]:
    counts = Counter(text.strip() for text in answers)
    few = len(counts) <= min(MOST_LABELS, max(2, len(answers) / LABEL_ROWS))
    brief = all(len(label) <= LABEL_CHARACTERS and words(label) <= LABEL_WORDS for label in counts)
    return tuple(counts.most_common()) if few and brief and len(counts) > 1 else ()
