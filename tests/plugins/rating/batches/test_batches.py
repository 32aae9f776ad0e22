"""Batches: blind, balanced, frozen, and the same command finds the same one."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError, HarnessError, UsageError
from harness.kit.files import digest
from harness.records import Example, from_json, to_json
from harness.records.rubrics import Overall
from harness.stats import detectable
from harness_rating.batches import assignment
from harness_rating.batches.records import Batch
from harness_rating.batches.sampling import Candidate, SampleSpec, draw
from harness_rating.commands import create as rate
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.progress import expectation
from tests.plugins.rating import material
from tests.plugins.rating.material import batch, candidates, order, rubric
from tests.support.hostile_texts import TEXTS as HOSTILE_TEXTS

MATERIAL = Path(material.__file__)
ROOT = Path(__file__).parents[4]
TO_ALL = material.PREFERENCE


def pair_rubric():
    return rubric(TO_ALL, id="pairs")


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("pairs", [False, True])
def test_nothing_that_raters_see_tells_where_an_answer_came_from(tmp_path, pairs):
    made = batch(tmp_path, pair_rubric() if pairs else rubric(), versus=0, repeats=0.2)
    text = (tmp_path / made.name / "items.json").read_text()
    secrets = ["secret", "row-", "group-", "round", "judging", "score", "0.35", "repeat", "main"]
    assert [word for word in secrets if word in text] == []
    assert "old answer" in text and "new answer" in text  # it is the right file
    shown = json.loads(text)
    fields = {"id", "messages", "answers", "references", "meta"}
    assert all(item.keys() == fields for item in shown["items"])
    turns = {tuple(turn) for item in shown["items"] for turn in item["messages"]}
    assert turns == {("role", "content")}
    assert [item["id"] for item in shown["items"]] == sorted(item["id"] for item in shown["items"])


def test_the_rubric_decides_what_is_shown(tmp_path):
    show = type(rubric().show)
    all_shown = batch(tmp_path, rubric(id="all", show=show("always", True, ("topic", "hidden"))))
    none = batch(tmp_path, rubric(id="none", show=show("never", "never", ())))
    assert {len(item.messages) for item in all_shown.items} == {2}
    assert {tuple(item.meta) for item in all_shown.items} == {("topic", "hidden")}
    assert {(len(i.messages), len(i.meta), i.references) for i in none.items} == {(1, 0, ())}


def test_the_same_command_finds_the_batch_and_another_makes_another(tmp_path):
    first = batch(tmp_path)
    before = files(tmp_path)
    assert batch(tmp_path) == first
    assert files(tmp_path) == before
    others = [
        batch(tmp_path, **changed).name
        for changed in ({"seed": 1}, {"n": 21}, {"raters": ("ana", "cy")}, {"versus": 0},
                        {"repeats": 0.3}, {"overlap": 0.5}, {"strategy": "stratified"})
    ]  # fmt: skip
    assert len({first.name, *others}) == 8
    assert set(RatingsFolder(tmp_path).names()) == {first.name, *others}


def test_rows_in_another_order_give_the_same_batch(tmp_path):
    made = batch(tmp_path)
    assert RatingsFolder(tmp_path).create(order(), candidates()[::-1]) == made


def test_two_that_make_it_at_the_same_time_get_one(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(batch(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len({one.name for one in found}) == 1
    assert [p.name for p in tmp_path.iterdir()] == [found[0].name]


@given(
    st.integers(1, 60),
    st.integers(1, 6),
    st.floats(0, 1),
    st.integers(2, 4),
    st.text("ab", max_size=3),
)
def test_the_work_is_shared_evenly(units, people, overlap, several, secret):
    raters = [f"r{n}" for n in range(people)]
    found = assignment.raters_of(units, raters, overlap, several, secret)
    load = Counter(rater for unit in found for rater in unit)
    assert max(load.values()) - min(load[rater] for rater in raters) <= 1
    expected = int(overlap * units + 0.5) if people > 1 else 0
    assert sum(len(unit) > 1 for unit in found) == expected
    assert {len(unit) for unit in found} <= {1, min(several, people)}
    assert all(unit == tuple(dict.fromkeys(unit)) for unit in found)


def test_overlap_and_repeats_are_what_was_asked_for(tmp_path):
    made = batch(tmp_path, n=40, overlap=0.25, repeats=0.2, raters=("ana", "bo", "cy"))
    originals = [one for one, place in made.placings.items() if place.repeat_of is None]
    raters_of = Counter(i for shown in made.assignments.values() for i in shown)
    assert len(originals) == 40
    assert sum(raters_of[item] == 2 for item in originals) == 10
    assert set(raters_of.values()) == {1, 2}
    items = {item.id: item for item in made.items}
    for shown in made.assignments.values():
        copies = [item for item in shown if made.placings[item].repeat_of is not None]
        own = len(shown) - len(copies)
        assert len(copies) == round(0.2 * own)
        for copy in copies:
            original = made.placings[copy].repeat_of
            assert shown.index(copy) - shown.index(original) >= own // 4
            assert items[copy].answers == items[original].answers
            assert raters_of[copy] == 1


def test_sides_are_balanced_over_all_and_for_each_rater(tmp_path):
    made = batch(tmp_path, pair_rubric(), versus=0, n=40, overlap=0.3, repeats=0)
    places = made.placings
    assert Counter(place.rounds for place in places.values()) == {(3, 0): 20, (0, 3): 20}
    for shown in made.assignments.values():
        first = Counter(places[item].rounds[0] for item in shown)
        assert abs(first[0] - first[3]) <= 2
    for item in made.items:
        number = places[item.id].example_id.removeprefix("row-")
        words = {0: f"old answer {number}", 3: f"new answer {number}"}
        assert item.answers == tuple(words[k] for k in places[item.id].rounds)


@pytest.mark.parametrize(
    ("raters", "pairs", "overlap", "several"),
    [(1, 61, 0.0, 2), (2, 60, 0.3, 2), (5, 60, 0.3, 2), (10, 60, 0.3, 2), (10, 60, 1.0, 2),
     (10, 60, 0.3, 3), (7, 35, 1.0, 3), (4, 7, 1.0, 2), (6, 30, 1.0, 6)],
)  # fmt: skip
def test_each_rater_sees_each_side_about_as_often(raters, pairs, overlap, several):
    names = [f"r{n}" for n in range(raters)]
    for seed in range(12):
        secret = digest(["secret", seed])
        assigned = assignment.raters_of(pairs, names, overlap, several, secret)
        swapped = assignment.sides(assigned, secret)
        assert swapped == assignment.sides(assigned, secret)
        for name in names:
            own = [turned for turned, who in zip(swapped, assigned, strict=True) if name in who]
            assert abs(2 * sum(own) - len(own)) <= 2, (seed, name)
        assert abs(2 * sum(swapped) - pairs) <= 6
    firsts = {assignment.sides([("a",)], digest(["secret", seed]))[0] for seed in range(20)}
    assert firsts == {True, False}


def test_names_are_refused_for_the_reserved_beginning_only():
    order(raters=("settledown", "settled", "unsettled-bo")).check()
    with pytest.raises(UsageError) as caught:
        order(raters=("ana", "settled-bo")).check()
    assert "settled-" in str(caught.value.hint)
    order(several=3, overlap=0).check()


def test_two_rounds_are_rated_in_one_batch_by_the_same_people(tmp_path):
    made = batch(tmp_path, versus=0, n=30, repeats=0)
    assert len(made.items) == 60
    for shown in made.assignments.values():
        seen = Counter(made.placings[item].example_id for item in shown)
        assert set(seen.values()) == {2}
        rounds = [made.placings[item].rounds for item in shown]
        assert sum(a != b for a, b in itertools.pairwise(rounds)) / len(rounds) > 0.3


def chosen(tmp_path, **changed):
    made = batch(tmp_path, repeats=0, **changed)
    return made, sorted(int(p.example_id[4:]) for p in made.placings.values())


def test_what_each_strategy_draws(tmp_path):
    made, rows = chosen(tmp_path, strategy="worst", n=9)
    assert rows == [0, 1, 2, 3, 4, 5, 6, 8, 9] and not made.verdicts  # 7 is not scored
    made, rows = chosen(tmp_path, strategy="disagreement", n=3)
    assert rows == [0, 10, 30] and not made.verdicts
    made, rows = chosen(tmp_path, strategy="changed", versus=0, n=8)
    assert set(rows) == {0, 5, 10, 15, 20, 25, 30, 35} and not made.verdicts
    made, rows = chosen(tmp_path, strategy="stratified", by="topic", n=12)
    assert Counter(n % 3 for n in rows) == {0: 4, 1: 4, 2: 4} and made.verdicts
    made, rows = chosen(tmp_path, strategy="random", n=40)
    assert rows == list(range(40)) and made.verdicts


def test_strata_by_group_take_from_as_many_groups_as_they_can(tmp_path):
    made = RatingsFolder(tmp_path).create(order(n=8, strategy="stratified"), candidates(40, 8))
    assert len({place.group for place in made.placings.values()}) == 8


def test_rows_of_small_strata_have_the_chance_of_all_others():
    """50 groups of one row and 50 of three: a fourth of what is drawn is due to the small ones."""
    rows = [Candidate(Example(f"s{n}", (), (), "dev", f"s{n}"), {}) for n in range(50)]
    rows += [Candidate(Example(f"l{n}", (), (), "dev", f"l{n % 50}"), {}) for n in range(150)]
    drawn = Counter(
        one.example.id[0]
        for seed in range(100)
        for one in draw(rows, SampleSpec("stratified", 40, seed, "group"))
    )
    assert drawn["s"] + drawn["l"] == 4000
    assert 900 < drawn["s"] < 1100


WRONG = {
    "unknown strategy": ({"strategy": "wrost"}, UsageError, "did you mean 'worst'"),
    "larger than the data": ({"n": 41}, DataError, "41 examples are wanted, and 40 were answered"),
    "fewer changed": ({"strategy": "changed", "versus": 0}, DataError, "and 8 went from right"),
    "no examples": ({"n": 0}, UsageError, "-n takes a number"),
    "unknown field": ({"strategy": "stratified", "by": "topik"}, UsageError, "mean 'topic'"),
    "strata of nothing": ({"by": "topic"}, UsageError, "--by names the strata"),
    "no rater": ({"raters": ()}, UsageError, "--raters takes one name or more"),
    "doubled rater": ({"raters": ("ana", "ana")}, UsageError, "each once"),
    "a path as a rater": ({"raters": ("../ana",)}, UsageError, "cannot be a name"),
    "a hidden rater": ({"raters": ("ana\x1b[0m",)}, UsageError, r"'ana\\x1b\[0m' cannot be"),
    "a reserved rater": ({"raters": ("settled-ana",)}, UsageError, "cannot be a rater's name"),
    "too few raters": ({"several": 3}, UsageError, "--several 3 needs as many raters, and there"),
    "overlap of one": ({"raters": ("ana",), "overlap": 0.3}, UsageError, "needs two raters"),
    "overlap above 1": ({"overlap": 1.5}, UsageError, "--overlap takes a share"),
    "against itself": ({"versus": 3}, UsageError, "cannot be compared with itself"),
    "changed since when": ({"strategy": "changed"}, UsageError, "between two rounds"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_orders_are_refused_in_one_sentence_and_nothing_is_written(tmp_path, case):
    changed, kind, words = WRONG[case]
    with pytest.raises(kind, match=words):
        batch(tmp_path, **changed)
    assert list(tmp_path.iterdir()) == []


def test_a_rubric_that_compares_needs_two_rounds(tmp_path):
    with pytest.raises(UsageError, match="compares two answers"):
        batch(tmp_path, pair_rubric())


def test_a_shown_field_must_exist_and_must_not_tell_the_example(tmp_path):
    show = type(rubric().show)
    with pytest.raises(UsageError, match=r"shows the field 'topc'.*mean 'topic'"):
        batch(tmp_path, rubric(show=show("always", False, ("topc",))))
    rows = candidates()
    for row in rows:
        row.example.meta["key"] = row.example.id
    with pytest.raises(UsageError, match="'key', which holds the examples' ids"):
        RatingsFolder(tmp_path).create(order(rubric(show=show("always", False, ("key",)))), rows)


def test_another_wording_needs_another_version(tmp_path):
    made = batch(tmp_path)
    changed = {"instructions": "Read twice.", "digest": "another"}
    with pytest.raises(
        UsageError, match=f"batch {made.name}: the wording of rubric small"
    ) as refusal:
        batch(tmp_path, rubric(**changed), n=5)
    assert "raise it to version: 2" in str(refusal.value)
    assert RatingsFolder(tmp_path).names() == [made.name]
    assert batch(tmp_path, rubric(**changed, version=2), n=5).rubric.version == 2


def test_another_weight_key_or_bar_needs_no_other_version(tmp_path):
    first = rubric()
    made = batch(tmp_path, first)
    quality = dataclasses.replace(
        first.criteria[0], weight=3.0, fail_below=2, keys=tuple("qwert"), use_as=None
    )
    again = rubric(
        (quality, *first.criteria[1:]), judge={"bar": 0.7}, digest="another", overall=Overall()
    )
    other = batch(tmp_path, again)
    assert other.rubric.criteria[0].weight == 3.0
    assert RatingsFolder(tmp_path).batch(made.name).rubric == first  # frozen, as it was made
    assert set(RatingsFolder(tmp_path).names()) == {made.name, other.name}


def test_a_damaged_batch_does_not_keep_others_from_being_made(tmp_path):
    damaged = batch(tmp_path).name
    for text in ("", "[]", '{"rubric": 5}', '{"rubric": {"id": "small", "criteria": 3}}'):
        (tmp_path / damaged / "batch.json").write_text(text)
        made = batch(tmp_path, n=5)
        assert made.name in RatingsFolder(tmp_path).names()
        shutil.rmtree(tmp_path / made.name)


OURS = "harness_rating"
IMPORTS = {
    "records first": f"{OURS}.batches.records, harness.records",
    "rubric first": f"{OURS}.rubric.scoring, {OURS}.batches.records, harness.records",
    "the core first": f"harness.records, {OURS}.batches.records",
    "batches first": f"{OURS}.batches.storage, {OURS}.batches.records, harness.records",
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("order_of", IMPORTS)
def test_a_batch_comes_back_from_json_whatever_was_imported_first(tmp_path, order_of):
    made = batch(tmp_path)
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(to_json(made)))
    program = f"""
        import {IMPORTS[order_of]}
        import json, sys
        plain = json.load(open(sys.argv[1]))
        made = harness.records.from_json(harness_rating.batches.records.Batch, plain)
        assert harness.records.to_json(made) == plain
        assert type(made.rubric.criteria[0].scale).__name__ == "Scale"
        assert type(made.items[0]).__name__ == "Item"
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert from_json(Batch, to_json(made)) == made


