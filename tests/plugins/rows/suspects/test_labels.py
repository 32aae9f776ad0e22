"""Labels as the words of prompts have them, and both opinions together."""

from __future__ import annotations

import numpy as np
import pytest

import harness
from harness_rows.suspects.asking import questions
from harness_rows.suspects.ranking import by_words, ranked, together

SAID = ("the lamp is broken in the hall", "when do you open on sunday", "where is my parcel now")
LABELS = ("defect", "hours", "parcel")


def rows(count: int, **wrong: int) -> list[harness.Example]:
    """Rows of three labels, whose prompts say which; of some the label is another one."""
    return [
        harness.Example(
            f"r{n}",
            ({"role": "user", "content": f"{SAID[n % 3]} w{n}"},),
            (LABELS[wrong.get(f"r{n}", n % 3)],),
            group=f"g{n // 2}",
        )
        for n in range(count)
    ]


def test_words_say_which_label_goes_with_a_prompt() -> None:
    data = rows(60, r0=1, r7=2)
    own = np.array([LABELS.index(row.references[0]) for row in data])
    found = by_words(data, own, 3)
    assert (found.argmax(axis=1) == np.arange(60) % 3).all()
    assert found.mean(axis=1) == pytest.approx(np.zeros(60)) and found.std() == pytest.approx(1)


def test_a_row_has_no_say_in_what_is_thought_of_it() -> None:
    data = rows(40)
    own = np.arange(40) % 3
    before = by_words(data, own, 3)
    changed = own.copy()
    changed[4:6] = 2 - changed[4:6]  # a whole group
    after = by_words(data, changed, 3)
    order = lambda found: found[4:6].argsort(axis=1)  # noqa: E731
    assert (order(after) == order(before)).all()


@pytest.mark.parametrize("text", ["", "…", "一二三", "same"])
def test_prompts_without_a_word_of_their_own_say_nothing(text: str) -> None:
    turn = {"role": "user", "content": text}
    data = [harness.Example(f"r{n}", (turn,), ("yes",)) for n in range(20)]
    found = by_words(data, np.arange(20) % 2, 2)
    assert found.shape == (20, 2) and np.isfinite(found).all()


def test_an_opinion_that_says_more_of_the_labels_counts_for_more() -> None:
    draw = np.random.default_rng(1)
    own = draw.integers(0, 4, 400)
    good = np.eye(4)[own] * 2 + draw.normal(size=(400, 4))
    noise = draw.normal(size=(400, 4))
    at = np.arange(400)
    alone = together(np.log(np.full((400, 4), 0.25)), good, own)
    assert alone.sum(axis=1) == pytest.approx(np.ones(400))
    assert (alone.argmax(axis=1) == own).mean() > 0.7
    assert np.corrcoef(together(noise, good, own)[at, own], alone[at, own])[0, 1] > 0.99
    # With few rows it stays by what the model says.
    few = together(good[:3], noise[:3], own[:3])
    model = np.exp(good[:3]) / np.exp(good[:3]).sum(axis=1, keepdims=True)
    assert np.abs(few - model).max() < 0.5


def test_labels_that_differ_in_capitals_are_one() -> None:
    data = rows(60, r7=2)
    data[9] = harness.Example("r9", data[9].messages, ("DEFECT ",))
    asked = questions(data, 7)
    assert asked.labels == LABELS and asked.label_of(data[9]) == "defect"
    assert asked.variants["r9"][0].references == ("defect",)
    losses = {
        row.id: [[0.1 if one.references[0].strip() == LABELS[n % 3] else 3.0]
                 for one in asked.variants[row.id]]
        for n, row in enumerate(data)
    }  # fmt: skip
    found = ranked(data, asked, losses)
    assert (found[0].row.id, found[0].likelier) == ("r7", "hours")
    assert {one.row.id: one.likelier for one in found}["r9"] == ""
