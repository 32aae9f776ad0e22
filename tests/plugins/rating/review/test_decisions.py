"""What reviewers of a row come to, and the row as it is learned then."""

from __future__ import annotations

import dataclasses

import pytest

from harness.records import Example
from harness_rating.batches.records import Event
from harness_rating.ratings.events import Events, now
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.review.batches import ReviewRow, create, item_of_row, learned_digest
from harness_rating.review.decisions import Decision, Reviews, as_lines, decisions, edited
from tests.plugins.rating.material import event_id
from tests.support import hostile_texts

SYSTEM = {"role": "system", "content": "be brief"}
ROW = Example("a", (SYSTEM, {"role": "user", "content": " q?\n"}), ("  x = 1\n", "y"), thought="so")
ACCEPT, EDIT, REJECT = {"decision": "accept"}, {"decision": "edit"}, {"decision": "reject"}
EDITED = {**EDIT, "answer": "x = 2"}
REJECTED = {**REJECT, "reason": "wrong form"}


@pytest.fixture
def reviewed(tmp_path):
    """What becomes of one row by what each reviewer says of it."""

    def given(*said, settled=None, done=()):
        folder = RatingsFolder(tmp_path)
        raters = [f"r{number}" for number in range(len(said))]
        batch = create(folder, [ReviewRow(ROW)], raters[:2], overlap=1.0, run="run")
        [name] = batch.placings
        everybody = [*zip(raters, said, strict=True)]
        everybody += [("settled-cy", settled)] if settled else []
        for rater, values in everybody:
            events = [_event(rater, name, "set", key, value) for key, value in values.items()]
            events += [_event(rater, name, "done", "", True)] if rater in done else []
            Events(tmp_path / batch.name, rater).extend(events)
        return decisions(batch, folder).get(name)

    return given


def _event(rater, item_, kind, criterion, value):
    return Event(event_id(), rater, item_, criterion, kind, value, now(), 1.0)


@pytest.mark.parametrize(
    ("said", "kind", "by"),
    [
        ([ACCEPT], "accept", ("r0",)),
        ([EDITED], "edit", ("r0",)),
        ([REJECTED], "reject", ("r0",)),
        ([ACCEPT, ACCEPT], "accept", ("r0", "r1")),
        ([ACCEPT, EDITED], "edit", ("r1",)),
        ([EDITED, REJECTED], "reject", ("r1",)),
        ([REJECTED, ACCEPT], "reject", ("r0",)),
        ([EDITED, {**EDIT, "answer": "x = 3"}], "edit", ("r0", "r1")),
    ],
)
def test_the_stricter_of_two_decisions_counts(reviewed, said, kind, by):
    found = reviewed(*said)
    assert (found.kind, found.by, len(found.each)) == (kind, by, len(said))
    assert found.reason == ("wrong form" if kind == "reject" else "")
    assert found.answer == ("x = 2" if kind == "edit" else "")


@pytest.mark.parametrize("said", [[{}], [REJECT], [EDIT], [ACCEPT, {}], [EDITED, EDIT]])
def test_a_row_is_open_until_all_its_reviewers_are_through(reviewed, said):
    assert reviewed(*said) is None


def test_an_edit_that_changes_nothing_accepts_once_it_is_done(reviewed):
    assert reviewed(EDIT, done=("r0",)).kind == "accept"


@pytest.mark.parametrize(
    ("settled", "kind"), [(ACCEPT, "accept"), (EDIT, "edit"), (REJECT, "reject")]
)
def test_what_was_settled_stands_in_the_place_of_a_difference(reviewed, settled, kind):
    said = [EDITED, REJECTED] if kind != "edit" else [ACCEPT, EDITED]
    found = reviewed(*said, settled=settled)
    assert found.kind == kind
    assert found.by == ("cy",)
    assert found.each == tuple(values["decision"] for values in said), "their own agreement"
    assert found.answer == ("x = 2" if kind == "edit" else "")


