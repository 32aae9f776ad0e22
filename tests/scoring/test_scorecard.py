"""Scores and comparisons in Python: ``harness.evaluate`` and ``harness.compare_systems``."""

from __future__ import annotations

import re

import pytest

import harness
from harness import Example, MetricEntry, Prediction

ROWS = [Example(f"r{i}", (), ("a b c d",), group=f"g{i // 2}") for i in range(60)]


class Words(harness.Metric):
    """Share of four words that an answer has; fails on an answer that says so."""

    name = "words"

    class Options(harness.Options):
        """With an option, which is part of the signature."""

        most: int = 4

    def measure(self, prediction, example):
        if prediction.text == "fail":
            raise ValueError("no")
        return min(len(prediction.text.split()), self.options.most) / 4


WORDS = [MetricEntry("words", Words())]


def answers(*texts):
    """One for each row, the texts in turn."""
    return [Prediction(row.id, texts[i % len(texts)]) for i, row in enumerate(ROWS)]


def test_predictions_in_any_order_belong_to_their_examples():
    ordered = answers("a", "a b", "a b c")
    card = harness.evaluate(ROWS, ordered[::-1], WORDS)
    assert list(card.predictions) == ordered
    assert card.values["r1"] == {"words": 0.5}
    assert card.scores["words"].value == pytest.approx(0.5)
    assert card.scores["words"].low < 0.5 < card.scores["words"].high


def test_a_notebook_shows_the_scores_and_what_could_not_be_scored():
    card = harness.evaluate(ROWS, answers("a", "a b", "fail"), WORDS)
    shown, score = card._repr_html_(), card.scores["words"]
    cells = re.findall(r"<t[dh][^>]*><bdi>(.*?)</bdi>", shown)
    assert cells == ["words", "0.375", f"[{score.low:.3f}, {score.high:.3f}]", "40", "20"]
    assert "20 of 60 answers could not be scored, first &#x27;r2&#x27;" in shown


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        (answers("a")[1:], "1 examples have no prediction, and 0 predictions"),
        ([*answers("a")[1:], Prediction("other", "a")], "1 predictions have no example"),
        ([*answers("a"), Prediction("r0", "a")], "the same id"),
    ],
)
def test_predictions_that_do_not_fit(predictions, message):
    with pytest.raises(harness.DataError, match=message):
        harness.evaluate(ROWS, predictions, WORDS)


def test_a_part_has_the_scores_of_its_rows():
    card = harness.evaluate(ROWS, answers("a", "a b c d"), WORDS)
    part = card.part({row.id for row in ROWS[1::2]})
    assert [row.id for row in part.examples] == [row.id for row in ROWS[1::2]]
    assert (part.scores["words"].value, part.scores["words"].n) == (1.0, 30)
    assert part.values["r1"] == {"words": 1.0} and "r0" not in part.values


def test_an_answer_that_cannot_be_scored_is_a_remark():
    card = harness.evaluate(ROWS, answers("a", "fail"), WORDS)
    (remark,) = card.remarks()
    assert remark.startswith("words: 30 of 60 answers could not be scored, first 'r1': ")
    assert card.values["r1"] == {} and card.scores["words"].unscored == 30


def test_systems_are_compared_with_a_baseline():
    old = harness.evaluate(ROWS, answers("a", "a b"), WORDS)
    new = harness.evaluate(ROWS, answers("a b c", "a b c d", "a b"), WORDS)
    compared = harness.compare_systems({"new": new, "same": old}, old)
    gain = compared["new"]["words"]
    assert (gain.label, gain.n, gain.groups) == ("improved", 60, 30)
    assert gain.difference == pytest.approx(0.375) and gain.p >= gain.p_alone
    assert (compared["same"]["words"].label, compared["same"]["words"].difference) == (
        "no evidence", 0,
    )  # fmt: skip


def test_what_cannot_be_compared_is_refused():
    old = harness.evaluate(ROWS, answers("a"), WORDS)
    with pytest.raises(harness.UsageError, match="other examples"):
        harness.compare_systems({"part": old.part({"r0", "r1"})}, old)
    other = harness.evaluate(
        ROWS, answers("a"), [MetricEntry("words", Words(Words.Options(most=2)))]
    )
    with pytest.raises(harness.UsageError, match="other metrics"):
        harness.compare_systems({"other": other}, old)


def test_metrics_are_made_with_all_problems_at_once():
    made = harness.make_metrics({"bleu": {}, "small": {"plugin": "bleu", "lowercase": True}})
    assert [entry.score_names for entry in made] == [("bleu",), ("small-bleu",)]
    with pytest.raises(harness.ConfigError) as refused:
        harness.make_metrics({"bleu": {"no": 1}, "blue": {}})
    details = "\n".join(refused.value.details)
    assert "bleu.no: unknown key" in details and "blue" in details.replace("bleu", "")


TWINS = """\
import harness


class Twin(harness.Metric):
    "Gives a score that has the name of another metric's."

    name = "twin"

    def score_names(self):
        return ("exact",)

    def measure(self, prediction, example):
        return 1.0


@harness.hookimpl
def register_metrics():
    return [Twin]
"""


def test_two_metrics_with_a_score_of_one_name_are_refused(tmp_path):
    (tmp_path / "twins.py").write_text(TWINS)
    with pytest.raises(harness.ConfigError) as refused:
        harness.make_metrics({"exact": {}, "twin": {}}, [tmp_path / "twins.py"])
    assert "its score 'exact' is also one of 'exact'" in refused.value.details[0]
