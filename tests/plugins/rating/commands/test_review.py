"""``harness rate review``: rows that a file lists become a batch, and its decisions a file."""

from __future__ import annotations

import json

import pytest

from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating.review.reviewers import batches, decide, mixed


def lines(desk, *found):
    path = desk.folder / "suspects.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in found))
    return "suspects.jsonl"


def test_rows_are_listed_reviewed_and_handed_on(desk, told, document):
    listed = lines(
        desk, {"id": "train-3", "reason": "its\nloss <b>is</b> high", "score": 4.2},
        {"id": "train-4"}, {"id": "pool-1", "reason": ""}, {"id": "train-3"},
    )  # fmt: skip
    made = document(desk.rate("review", listed, "--raters", "ana", "--json"))
    assert (made["rows"], made["raters"]) == (3, {"ana": 3})
    assert made["batch"] in told(desk.rate("review", listed, "--raters", "ana"))
    [batch] = [one for one in batches(desk.folder) if one.name == made["batch"]]
    about = {batch.placings[one.id].example_id: dict(one.meta) for one in batch.items}
    suspect = {"suspect": "its loss <b>is</b> high"}
    assert about == {"train-3": suspect, "train-4": {}, "pool-1": {}}

    decide(desk.folder, batch, "ana", mixed)
    assert "3 of 3 rows are reviewed" in told(desk.rate("status", batch.name))
    out = [
        json.loads(line)
        for line in desk.rate("export", batch.name, "--to", "rows").out.split("\n")[:-1]
    ]
    assert sorted(one["decision"] for one in out) == ["edit", "reject", "reject"]
    edited = next(one for one in out if one["decision"] == "edit")
    assert edited["messages"][-1]["content"] == edited["before"]["answer"] + " indeed"
    assert {one.get("reason") for one in out} == {None, "wrong answer"}
    assert all(one["by"] == ["ana"] for one in out)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "dev-1"}', "there is no row 'dev-1' among the rows of train, valid, pool"),
        ('{"id": 3}', "each a text"),
        ('{"id": "train-3", "reason": ["x"]}', "each a text"),
        ('{"id": "train-3"', "not JSON"),
        ("[]", "a row must be a JSON object"),
        ("", "it lists no row"),
    ],
)
def test_a_line_that_is_none_is_named(desk, refused, line, words):
    (desk.folder / "bad.jsonl").write_text(line)
    before = desk.stored()
    refused(desk.rate("review", "bad.jsonl", "--raters", "ana"), 4, "bad.jsonl", words)
    assert desk.stored() == before


def test_names_and_files_are_checked_first(desk, refused):
    refused(desk.rate("review", "x.jsonl", "--raters", "Ana"), 2, "cannot be a reviewer's name")
    refused(desk.rate("review", "x.jsonl", "--raters", ","), 2, "one reviewer or more")
    refused(desk.rate("review", "x.jsonl", "--raters", "ana"), 4, "x.jsonl", "cannot read it")


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("command", ["verdict", "validity", "accept", "judge"])
def test_what_is_about_answers_refuses_rows(desk, refused, command):
    made = desk.rate("review", lines(desk, {"id": "train-3"}), "--raters", "ana", "--json").document
    more = {"accept": ["-o", "x.jsonl"]}.get(command, [])
    words = "holds rows that people review, and no answers of a run"
    refused(desk.rate(command, made["batch"], *more), 2, words, "--to rows")


def test_answers_are_no_rows(desk, refused):
    refused(
        desk.rate("export", desk.name, "--to", "rows"), 2, "holds answers of a run, and no rows"
    )


def test_what_is_told_of_the_runs_answers_knows_nothing_of_rows(rated):
    assert rated.project.inside("report").code == 0
    folder = RatingsFolder(rated.ratings)
    before, files = folder.of_run(rated.run), folder.digest_of(rated.run)
    made = rated.rate("review", lines(rated, {"id": "train-3"}), "--raters", "ana", "--json")
    decide(rated.folder, folder.batch(made.document["batch"]), "ana", mixed)
    assert folder.of_run(rated.run) == before
    assert folder.digest_of(rated.run) == files


def asked(desk, **fields):
    """A file of four live rows of three users."""
    rows = [
        {"id": f"r{at}", "prompt": f"Where is my parcel {at}?", "answer": f"On its way, {at}.",
         "zeit": f"2026-11-0{at}T08:00", "group": f"u{min(at, 3)}", "feedback": "up", **fields}
        for at in (1, 2, 3, 4)
    ]  # fmt: skip
    path = desk.folder / "week.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    return path.name


def test_live_rows_become_rows_of_train_that_say_where_they_are_from(desk, document, refused, told):
    made = document(desk.rate("review", asked(desk), "--raters", "ana", "--json"))
    assert made["rows"] == 4  # the first stands there twice
    [batch] = [one for one in batches(desk.folder) if one.name == made["batch"]]
    assert all(dict(one.meta) == {"rated": "1"} for one in batch.items)
    decide(desk.folder, batch, "ana", mixed)
    assert "--to train" in told(desk.rate("status", batch.name))
    out = desk.rate("export", batch.name, "--to", "pool").out.splitlines()
    rows = {row["id"]: row for row in map(json.loads, out)}
    assert len(rows) == 2  # two were rejected
    for name, row in rows.items():
        number = name[1:]
        assert (row["split"], row["group"]) == ("pool", f"u{min(int(number), 3)}")
        origin = row["meta"].pop("origin")
        assert origin.startswith(f"week.jsonl:{number}, asked 2026-11-0{number}T08:00; ")
        word = "edited" if row["references"][0].endswith(" indeed") else "accepted"
        assert f"; {word} by ana, 20" in origin
    told_of = desk.rate("export", batch.name, "--to", "rows").out.splitlines()
    scored = [json.loads(line) for line in told_of]
    assert sorted(len(row["references"]) for row in scored) == [0, 0, 1, 1]
    assert all(row["answer"].startswith("On its way") for row in scored)
    refused(
        desk.rate("review", asked(desk, answer=" "), "--raters", "ana"), 4, "`answer`", "5 of 5"
    )
    listed = document(
        desk.rate("review", lines(desk, {"id": "train-3"}), "--raters", "ana", "--json")
    )
    refused(desk.rate("export", listed["batch"], "--to", "train"), 2, "holds no live rows")
