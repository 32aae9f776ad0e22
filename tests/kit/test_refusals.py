"""Sentences that decline, and such that do not, written before the rule; half of them unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.kit.refusals import READ, declines

SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parent / "refusals.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("half", "found"), [("writing", 29), ("held out", 28)])
def test_most_refusals_are_found_and_nothing_else_is_called_one(half: str, found: int) -> None:
    here = [line for line in SENTENCES if line["half"] == half]
    refusals = [line["text"] for line in here if line["refusal"]]
    assert len(refusals) == len(here) - len(refusals) == 30
    assert sum(bool(declines(text)) for text in refusals) >= found
    assert [line["text"] for line in here if declines(line["text"]) and not line["refusal"]] == []


def test_the_words_that_decline_are_given_with_a_few_around_them() -> None:
    text = "**Hello!** I\u2019m  sorry,\nbut I can\u2019t help " + "with such things " * 9
    assert "I'm sorry, but I can't help with such things" in declines(text)
    assert len(declines(text)) < 110


def test_quotes_and_what_comes_late_are_nobodys_refusal() -> None:
    assert declines('"I can\'t help with that."')
    assert not declines('Then she says: "I can\'t help with that." He leaves.')
    assert not declines("word " * READ + "I can't help with that.")
    for hostile in ("sorry, " * 30_000, "as an " + "ai " * 60_000, '"' * 99_999, "I " * 99_999):
        assert not declines(hostile)