@pytest.mark.parametrize("name", ["batch.json", "items.json"])
@pytest.mark.parametrize("edit", ["change", "cut", "empty", "gone"])
def test_a_batch_is_frozen(tmp_path, name, edit):
    made = batch(tmp_path)
    path = tmp_path / made.name / name
    text = path.read_text()
    if edit == "gone":
        path.unlink()
    else:
        new = {"change": text.replace("new answer 1", "new answer 9").replace("ana", "amy"),
               "cut": text[: len(text) // 2], "empty": ""}[edit]  # fmt: skip
        path.write_text(new)
    with pytest.raises(HarnessError) as caught:
        RatingsFolder(tmp_path).batch(made.name)
    gone = edit == "gone" and name == "batch.json"
    assert ("there is no batch" if gone else "batches are frozen") in str(caught.value)
    before = files(tmp_path)
    with pytest.raises(DataError, match="batches are frozen"):
        batch(tmp_path)  # the same order does not make it anew over what raters said
    assert files(tmp_path) == before


def test_a_batch_whose_conditions_are_text_is_refused_by_name(tmp_path):
    """An older version wrote them so; a new batch by the rubric as it is now can be made."""
    made = batch(tmp_path)
    path = tmp_path / made.name / "batch.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    (asked,) = [criterion for criterion in document["rubric"]["criteria"] if criterion["ask_if"]]
    asked["ask_if"] = "polite = no"
    del document["seal"]
    path.write_text(json.dumps({**document, "seal": digest(document)}), encoding="utf-8")
    with pytest.raises(DataError, match="has conditions as text") as caught:
        RatingsFolder(tmp_path).batch(made.name)
    assert (caught.value.where, caught.value.exit_code) == (made.name, 4)
    assert "harness rate create" in str(caught.value.hint)
    assert batch(tmp_path, n=21).name != made.name


def test_a_kill_in_the_middle_leaves_no_half_batch(tmp_path):
    program = f"""
        import os, runpy, sys
        import harness_rating.batches.storage as batches
        batches.sync_tree = lambda folder: os.kill(os.getpid(), 9)
        runpy.run_path({str(MATERIAL)!r})["batch"](__import__("pathlib").Path(sys.argv[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT).returncode == -9
    assert any(tmp_path.iterdir()) and RatingsFolder(tmp_path).names() == []
    made = batch(tmp_path)
    assert RatingsFolder(tmp_path).names() == [made.name]


def test_hostile_texts_are_kept_to_the_letter(tmp_path):
    texts = [text[:5_000] for text in HOSTILE_TEXTS]
    rows = [
        dataclasses.replace(
            one,
            example=dataclasses.replace(
                one.example,
                messages=({"role": "user", "content": text},),
                references=(text,),
                meta={"topic": text},
            ),
            answers={3: text},
        )
        for one, text in zip(candidates(len(texts), len(texts)), texts, strict=True)
    ]
    made = RatingsFolder(tmp_path).create(order(n=len(rows), repeats=0), rows)
    assert sorted(item.answers[0] for item in made.items) == sorted(texts)
    for item in made.items:
        text = item.answers[0]
        assert item.messages[0]["content"] == item.references[0] == item.meta["topic"] == text
    assert [path.name for path in tmp_path.iterdir()] == [made.name]


def test_an_unknown_batch_is_named_with_the_near_one(tmp_path):
    made = batch(tmp_path)
    with pytest.raises(UsageError, match=f"did you mean '{made.name}'"):
        RatingsFolder(tmp_path).batch(made.name[:-1])
    with pytest.raises(UsageError, match="there is no batch"):
        RatingsFolder(tmp_path).batch("../" + made.name)


def test_what_so_many_ratings_can_show_is_said_before(tmp_path):
    said = " ".join(expectation(batch(tmp_path, n=30, versus=0)))
    assert f"difference of {detectable(0.25 / 30**0.5, 0.95, 30):.2f} or more" in said
    assert "another one rated" not in said
    assert "another one rated" in " ".join(expectation(batch(tmp_path, n=30)))
    pairs = " ".join(expectation(batch(tmp_path, pair_rubric(), n=40, versus=0)))
    assert f"wins that is {detectable(0.5 / 40**0.5, 0.95, 40):.2f}" in pairs
    assert "verdict will not be possible" in " ".join(expectation(batch(tmp_path, n=10)))
    assert "no verdict" in " ".join(expectation(batch(tmp_path, n=30, strategy="worst")))
    assert "9 items are rated by several raters" in " ".join(expectation(batch(tmp_path, n=30)))
    alone = " ".join(expectation(batch(tmp_path, n=30, raters=("ana",), repeats=0.1)))
    assert "no agreement can be computed; 3 come a second time." in alone


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A copy of a run that has ended, and its name."""
    project, result = finished
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.folder, folder)
    return folder, result.document["run"]


@pytest.fixture
def there(run, monkeypatch):
    folder, name = run
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / ".harness" / "ratings", ignore_errors=True)
    return name


