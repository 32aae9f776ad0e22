"""What raters preferred becomes rows that may teach, of the pool alone."""

from __future__ import annotations

import pytest

from harness.data import correction_file
from harness.data.corrections import Correction
from harness.errors import DataError, UsageError
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.preferences import preferences
from tests.plugins.rating import material


def said(made, root, by):
    for rater, values in by.items():
        material.rate(made, rater, values, root)
    return RatingsFolder(root)


@pytest.fixture
def pairs(tmp_path):
    """Six pairs of the pool that both raters get."""
    return material.batch(
        tmp_path, material.rubric(material.PREFERENCE), n=6, split="pool", versus=0, overlap=1.0,
        repeats=0.0,
    )  # fmt: skip


def test_pairs_on_which_raters_disagree_say_nothing(pairs, tmp_path):
    order = pairs.originals
    ana = dict(zip(order, ["A", "B", "A", "tie", "tie", "B"], strict=True))
    bo = dict(zip(order, ["A", "B", "B", "A", "tie", "B"], strict=True))
    folder = said(pairs, tmp_path, {
        "ana": lambda item: {"preference": ana[item]},
        "bo": lambda item: {"preference": bo[item]},
    })  # fmt: skip
    found = {one.origin["item"]: one for one in preferences(pairs, folder)}
    assert set(found) == {order[place] for place in (0, 1, 3, 5)}
    for place, chosen in ((0, 0), (1, 1), (3, 0), (5, 1)):
        answers, one = pairs.by_id[order[place]].answers, found[order[place]]
        assert (one.reference, one.rejected) == (answers[chosen], (answers[1 - chosen],))
        assert (one.split, one.rounds) == ("pool", (0, 3))
    made = list(found.values())
    again = correction_file.parsed(correction_file.encoded_corrections(made), "x")
    assert [one.text for one in again] == [one.text for one in made]


def test_answers_to_dev_teach_nobody(tmp_path):
    made = material.batch(tmp_path, material.rubric(material.PREFERENCE), n=4, versus=0)
    with pytest.raises(UsageError, match="none of them may teach"):
        preferences(made, RatingsFolder(tmp_path))


def test_texts_and_levels(tmp_path):
    made = material.batch(tmp_path, n=4, split="pool", raters=("ana",), repeats=0.0)
    quality = dict(zip(made.originals, [5, 1, 4, 5], strict=True))
    whole = {"polite": True, "tone": "warm", "errors": []}
    text = {made.originals[3]: {"better": "So, then."}}
    folder = said(made, tmp_path, {
        "ana": lambda item: {**whole, "quality": quality[item], **text.get(item, {})}
    })  # fmt: skip
    preferred = preferences(made, folder, over=0.95, under=0.6)
    texts = [(one.origin["item"], one.reference, one.rejected) for one in preferred]
    answers = {item: made.by_id[item].answers[0] for item in made.originals}
    first, second, _, typed = made.originals
    assert (typed, "So, then.", (answers[typed],)) in texts
    assert (first, answers[first], ()) in texts
    assert (second, "", (answers[second],)) in texts
    assert not [one for one in preferences(made, folder) if not one.reference]


def test_a_file_of_long_answers_can_be_read():
    """Models answer longer than people type."""
    long = Correction("a", "pool", "x" * 30_000, "0" * 64, dict.fromkeys(
        ("batch", "item", "rater", "at"), "b"), rejected=("y" * 30_000,))  # fmt: skip
    [read] = correction_file.parsed(correction_file.encoded_corrections([long]), "x")
    assert read.text == long.text


LINE = (
    '{{"schema": "harness.corrections/1"}}\n{{"example_id": "a", "split": "{split}", "reference": '
    '"{good}", "prompt": "' + "0" * 64 + '", "origin": {{"batch": "b", "item": "i", "rater": "r", '
    '"at": "t"}}, "rejected": {bad}}}\n'
)


@pytest.mark.parametrize(
    ("split", "good", "bad", "words"),
    [
        ("dev", "x", '["y"]', "answers to dev teach nobody"),
        ("pool", "x", '["x"]', "the reference is one of these texts"),
        ("pool", "x", '[" "]', "a list of texts is needed"),
        ("pool", "", "[]", "reference: text is needed"),
    ],
)
def test_a_file_of_preferences_is_checked(split, good, bad, words):
    with pytest.raises(DataError, match=words):
        correction_file.parsed(LINE.format(split=split, good=good, bad=bad).encode(), "x")