def test_an_edit_keeps_the_white_space_that_the_page_does_not_show():
    new = edited(ROW, Decision("edit", ("r0",), ("edit",), answer="x = 2", question="what?"))
    assert new.references == ("  x = 2\n",)
    assert [turn["content"] for turn in new.messages] == ["be brief", " what?\n"]
    assert new.thought == ""
    assert edited(ROW, Decision("edit", (), (), question="what?")).thought == "so"


def test_the_question_is_the_last_turn_of_a_user():
    turns = tuple({"role": role, "content": role} for role in ("user", "assistant", "user", "tool"))
    row = Example("b", turns, ("x",))
    new = edited(row, Decision("edit", (), (), question="what?"))
    assert [turn["content"] for turn in new.messages] == ["user", "assistant", "what?", "tool"]


def test_a_decision_is_about_what_is_learned():
    same = Example("other", ROW.messages, ("  x = 1\n",), "pool", thought="so")
    assert learned_digest(item_of_row(same)) == learned_digest(item_of_row(ROW))
    others = [
        Example("a", ROW.messages, ("x = 1",), thought="so"),
        Example("a", ROW.messages, ROW.references),
        Example("a", ROW.messages[1:], ROW.references, thought="so"),
    ]
    assert learned_digest(item_of_row(ROW)) not in {
        learned_digest(item_of_row(row)) for row in others
    }


def test_hostile_rows_are_decided_as_any(tmp_path):
    """Markup, directions, NUL, lone surrogates, a row of a megabyte: each is one row."""
    texts = [*hostile_texts.TEXTS, "word " * 200_000]
    rows = [
        Example(f"r{n}", ({"role": "user", "content": text},), (text,))
        for n, text in enumerate(texts)
    ]
    folder = RatingsFolder(tmp_path)
    batch = create(folder, [ReviewRow(row) for row in rows], ["ana"], overlap=None, run="run")
    for name in batch.placings:
        Events(tmp_path / batch.name, "ana").append(
            _event("ana", name, "set", "decision", "accept")
        )
    reviews = Reviews(RatingsFolder(tmp_path))
    assert {learned_digest(item_of_row(row)) for row in rows} == set(reviews.decided)


def test_the_same_rows_are_one_batch(tmp_path):
    folder = RatingsFolder(tmp_path)
    first = create(folder, [ReviewRow(ROW)], ["ana"], overlap=None, run="run")
    assert (
        create(RatingsFolder(tmp_path), [ReviewRow(ROW)], ["ana"], overlap=None, run="run") == first
    )
    assert create(folder, [ReviewRow(ROW)], ["bo"], overlap=None, run="run") != first


@pytest.mark.parametrize("says", [ACCEPT, EDITED, REJECTED])
def test_a_row_that_has_rejected_answers_alone(tmp_path, says):
    folder, bad = RatingsFolder(tmp_path), Example("b", ROW.messages, (), rejected=("x = ", "?"))
    batch = create(folder, [ReviewRow(bad)], ["ana"], overlap=0.0)
    [name] = batch.placings
    # What is rejected is seen, and another text of it is another row.
    assert [turn["content"] for turn in batch.by_id[name].messages[-2:]] == ["x = ", "?"]
    assert learned_digest(item_of_row(bad)) != learned_digest(
        item_of_row(dataclasses.replace(bad, rejected=("y",)))
    )
    events = [_event("ana", name, "set", key, value) for key, value in says.items()]
    Events(tmp_path / batch.name, "ana").extend(events)
    decision = decisions(batch, folder)[name]
    answers = ("x = 2",) if says is EDITED else ()
    assert edited(bad, decision).references == answers
    [line] = as_lines(batch, folder)
    assert (line["rejected"], "before" in line) == (["x = ", "?"], False)
    turns = [turn["content"] for turn in line["messages"]]
    assert turns == [turn["content"] for turn in batch.by_id[name].messages[:-2]] + list(answers)
