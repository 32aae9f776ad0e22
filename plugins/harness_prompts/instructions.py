"""What an answer has to look like, in a sentence or two, from the answers of train."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import harness

LABELS = 20
"""Different answers at most that are listed."""
OFTEN = 5
"""Rows for each different answer, at least, where answers are labels."""
LABEL = 60
"""Characters of a label at most."""
KEYS = 20
"""Keys of JSON objects at most that are listed."""
UNSPACED = 15
"""Characters of a word on average, from which on there are no words to be counted."""
ALONE = "and write nothing else."


def instructions(train: Sequence[harness.Example]) -> str:
    """By the first reference of each row: JSON and its keys, a label, or how long answers are.

    Raises:
        ConfigError: no row of train has a reference.
    """
    answers = [row.references[0] for row in train if row.references]
    if not answers:
        raise harness.ConfigError(
            "no row of train has a reference, from which a system turn could be made",
            hint="give its text: baselines: [{plugin: prompted, system: TEXT}]",
        )
    return _json(answers) or _labels(answers) or _length(answers)


def _json(answers: Sequence[str]) -> str:
    """Where all answers are JSON objects or lists."""
    values = [_parsed(answer) for answer in answers]
    if not all(isinstance(value, (dict, list)) for value in values):
        return ""
    if all(isinstance(value, list) for value in values):
        return f"Answer with a JSON list {ALONE}"
    if any(isinstance(value, list) for value in values):
        return f"Answer in JSON, with a list or an object, {ALONE}"
    head = "Answer with one JSON object"
    every = [tuple(value) for value in values]
    known = list(dict.fromkeys(key for keys in every for key in keys))
    if not known or len(known) > KEYS:
        return f"{head} {ALONE}"
    listed = ", ".join(json.dumps(key, ensure_ascii=False) for key in known)
    if all(set(keys) == set(known) for keys in every):
        return f"{head} with the {'key' if len(known) == 1 else 'keys'} {listed}, {ALONE}"
    most = max(map(len, every))
    some = "one of the keys" if most == 1 else "some of the keys"
    return f"{head} with {some} {listed}, {ALONE}"


def _parsed(answer: str) -> Any:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None


def _labels(answers: Sequence[str]) -> str:
    """Where few different answers are given again and again."""
    counts = Counter(answer.strip() for answer in answers)
    if not 1 < len(counts) <= LABELS or len(answers) < OFTEN * len(counts):
        return ""
    if any(len(label) > LABEL or "\n" in label or not label for label in counts):
        return ""
    ordered = sorted(counts, key=lambda label: (-counts[label], label))
    return f"Answer with exactly one of these, {ALONE[:-1]}: {'; '.join(ordered)}"


def _length(answers: Sequence[str]) -> str:
    words = statistics.median(len(answer.split()) for answer in answers)
    characters = statistics.median(map(len, answers))
    if characters > UNSPACED * max(1, words):
        return f"Answer in about {round(characters)} characters, {ALONE}"
    count = max(1, round(words))
    return f"Answer in about {count} {'word' if count == 1 else 'words'}, {ALONE}"
