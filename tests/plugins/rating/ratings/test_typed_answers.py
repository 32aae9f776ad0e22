"""Better answers: what raters typed, and what becomes of the rows."""

from __future__ import annotations

import dataclasses

import pytest

from harness.data.corrections import Correction, check_fits, corrected, prompt_digest
from harness.errors import DataError
from harness.records import Example
from harness.records.rubrics import Item
from harness_rating.batches.records import Batch, Placing
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.typed_answers import author_of, corrections
from tests.plugins.rating import material

candidates, event, rubric = material.candidates, material.event, material.rubric
ASKS = ({"role": "user", "content": "What is a leaf?"},)


def batch(placings=None, criteria=None, **changed) -> Batch:
    """Two answers to one row and one to another; item 4 is item 1 again."""
    rules = rubric(criteria) if criteria else rubric()
    if placings is None:
        placings = [("row-1", 0, None), ("row-1", 1, None), ("row-2", 0, None), ("row-1", 0, "i1")]
    items = tuple(Item(f"i{n}", ASKS, ("x",)) for n in range(1, len(placings) + 1))
    placed = {
        f"i{n}": Placing(f"i{n}", row, rounds=(round_,), split="dev", repeat_of=repeat)
        for n, (row, round_, repeat) in enumerate(placings, start=1)
    }
    fields = {
        "name": "small-1", "run": "run", "rubric": rules, "strategy": "worst", "seed": 0,
        "raters": ("ana", "bo"), "items": items, "placings": placed, "created": "2026-11-25",
        "assignments": dict.fromkeys(("ana", "bo"), tuple(placed)), "verdicts": False,
    }  # fmt: skip
    return Batch(**{**fields, **changed})


def say(root, made, *told):
    for rater, item, value, *criterion in told:
        log = events.Events(root / made.name, rater)
        kind = "clear" if value is None else "set"
        log.append(event(rater, item, (criterion or ["better"])[0], kind, value))


def texts(found):
    return [(one.example_id, one.reference) for one in found]


def test_texts_of_all_raters_the_oldest_first_and_none_twice(tmp_path):
    made = batch()
    say(
        tmp_path, made,
        ("bo", "i3", "A needle."), ("ana", "i1", "A part."), ("bo", "i1", " A leaf."),
        ("ana", "i2", "A part."), ("ana", "i3", "gone"), ("ana", "i3", None),
    )  # fmt: skip
    typed = corrections(made, RatingsFolder(tmp_path))
    assert texts(typed) == [("row-2", "A needle."), ("row-1", "A part."), ("row-1", "A leaf.")]
    first = typed[1]
    assert (first.split, first.prompt) == ("dev", prompt_digest(ASKS))
    assert {**first.origin, "at": ""} == {
        "batch": "small-1", "item": "i1", "rater": "ana", "at": "",
    }  # fmt: skip
    assert first.origin["at"].startswith("2026-11-25T15:")


def test_a_settled_text_stands_for_that_answer_and_its_repeat_only(tmp_path):
    made = batch()
    say(
        tmp_path, made,
        ("ana", "i1", "A part."), ("bo", "i4", "A leaf."), ("ana", "i3", "A needle."),
        ("settled-eva", "i1", "An organ."),
    )  # fmt: skip
    typed = corrections(made, RatingsFolder(tmp_path))
    assert texts(typed) == [("row-2", "A needle."), ("row-1", "An organ.")]
    assert [author_of(one) for one in typed] == ["ana", "eva, settled"]


def test_what_was_typed_at_a_hidden_repeat_is_not_lost(tmp_path):
    made = batch()
    say(tmp_path, made, ("ana", "i1", "A part."), ("ana", "i4", "A green part."))
    assert texts(corrections(made, RatingsFolder(tmp_path))) == [
        ("row-1", "A part."),
        ("row-1", "A green part."),
    ]
    assert len(corrections(made, RatingsFolder(tmp_path), items=frozenset({"i1"}))) == 2
    assert corrections(made, RatingsFolder(tmp_path), items=frozenset({"i3"})) == []


