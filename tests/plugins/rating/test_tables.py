"""What raters said of a run, as rows of tables; and whether there is anything new."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import harness
from harness import Annotated, AnnotatedRun, AnswerValues
from harness.records import Measurement, Score
from harness.steps.answer import Evaluation
from harness.steps.history import History
from harness_rating.batches.records import FOLDER, Rating
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.folding import fold
from harness_rating.tables import NamedErrors, annotated
from tests.plugins.rating import material, people

RUN = people.RUN


def metrics() -> AnswerValues:
    values = {("main", number, f"row-{n}"): n + number for number in (0, 3) for n in range(40)}
    return AnswerValues({"loss": values}, frozenset({"loss"}))


def collected(root: Path, name: str = RUN, values=metrics, level: float = 0.95) -> Annotated:
    """What raters said in the batches under ``root``, which ends as :data:`FOLDER` does."""
    return annotated(AnnotatedRun(name, root.parents[1], level, values))


@pytest.fixture
def root(tmp_path):
    return tmp_path / FOLDER


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    root = tmp_path_factory.mktemp("ratings") / FOLDER
    return root, *people.rated(root)


@pytest.fixture(scope="module")
def said(rated):
    return collected(rated[0], level=0.98)


def test_each_batch_is_a_row(rated, said):
    _, singles, pairs = rated
    rows = {row["batch"]: row for row in said.tables["batches"]}
    assert (rows[pairs.name]["items"], rows[pairs.name]["rated"]) == (30, 30)
    one = rows[singles.name]
    assert (one["items"], one["rated"], one["rounds"], one["split"]) == (60, 60, [0, 3], "dev")
    assert (one["rubric"], one["version"], one["raters"]) == ("small", 1, ["ana", "bo"])
    assert list(said.notes) == []


def test_every_standing_value_is_a_row(rated, said):
    root, singles, pairs = rated
    rows = said.tables["ratings"]
    for rater in ("ana", "bo"):
        found = [row for row in rows if (row["rater"], row["batch"]) == (rater, singles.name)]
        standing = fold(Events(root / singles.name, rater).all())
        assert len(found) == len(standing)
        assert all(row["judged"] for row in found) is (rater == "ana")
        for row in found:
            value = standing[row["item"], row["criterion"]].value
            assert row["judged"] is (value is not None)
            if row["criterion"] == "errors":
                assert json.loads(row["value_text"]) == list(value)
                assert (row["scale"], row["use_as"]) == ("choices", "error_category")
    (settled,) = [row for row in rows if row["settled"]]
    assert (settled["rater"], settled["value_number"]) == ("settled-cy", 0.0)
    two = Counter((r["round"], r["against"]) for r in rows if r["batch"] == pairs.name)
    assert two == {(0, 3): 60, (3, 0): 60}


def test_what_it_comes_to(rated, said):
    _, singles, pairs = rated
    scores = {(r["criterion"], r["round"]): r for r in said.tables["rating_scores"]}
    assert scores["", 3]["position"] == 0 and scores["quality", 3]["position"] == 1
    better, worse = scores["quality", 3], scores["quality", 0]
    assert worse["low"] < worse["value"] < worse["high"] < better["low"] < better["value"]
    wins = {(r["batch"], r["criterion"]): r for r in said.tables["win_rates"]}
    assert wins[pairs.name, ""]["label"] == "improved"
    assert wins[pairs.name, ""]["difference"] is None
    assert wins[singles.name, "quality"]["level"] == 0.98
    assert wins[singles.name, "quality"]["win_rate_low"] > 0.5
    agreed = {(r["batch"], r["criterion"]): r for r in said.tables["agreement"]}
    assert {name for batch, name in agreed if batch == pairs.name} == {"preference"}
    assert agreed[singles.name, "quality"]["sentence"].startswith("Quality: alpha ")
    raters = {(r["batch"], r["criterion"], r["rater"]): r for r in said.tables["raters"]}
    ana = raters[singles.name, "quality", "ana"]
    assert (ana["seconds"], ana["repeats"] > 0, ana["done"]) == (4.5, True, 66)
    assert ana["severity_low"] < ana["severity"] < ana["severity_high"]
    assert raters[singles.name, "tone", "bo"]["severity"] is None


def test_each_view_of_a_metric_has_its_sentence(rated, said):
    _, singles, pairs = rated
    rows = {(r["batch"], r["view"]): r for r in said.tables["validity"]}
    assert set(rows) == {(singles.name, "answers"), (singles.name, "differences"),
                         (pairs.name, "differences")}  # fmt: skip
    one = rows[singles.name, "differences"]
    assert one["accuracy"] < 0.5 and one["n"] == 30  # more loss is worse
    assert one["sentence"].startswith("loss orders two answers to one prompt as raters do in ")
    assert "any two answers" in rows[singles.name, "answers"]["sentence"]


def test_another_run_has_none_of_it(rated):
    def never() -> AnswerValues:
        raise AssertionError("nothing is to be compared")

    found = collected(rated[0], "another", never)
    assert (found.tables, list(found.notes), found.names_errors) == ({}, [], False)
    assert RatingsFolder(rated[0]).digest_of("another") is None


def test_a_batch_that_nobody_rated_is_a_row_and_no_news(root):
    material.batch(root)
    found = collected(root)
    assert RatingsFolder(root).digest_of(RUN) is None
    assert {name: len(rows) for name, rows in found.tables.items()} == {"batches": 1, "ratings": 0}


def test_the_digest_is_that_of_all_that_was_said(root):
    _, pairs = people.rated(root)
    before = RatingsFolder(root).digest_of(RUN)
    collected(root)
    assert before == RatingsFolder(root).digest_of(RUN)
    item = pairs.assignments["ana"][0]
    late = material.event("ana", item, "preference", value="tie")
    Events(root / pairs.name, "ana").append(late)
    assert RatingsFolder(root).digest_of(RUN) not in (before, None)


@pytest.mark.parametrize("name", ["batch.json", "items.json"])
def test_a_damaged_batch_is_named_and_the_others_stand(root, name):
    singles, pairs = people.rated(root)
    path = root / singles.name / name
    path.write_bytes(path.read_bytes()[:-9])
    found = collected(root)
    assert [row["batch"] for row in found.tables["batches"]] == [pairs.name]
    (note,) = found.notes
    assert note.startswith(f"the ratings of batch {singles.name} are left out: ")
    batches, _ = RatingsFolder(root).of_run(RUN)
    assert [batch.name for batch in batches] == [pairs.name]


def test_a_damaged_line_of_a_rater_leaves_that_batch_out(root):
    singles, pairs = people.rated(root)
    path = root / singles.name / "events" / "bo.jsonl"
    path.write_bytes(b"{" + path.read_bytes())
    found = collected(root)
    assert {row["batch"] for row in found.tables["ratings"]} == {pairs.name}
    assert "this line is damaged" in found.notes[0]


def test_without_ratings_nothing_heavy_is_loaded(tmp_path):
    code = (
        "import sys; from pathlib import Path; from harness import AnnotatedRun\n"
        "from harness_rating.tables import annotated\n"
        f"annotated(AnnotatedRun('run', Path({str(tmp_path)!r}), 0.95, dict))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "harness" in loaded and not loaded & {"numpy", "scipy", "duckdb", "pyarrow"}


class Ratings(harness.Metric):
    """A metric that is made from what raters say."""

    name = "people"
    by_people = True


class Words(harness.Metric):
    """One that is not."""

    name = "words"


def test_a_metric_made_from_ratings_is_not_compared_with_them():
    history = History()
    for number in (0, 1):
        rows = {
            "mine": (Measurement("a", "mine", (1.0,), {"people": 1.0}),),
            "other": (
                Measurement("a", "other", (2.0,), {"words": 2.0, "loss": 3.0}),
                Measurement("b", "other", None, {}, "it broke"),
            ),
        }
        scores = {name: Score(name, 1.0, None, None, 1, 0, "", higher_is_better=name != "loss")
                  for name in ("people", "words", "loss")}  # fmt: skip
        history.evaluations["main", number] = Evaluation((), rows, scores, (), (), {})
    entries = [SimpleNamespace(name="mine", instance=Ratings()),
               SimpleNamespace(name="other", instance=Words())]  # fmt: skip
    found = history.answer_values(entries)
    places = (("main", 0, "a"), ("main", 1, "a"))
    assert found.scores == {"words": dict.fromkeys(places, 2.0), "loss": dict.fromkeys(places, 3.0)}
    assert found.lower_is_better == {"loss"}


# -- errors that raters named -------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    return material.batch(tmp_path_factory.mktemp("r"), versus=0, n=12, overlap=1.0, repeats=0.2)


def items(batch, number, repeats=False):
    """The items of one round, in the order of their examples."""
    found = [
        (one.example_id, name) for name, one in batch.placings.items()
        if one.rounds == (number,) and (one.repeat_of is not None) is repeats
    ]  # fmt: skip
    return [name for _, name in sorted(found)]


def chose(item, *kinds, rater="ana", at="1"):
    return Rating(rater, item, "errors", list(kinds), at)


def counts(batch, *several):
    """Round and category -> answers that have it, and those that are rated, of batches alike."""
    errors = NamedErrors()
    for ratings in several:
        errors.add(batch, ratings)
    rows = errors.rows()
    return {(row["round"], row["category"]): (row["answers"], row["rated"]) for row in rows}


def test_an_answer_counts_once_for_each_kind(named):
    first, second, *_ = items(named, 3)
    (other, *_) = items(named, 0)
    said = [
        chose(first, "wrong facts", "a; b"), chose(first, "wrong facts", rater="bo"),
        chose(second), chose(other, "a; b"),
    ]  # fmt: skip
    expected = {(0, "a; b"): (1, 1), (3, "a; b"): (1, 2), (3, "wrong facts"): (1, 2)}
    assert counts(named, said) == expected
    assert counts(named, said, said) == expected  # in another batch the same answers


@pytest.mark.parametrize(("other", "expected"), [("a; b", "a; b"), ("wrong facts", "wrong facts")])
def test_what_was_settled_counts_where_raters_differed(named, other, expected):
    (first, *_) = items(named, 3)
    said = [
        chose(first, "wrong facts"), chose(first, other, rater="bo"),
        chose(first, "a; b", rater="settled-cy", at="2"),
    ]  # fmt: skip
    assert counts(named, said) == {(3, expected): (1, 1)}


def test_hidden_repeats_are_left_out(named):
    again = items(named, 3, repeats=True) + items(named, 0, repeats=True)
    assert again and counts(named, [chose(item, "a; b") for item in again]) == {}


def test_answers_that_cannot_be_judged_are_rated(named):
    first, second, *_ = items(named, 3)
    said = [chose(first, "a; b"), Rating("ana", second, "quality", None, "1")]
    assert counts(named, said) == {(3, "a; b"): (1, 2)}


def test_a_rubric_that_does_not_ask_names_nothing(tmp_path):
    pairs = material.batch(
        tmp_path, material.rubric(material.PREFERENCE, id="pairs"), versus=0, n=4
    )
    item = pairs.items[0].id
    assert counts(pairs, [Rating("ana", item, "preference", "A", "1")]) == {}
