"""A sheet to fill in: what is open, nothing that would unblind, and back by import."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from harness.errors import DataError, UsageError
from harness.records.rubrics import Show
from harness_rating.exchange.exporting import export_batch
from harness_rating.exchange.importing import import_file
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating import material

FILLED = {
    "quality": "cannot judge", "polite": "no", "degrees": "-2,5", "tone": "cold",
    "errors": '["=1+1", "a; b"]', "better": "So, then.",
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    return material.batch(tmp_path, n=6, overlap=0.5, repeats=0.2)


def read(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def filled(tmp_path, rows, values):
    """The file that a rater sends back, as a spreadsheet writes it."""
    path = tmp_path / "sheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows({**row, "value": values.get(row["criterion"], "")} for row in rows)
    return path


def test_a_sheet_comes_back_filled_and_twice_does_no_harm(made, tmp_path):
    rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))
    shown = made.assignments["ana"]
    assert list(dict.fromkeys(row["item"] for row in rows)) == list(shown)
    assert len(rows) == len(shown) * len(made.rubric.criteria)
    assert {row["value"] for row in rows} == {""} and {row["rater"] for row in rows} == {"ana"}
    path = filled(tmp_path, rows, FILLED)
    assert import_file(path, RatingsFolder(tmp_path)).new == {"ana": len(rows)}
    after = RatingsFolder(tmp_path).state(made, "ana")
    assert after.count("done") == len(shown)
    assert after.items[0].values == {
        "quality": None, "polite": False, "degrees": -2.5, "tone": "cold",
        "errors": ("=1+1", "a; b"), "better": "So, then.",
    }  # fmt: skip
    assert not any(import_file(path, RatingsFolder(tmp_path)).new.values())
    assert read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana")) == []


def test_what_does_not_apply_may_stay_empty_and_an_empty_sheet_says_nothing(made, tmp_path):
    rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))
    assert not import_file(filled(tmp_path, rows, {}), RatingsFolder(tmp_path)).new
    import_file(
        filled(tmp_path, rows, {"quality": "4", "polite": "yes", "tone": "warm"}),
        RatingsFolder(tmp_path),
    )
    assert RatingsFolder(tmp_path).state(made, "ana").count("done") == len(made.assignments["ana"])


def test_only_what_is_open_and_may_come_up_is_asked(made, tmp_path):
    one, two, three, *_ = made.assignments["ana"]
    log = Events(tmp_path / made.name, "ana")
    log.append(material.event("ana", one, "polite", value=True))
    log.append(material.event("ana", two, "polite", value=False))
    log.append(material.event("ana", three, kind="skip", value=True))
    asked = {}
    for row in read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana")):
        asked.setdefault(row["item"], []).append(row["criterion"])
    assert asked[one] == ["quality", "tone", "errors", "better"]
    assert asked[two] == ["quality", "degrees", "tone", "errors", "better"]
    assert three not in asked


def test_nothing_in_it_would_unblind(made, tmp_path):
    Events(tmp_path / made.name, "bo").append(
        material.event("bo", made.assignments["bo"][0], "better", value="Bo's own words.")
    )
    data = export_batch(made, "sheet", RatingsFolder(tmp_path), "ana").decode()
    for secret in ("row-", "group-", "secret", "Bo's own words", "judging-model"):
        assert secret not in data
    (row, *_) = read(data.encode())
    assert not {"example", "rounds", "arm", "split", "repeat_of", "at"} & row.keys()
    assert row["facts"].startswith("topic: ")
    assert row["question"] == "How good?"
    assert row["possible"] == "1 = wrong; 2; 3; 4; 5 = right; or cannot judge"


def test_a_reference_is_there_only_where_it_is_always_shown(tmp_path):
    for shown in ("always", "after_first_score", "never"):
        rules = material.rubric(id=shown.replace("_", "-"), show=Show(shown))
        made = material.batch(tmp_path, rules, n=3, repeats=0)
        rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))
        assert (rows[0].get("reference", "") != "") is (shown == "always")


def test_two_answers_and_every_rater(tmp_path):
    rules = material.rubric(material.PREFERENCE, id="pairs")
    made = material.batch(tmp_path, rules, versus=0, n=4, repeats=0)
    rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path)))
    assert {row["rater"] for row in rows} == {"ana", "bo"}
    item = made.by_id[rows[0]["item"]]
    assert (rows[0]["answer_a"], rows[0]["answer_b"]) == item.answers


def test_no_cell_is_taken_for_a_formula(made, tmp_path):
    item = made.items[0]
    object.__setattr__(item, "answers", ("=HYPERLINK(1)",))
    cells = [
        row
        for row in read(export_batch(made, "sheet", RatingsFolder(tmp_path)))
        if row["item"] == item.id
    ]
    assert cells and all(row["answer_a"] == "'=HYPERLINK(1)" for row in cells)


def test_a_value_that_cannot_be_names_its_line(made, tmp_path):
    rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))
    path = filled(tmp_path, rows, {"polite": "cannot judge"})  # no answer there
    with pytest.raises(DataError) as caught:
        import_file(path, RatingsFolder(tmp_path))
    assert "sheet.csv:" in caught.value.where and "nothing was imported" in caught.value.what


@pytest.mark.parametrize(
    ("to", "rater", "words"),
    [("csv", "ana", "a sheet is one person's"), ("sheet", "anna", "no rater 'anna'")],
)
def test_whose_sheet_has_to_be_known(made, tmp_path, to, rater, words):
    with pytest.raises(UsageError, match=words):
        export_batch(made, to, RatingsFolder(tmp_path), rater)


def test_an_unknown_kind_is_told_with_the_known_ones(made, tmp_path):
    rows = read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))[:1]
    path = filled(tmp_path, [{**rows[0], "kind": "cannot judge"}], {"quality": "4"})
    with pytest.raises(DataError, match=r"no kind 'cannot judge'.*there are: set, cannot-judge, "):
        import_file(path, RatingsFolder(tmp_path))


def test_who_cannot_say_better_has_typed_no_text_and_who_typed_those_words_has(tmp_path):
    *others, better = material.CRITERIA
    rules = material.rubric((*others, dataclasses.replace(better, allow_na=True)), id="unsure")
    made = material.batch(tmp_path, rules, n=3, repeats=0)
    item = made.assignments["ana"][0]
    rows = [
        r
        for r in read(export_batch(made, "sheet", RatingsFolder(tmp_path), "ana"))
        if r["item"] == item
    ]
    import_file(filled(tmp_path, rows, {"better": "cannot judge"}), RatingsFolder(tmp_path))
    assert RatingsFolder(tmp_path).state(made, "ana").items[0].values == {"better": None}
    typed = material.event(
        "ana", item, "better", value="cannot judge", at="2027-01-01T00:00:00.000Z"
    )
    Events(tmp_path / made.name, "ana").append(typed)
    (tmp_path / "all.csv").write_bytes(export_batch(made, "csv", RatingsFolder(tmp_path)))
    assert not import_file(tmp_path / "all.csv", RatingsFolder(tmp_path)).new
