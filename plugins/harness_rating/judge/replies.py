"""From a model's reply to evidence and a value, or to the reason why it cannot be read."""

from __future__ import annotations

import re
from typing import Any

from harness import Criterion, DataError
from harness.kit.strict_json import DECODER, Fault
from harness.kit.text import plain
from harness_rating.rubric import scales

FORM = ("evidence", "score")
LONGEST_EVIDENCE = 2000
"""Characters of it that are kept."""
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class Unreadable(ValueError):
    """Why a reply is no judgement."""


def read(criterion: Criterion, reply: str) -> tuple[str, Any]:
    """Evidence, and the value in its stored form.

    The reply holds exactly one JSON object, evidence first; a fence and text around it do no
    harm. Nothing is guessed: of two objects, or of one within a broken one, which is the answer's
    own words and which the judge's could not be told.

    Raises:
        Unreadable: it is anything else, or the scale does not know the value.
    """
    document = _object(_THOUGHT.sub("", reply, count=1))
    if tuple(document) != FORM:
        if set(document) == set(FORM):
            raise Unreadable("the score comes before the evidence")
        raise Unreadable(f"its JSON object has not just the keys {' and '.join(FORM)}")
    evidence, value = document["evidence"], document["score"]
    if not isinstance(evidence, str) or not evidence.strip():
        raise Unreadable("there is no evidence")
    try:
        return plain(evidence.strip(), LONGEST_EVIDENCE), scales.check(criterion, value)
    except DataError as error:
        raise Unreadable(error.what) from None


def _object(text: str) -> dict[str, Any]:
    start = text.find("{")
    if start < 0:
        raise Unreadable("there is no JSON object in it" if text.strip() else "it is empty")
    try:
        value, end = DECODER.raw_decode(text, start)
    except Fault as fault:
        raise Unreadable(str(fault)) from None
    except (ValueError, RecursionError):
        raise Unreadable("what begins as JSON is none") from None
    if "{" in text[end:] or "}" in text[end:]:
        raise Unreadable("there is more than one JSON object in it")
    return dict(value)