def test_a_batch_of_a_real_run_is_blind_too(there, capsys):
    wanted = rate.CreateRequest(
        str(ROOT / "rubrics" / "everyday.yaml"), "ana,bo", there, 3, 0, n=24
    )
    made = rate.make(wanted)
    text = Path(".harness/ratings", made.name, "items.json").read_text()
    ids = [f"dev-{number}" for number in range(48)]
    assert [word for word in [there, "fake", "round", "overlap", *ids] if word in text] == []
    assert len(made.items) >= 48
    out = capsys.readouterr().out
    assert "24 examples from" in out and f"next: harness rate serve {made.name}" in out
    assert rate.make(wanted) == made
    assert "exists already" in capsys.readouterr().out


def test_the_scores_of_the_run_guide_the_strategies(there):
    everyday = str(ROOT / "rubrics" / "everyday.yaml")
    worst = rate.make(rate.CreateRequest(everyday, "ana", there, 3, n=5, strategy="worst"))
    rows = json.loads(Path(f"reports/{there}/analysis.json").read_text())
    assert rows and not worst.verdicts
    from harness.database.writing import query

    sql = (
        "SELECT value FROM example_scores WHERE round = 3 AND split = 'dev' AND name = 'overlap' "
        "AND id {} IN ('" + "','".join({p.example_id for p in worst.placings.values()}) + "')"
    )
    database = Path(f"reports/{there}/run.duckdb")
    inside = [value for (value,) in query(database, sql.format("")).rows]
    outside = [value for (value,) in query(database, sql.format("NOT")).rows]
    assert len(inside) == 5 and len(outside) == 43 and max(inside) <= min(outside)


COMMANDS = {
    "unknown round": ({"round": 9}, "has no round 9", 2),
    "unknown run": ({"run": "harnes"}, "no run is called", 2),
    "test": ({"split": "test"}, "the test set is sealed", 2),
    "misspelt split": ({"split": "dv"}, "did you mean 'dev'", 2),
    "one metric": ({"strategy": "disagreement"}, "where there are two", 2),
    "larger than the data": ({"n": 49}, "49 examples are wanted", 4),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMANDS)
def test_what_a_run_cannot_give_is_said(there, case):
    changed, words, code = COMMANDS[case]
    fields = {"run": there, "round": 3, "n": 5, **changed}
    with pytest.raises(HarnessError) as caught:
        rate.make(rate.CreateRequest(str(ROOT / "rubrics" / "everyday.yaml"), "ana,bo", **fields))
    assert words in str(caught.value) and caught.value.exit_code == code
    assert not os.path.exists(".harness/ratings")


def test_what_raters_may_not_learn_is_not_for_everybody(tmp_path):
    made = batch(tmp_path)
    assert (tmp_path / made.name / "batch.json").stat().st_mode & 0o777 == 0o600