def test_a_text_left_over_from_a_question_that_is_not_asked_any_more_does_not_count(tmp_path):
    asks = [
        dataclasses.replace(criterion, ask_if={"polite": "no"})
        if criterion.id == "better"
        else criterion
        for criterion in rubric().criteria
    ]
    made = batch(criteria=tuple(asks))
    say(tmp_path, made, ("ana", "i1", False, "polite"), ("ana", "i1", "A part."))
    assert texts(corrections(made, RatingsFolder(tmp_path))) == [("row-1", "A part.")]
    say(tmp_path, made, ("ana", "i1", True, "polite"))
    assert corrections(made, RatingsFolder(tmp_path)) == []


def test_other_criteria_are_no_references(tmp_path):
    made = batch()
    say(tmp_path, made, ("ana", "i1", "warm", "tone"), ("ana", "i1", ["wrong facts"], "errors"))
    assert corrections(made, RatingsFolder(tmp_path)) == []


def test_rows_of_other_splits_are_refused(tmp_path):
    made = batch()
    placings = {n: dataclasses.replace(one, split="test") for n, one in made.placings.items()}
    made = dataclasses.replace(made, placings=placings)
    assert corrections(made, RatingsFolder(tmp_path)) == []
    say(tmp_path, made, ("ana", "i1", "A part."))
    with pytest.raises(DataError, match="only answers to dev and pool"):
        corrections(made, RatingsFolder(tmp_path))


def test_the_digest_of_a_real_batch_is_that_of_the_rows(tmp_path):
    """Raters do not see the system prompt, nor what else stands in a message."""
    made = material.batch(tmp_path)
    rows = {candidate.example.id: candidate.example for candidate in candidates()}
    assert made.items[0].messages != rows[made.placings[made.items[0].id].example_id].messages
    for item in made.items:
        row = rows[made.placings[item.id].example_id]
        assert prompt_digest(item.messages) == prompt_digest(row.messages)
    assert len({prompt_digest(row.messages) for row in rows.values()}) == len(rows)


# -- the rows -----------------------------------------------------------------------------


def row(name="row-1", split="dev", references=("One.",), messages=ASKS) -> Example:
    return Example(name, messages, references, split)


def correction(name="row-1", text="Two.", split="dev", place="c.jsonl:2") -> Correction:
    return Correction(name, split, text, prompt_digest(ASKS), {}, place)


def test_texts_come_behind_the_references_of_dev_and_the_rest_stays():
    rows = [row(), row("row-2", "pool"), row("row-3"), row("row-4", references=())]
    found = [
        correction(), correction(text="Three."), correction(text="One."),
        correction("row-2", split="pool"), correction("row-4"),
    ]  # fmt: skip
    made = corrected(rows, found, "c.jsonl")
    assert [one.references for one in made.rows] == [
        ("One.", "Two.", "Three."), ("One.",), ("One.",), ("Two.",),
    ]  # fmt: skip
    assert made.references == 3
    assert made.rows[1:3] == tuple(rows[1:3])
    assert corrected(made.rows, found, "c.jsonl").references == 0


def test_ids_that_are_not_there_are_named():
    found = [correction(f"row-{n}", place=f"c.jsonl:{n + 1}") for n in range(1, 15)]
    with pytest.raises(DataError, match="13 of the corrected rows are not among") as caught:
        corrected([row()], [*found, found[3]], "c.jsonl")
    assert caught.value.where == "c.jsonl"
    assert caught.value.details[0] == "c.jsonl:3: row-2"
    assert caught.value.details[-1] == "and 3 more"
    assert len(caught.value.details) == 11


@pytest.mark.parametrize("split", ["train", "valid", "test", "pool"])
def test_a_row_that_is_of_another_split_today_is_refused(split):
    with pytest.raises(DataError, match=f"rated as a row of dev, and is one of {split}") as caught:
        corrected([row(split=split)], [correction()], "c.jsonl")
    assert caught.value.where == "c.jsonl:2"


def test_a_row_that_asks_something_else_today_is_refused():
    other = ({"role": "user", "content": "What is a root?"},)
    with pytest.raises(DataError, match="is not the one that was rated") as caught:
        corrected([row(messages=other)], [correction(place="c.jsonl:7")], "c.jsonl")
    assert caught.value.where == "c.jsonl:7"
    system = ({"role": "system", "content": "Be brief."}, *ASKS)
    check_fits(correction(), row(messages=system))
