"""How reports show the scores and verdicts of a document."""

from __future__ import annotations

import pytest

from harness.kit.documents import score_digits, score_title, unlabelled
from tests.support.documents import whole


@pytest.mark.parametrize(
    ("rounds", "test", "digits"), [((0.2, 0.9), None, 3), ((0.2, 40.0), None, 1), ((0.2,), 40.0, 1)]
)
def test_a_score_has_the_same_decimals_in_all_tables(
    rounds: tuple[float, ...], test: float | None, digits: int
) -> None:
    tables = [{"scores": {"f1": {"value": value}}} for value in rounds]
    opened = test and {"kept": {"f1": {"value": test}}}
    document = whole({"rounds": tables, "test": opened})
    assert score_digits(document, "f1") == digits
    assert score_digits(document, "unknown") == 3


def test_only_the_name_of_a_title_is_cut_and_the_latest_caveat_stands() -> None:
    tables = [{"scores": {"x" * 50: {"caveat": caveat}}} for caveat in ("", "un\ncalibrated")]
    title = score_title(whole({"rounds": tables}), "x" * 50, 8)
    assert title == "xxxxxxx… (un calibrated)"


def test_a_label_that_stands_beside_a_sentence_is_not_in_it() -> None:
    assert unlabelled("improved: f1 rose.", "improved") == "f1 rose."
    assert unlabelled("f1 rose.", "improved") == "f1 rose."
