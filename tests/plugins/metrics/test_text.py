"""``exact``, ``token-f1`` and ``length``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_text import Exact, Length, TokenF1


@pytest.mark.parametrize(
    ("answer", "references", "score"),
    [
        (" yes\n", ["yes"], 1.0),
        ("yes", ["no", "  yes"], 1.0),
        ("Yes", ["yes"], 0.0),
        ("", [""], 1.0),
        ("", ["yes"], 0.0),
        ("yes", [], None),
        ("\ud800\x00", ["\ud800\x00"], 1.0),
    ],
)
def test_exact(answer, references, score, measure):
    assert measure(Exact(), answer, references) == score


def test_exact_without_case(measure):
    metric = Exact(Exact.Options(ignore_case=True))
    assert measure(metric, "STRASSE", ["Straße"]) == 1.0
    assert metric.signature() != Exact().signature()


@pytest.mark.parametrize(
    ("answer", "references", "score"),
    [
        ("The cat!", ["a cat"], 1.0),
        ("black cat", ["the cat"], 2 / 3),
        ("cat cat cat", ["cat"], 0.5),
        ("dog", ["cat", "dogs and a dog"], 0.5),
        ("dog", ["cat"], 0.0),
        ("the", [""], 1.0),
        ("", ["cat"], 0.0),
        ("cat", [], None),
        ("\ud800 x", ["x"], 2 / 3),
    ],
)
def test_token_f1(answer, references, score, measure):
    assert measure(TokenF1(), answer, references) == (
        score if score is None else pytest.approx(score, rel=1e-12)
    )


@given(st.text(), st.text())
def test_token_f1_is_symmetric_and_bounded(measure, one, other):
    score = measure(TokenF1(), one, [other])
    assert 0 <= score <= 1
    assert score == pytest.approx(measure(TokenF1(), other, [one]), rel=1e-12)
    assert measure(TokenF1(), one, [one]) == 1


def test_length(measure):
    assert measure(Length(), "three  short\nwords", ["x"]) == 3.0
    assert measure(Length(Length.Options(unit="characters")), "ab c", ["x"]) == 4.0
    assert measure(Length(), "", []) == 0.0
    assert Length.right_at is None and Length.bounds == (0.0, float("inf"))


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_statistics_add_up_to_the_mean(measure, answers):
    values = np.array([[measure(TokenF1(), answer, ["the old cat"])] for answer in answers])
    mean = TokenF1().aggregate(values.sum(axis=0), np.float64(len(values)))
    assert mean[0] == pytest.approx(values.mean())
