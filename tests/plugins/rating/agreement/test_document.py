"""The agreement document of a batch: what each criterion and each rater comes to, in words."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from scipy import stats as reference

from harness.errors import DataError
from harness.records.rubrics import Criterion, Item, Overall, Rubric, Scale, Show
from harness_rating.agreement.alpha import alpha
from harness_rating.agreement.document import agreement_of, distribution
from harness_rating.agreement.grid import grid
from harness_rating.agreement.raters import consistency, quartiles, severity
from harness_rating.batches.records import Batch, Placing, Rating

HOSTILE = ["\x1b[31mred\x1b[0m", "<script>alert(1)</script>", "=1+1", "a\u202eb\nc", "[/bold]"]
AT = "2026-11-25T15:30:00.000Z"


def criterion(name: str, kind: str, **more) -> Criterion:
    scale = {"kind": kind, **({"least": 1, "most": 5} if kind in ("ordinal", "number") else {})}
    scale |= more
    return Criterion(name, name.capitalize(), f"How is {name}?", Scale(**scale), allow_na=True)


def batch(criteria, raters=("ana", "bo", "cy"), items=6, repeats=0, groups=None) -> Batch:
    """A batch in which everybody rates everything; the first items come again as repeats."""
    rubric = Rubric("r", 1, "R", "en", "", Show(), tuple(criteria), Overall(), None, "d")
    names = [f"i{n:04}" for n in range(items)]
    placings = {
        name: Placing(name, f"e{n}", rounds=(1,), group=groups[n] if groups else f"g{n}")
        for n, name in enumerate(names)
    }
    for name in names[:repeats]:
        again = f"{name}-again"
        placings[again] = Placing(again, placings[name].example_id, rounds=(1,), repeat_of=name)
    shown = tuple(Item(name, (), ("an answer",)) for name in placings)
    every = {rater: tuple(placings) for rater in raters}
    return Batch(
        "r-1", "run", rubric, "random", 1, tuple(raters), every, shown, placings, "2026", True
    )


def rated(table, name="accuracy", raters=("ana", "bo", "cy"), suffix=""):
    """Ratings of a table (items, raters); None gives no rating, "NA" is *cannot judge*."""
    return [
        Rating(rater, f"i{n:04}{suffix}", name, None if value == "NA" else value, AT)
        for n, line in enumerate(table)
        for rater, value in zip(raters, line, strict=False)
        if value is not None
    ]


TABLE = [[5, 5, 4], [4, 4, 3], [2, 3, 1], [1, 1, 1], [3, 4, 3], [5, 5, 4]]


def test_a_document_of_one_criterion():
    ours = batch([criterion("accuracy", "ordinal")])
    document = agreement_of(ours, rated(TABLE), seed=1)
    json.dumps(document, allow_nan=False)
    (found,) = document["criteria"]
    assert document["schema"] == "harness.agreement/1"
    assert (document["items"], document["ratings"]) == (6, 18)
    assert found["alpha"]["value"] == pytest.approx(alpha(TABLE, "ordinal"))
    assert found["alpha"]["low"] < found["alpha"]["value"] < found["alpha"]["high"]
    assert found["kappa"]["weights"] == "quadratic"
    assert [pair["raters"] for pair in found["kappa"]["pairs"]] == [
        ["ana", "bo"], ["ana", "cy"], ["bo", "cy"],
    ]  # fmt: skip
    assert found["raw"]["value"] == pytest.approx(7 / 18)
    assert found["distribution"][0] == {"value": 4, "ratings": 5, "share": 5 / 18}
    assert document["overall"]["alpha"]["value"] == pytest.approx(alpha(TABLE, "interval"))
    assert any("only 6 groups" in line for line in document["sentences"])


@pytest.mark.parametrize(
    ("kind", "more", "values", "expected"),
    [
        ("binary", {}, [True, False], "nominal"),
        ("choice", {"choices": ("x", "y")}, ["x", "y"], "nominal"),
        ("choices", {"choices": ("x", "y")}, [("x", "y"), ("y",)], "sets"),
        ("ordinal", {}, [2, 4], "ordinal"),
        ("pairwise", {}, ["A", "B"], "ordinal"),
        ("number", {}, [1.5, 4.25], "interval"),
    ],
)
def test_each_scale_has_its_alpha(kind, more, values, expected):
    table = [[values[0], values[0]], [values[1], values[1]], [values[0], values[1]]] * 20
    ours = batch([criterion("it", kind, **more)], ("ana", "bo"), 60)
    (found,) = agreement_of(ours, rated(table, "it"), seed=1)["criteria"]
    assert found["kind"] == expected
    assert 0 < found["alpha"]["low"] < found["alpha"]["value"] < 1
    assert (found["kappa"]["mean"]["value"] is not None) and found["sentences"]


def test_typed_text_has_no_agreement():
    ours = batch([criterion("better", "text")])
    document = agreement_of(ours, rated([["a", "b"]], "better"), seed=1)
    assert document["criteria"] == []


def test_choices_also_stand_one_by_one():
    ours = batch([criterion("faults", "choices", choices=("facts", "tone"))], ("ana", "bo"), 4)
    table = [[("facts",), ("facts", "tone")], [(), ("tone",)], [("facts",), ("facts",)], [(), ()]]
    (found,) = agreement_of(ours, rated(table, "faults"), seed=1)["criteria"]
    facts, tone = found["choices"]
    assert (facts["choice"], facts["times"], facts["value"]) == ("facts", 4, 1)
    assert (tone["choice"], tone["times"]) == ("tone", 2)
    assert tone["value"] == pytest.approx(alpha([[0, 1], [0, 1], [0, 0], [0, 0]], "nominal"))
    assert {one["value"]: one["ratings"] for one in found["distribution"]} == {
        "facts": 4, "tone": 2,
    }  # fmt: skip


def test_cannot_judge_is_counted_and_otherwise_missing():
    table = [[5, "NA", 4], ["NA", "NA", 3], *TABLE[2:]]
    (found,) = agreement_of(batch([criterion("accuracy", "ordinal")]), rated(table))["criteria"]
    gaps = [[None if v == "NA" else v for v in line] for line in table]
    assert found["alpha"]["value"] == pytest.approx(alpha(gaps, "ordinal"))
    assert {"value": None, "ratings": 3, "share": 3 / 18} in found["distribution"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([], "there are no ratings"),
        ([[5], [4]], "there is only one rater"),
        ([[5, None], [None, 4]], "no item has two ratings"),
        ([[5, 5, 5]] * 6, "everyone chose 5"),
    ],
)
def test_what_cannot_be_computed_is_said(table, words):
    document = agreement_of(batch([criterion("accuracy", "ordinal")]), rated(table), seed=1)
    (found,) = document["criteria"]
    assert found["alpha"] | {"n": 0, "groups": 0} == {
        "value": None, "low": None, "high": None, "n": 0, "groups": 0, "why": words,
    }  # fmt: skip
    assert f"Accuracy: agreement cannot be computed, because {words}." in document["sentences"]
    json.dumps(document, allow_nan=False)


def test_all_but_one_value_alike_is_explained():
    table = [[5, 5]] * 95 + [[5, 4], [4, 5]] * 2 + [[4, 4]]
    ours = batch([criterion("accuracy", "ordinal")], ("ana", "bo"), 100)
    document = agreement_of(ours, rated(table), seed=1)
    assert document["criteria"][0]["raw"]["value"] == pytest.approx(0.96)
    assert document["criteria"][0]["alpha"]["value"] < 0.4
    assert any("nearly all values are alike" in line for line in document["sentences"])


def test_strangers_and_settled_values_do_not_count():
    ours = batch([criterion("accuracy", "ordinal")])
    more = [
        Rating("settled-lead", "i0000", "accuracy", 1, AT),
        Rating("ana", "no such item", "accuracy", 1, AT),
        Rating("ana", "i0000", "@flag", True, AT),
    ]
    assert agreement_of(ours, rated(TABLE) + more) == agreement_of(ours, rated(TABLE))


def test_a_value_from_an_edited_file_is_one_message():
    ours = batch([criterion("accuracy", "ordinal")])
    with pytest.raises(DataError) as failure:
        agreement_of(ours, [*rated(TABLE), Rating("bo", "i0002", "accuracy", "5\x1b[2J", AT)])
    text = str(failure.value)
    assert text.startswith("batch r-1, rater bo, item i0002: criterion accuracy takes")
    assert "\x1b" not in text


def test_order_of_ratings_and_raters_does_not_matter():
    ours = batch([criterion("accuracy", "ordinal")])
    agreement = agreement_of(ours, rated(TABLE), seed=1)
    assert agreement_of(ours, rated(TABLE)[::-1], seed=1) == agreement


def test_hostile_names_are_harmless_in_sentences():
    ours = batch([criterion("fault", "choice", choices=tuple(HOSTILE))], ("ana", "bo"), 10)
    table = [[HOSTILE[i % 5], HOSTILE[i % 5]] for i in range(9)] + [[HOSTILE[0], HOSTILE[1]]]
    document = agreement_of(ours, rated(table, "fault"), seed=1)
    (found,) = document["criteria"]
    assert {one["value"] for one in found["distribution"]} == set(HOSTILE)
    same = agreement_of(ours, rated([[HOSTILE[3]] * 2] * 10, "fault"), seed=1)
    assert 'because everyone chose "ab c".' in same["sentences"][0]
    for line in document["sentences"] + same["sentences"]:
        assert line.isprintable()


# -- each rater ---------------------------------------------------------------------------------


def test_severity_is_the_distance_to_the_others_on_the_same_items():
    rng = np.random.default_rng(5)
    truth = rng.integers(2, 5, 200)
    table = [[t, t + int(rng.random() < 0.5), t - 1] for t in truth.tolist()]
    ours = batch([criterion("accuracy", "ordinal")], items=200)
    document = agreement_of(ours, rated(table), seed=1)
    ana, bo, cy = document["criteria"][0]["severity"]
    assert [one["rater"] for one in (ana, bo, cy)] == ["ana", "bo", "cy"]
    apart = np.array([b - (a + c) / 2 for a, b, c in table])
    assert bo["value"] == pytest.approx(apart.mean())
    low, high = reference.t.interval(0.95, 199, apart.mean(), reference.sem(apart))
    assert (bo["low"], bo["high"]) == pytest.approx((low, high), abs=0.02)
    assert cy["value"] == pytest.approx(-1 - (np.array(table)[:, 1] - truth).mean() / 2)
    assert sum("cy scores" in line and "points lower" in line for line in document["sentences"])


def test_severity_of_two_raters_is_their_whole_difference():
    figures = severity(grid([[1, 2], [2, 3], [4, 4]]), seed=None)
    assert figures[0].value == pytest.approx(-2 / 3)
    assert figures[1].value == pytest.approx(2 / 3)


def test_raters_who_do_not_differ_are_not_called_strict():
    rng = np.random.default_rng(2)
    table = rng.integers(1, 6, (40, 3)).tolist()
    ours = batch([criterion("accuracy", "ordinal")], items=40)
    assert not any("points" in line for line in agreement_of(ours, rated(table))["sentences"])


def test_hidden_repeats_show_self_consistency_and_count_in_nothing_else():
    ours = batch([criterion("accuracy", "ordinal")], repeats=4)
    again = rated([[5, 5], [4, 3], [2, 1], [1, None]], suffix="-again")
    plain, more = agreement_of(ours, rated(TABLE)), agreement_of(ours, rated(TABLE) + again)
    assert more["criteria"][0]["alpha"] == plain["criteria"][0]["alpha"]
    assert more["items"] == 6
    ana, bo = more["criteria"][0]["consistency"]
    assert (ana["rater"], ana["repeats"], ana["same"], ana["moved"]) == ("ana", 4, 1.0, 0.0)
    assert (bo["rater"], bo["repeats"], bo["same"], bo["moved"]) == ("bo", 3, 1 / 3, 1.0)
    assert ana["low"] < 0.6
    assert any(
        "ana gave 100 %" in line and "4 hidden repeats" in line for line in more["sentences"]
    )


def test_a_repeat_with_its_sides_swapped_is_turned_back():
    ours = batch([criterion("better", "pairwise")], ("ana",), items=2, repeats=2)
    placings = dict(ours.placings)
    for name in placings:
        sides = (2, 1) if name == "i0000-again" else (1, 2)
        old = placings[name]
        placings[name] = Placing(name, old.example_id, rounds=sides, repeat_of=old.repeat_of)
    turned = Batch(**{f: getattr(ours, f) for f in Batch.__slots__} | {"placings": placings})
    given = rated([["A"], ["A"]], "better") + rated([["B"], ["B"]], "better", suffix="-again")
    (consistency,) = agreement_of(turned, given)["criteria"][0]["consistency"]
    assert (consistency["repeats"], consistency["same"], consistency["moved"]) == (2, 0.5, 0.5)


@pytest.mark.parametrize(("share", "said"), [(0.8, True), (0.5, False)])
def test_raters_who_judge_by_the_place_are_found(share, said):
    rng = np.random.default_rng(3)
    table = [[["B", "A"][int(rng.random() < share)], "tie"] for _ in range(100)]
    ours = batch([criterion("better", "pairwise")], ("ana", "bo"), items=100)
    document = agreement_of(ours, rated(table, "better"), seed=1)
    first = document["criteria"][0]["first_shown"]
    assert first["value"] == sum(line[0] == "A" for line in table) / 100
    assert first["n"] == 100
    assert any("shown first" in line for line in document["sentences"]) is said


def test_the_share_of_repeats_that_are_the_same_has_the_interval_of_a_share():
    found = consistency([("a", "a")] * 40 + [("a", "b")] * 60)
    expected = reference.binomtest(40, 100).proportion_ci(method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert consistency([])["same"] is consistency([])["low"] is None


def test_times_are_quartiles():
    seconds = {("ana", "i0"): 10.0, ("ana", "i1"): 20.0, ("bo", "i0"): 40.0, ("bo", "i1"): 30.0}
    ours = batch([criterion("accuracy", "ordinal")])
    agreement = agreement_of(ours, [], seconds={**seconds, ("stranger", "i0"): 999.0})
    quarter, half, three = np.quantile([10, 20, 30, 40], [0.25, 0.5, 0.75])
    expected = {"items": 4, "lower": quarter, "median": half, "upper": three}
    assert {k: v for k, v in agreement["time"].items() if k != "raters"} == expected
    assert [rater["median"] for rater in agreement["time"]["raters"]] == [15, 35]
    assert "An item takes 25 s; half of them take 18 to 32 s." in agreement["sentences"]
    quick = agreement_of(ours, [], seconds={("ana", "i0"): 0.8, ("bo", "i0"): 1.3})
    assert "An item takes 1 s." in quick["sentences"]
    assert quartiles([]) == {"items": 0, "lower": None, "median": None, "upper": None}
    assert quartiles([7.0])["median"] == 7


def test_distribution_is_ordered_and_counts_each_choice_once():
    assert distribution([("a", "a", "b"), ("b",), ()]) == [
        {"value": "b", "ratings": 2, "share": 2 / 3},
        {"value": "a", "ratings": 1, "share": 1 / 3},
    ]


# -- speed --------------------------------------------------------------------------------------


@pytest.mark.nightly
def test_twenty_thousand_ratings_with_intervals_take_under_five_seconds():
    rng = np.random.default_rng(1)
    names = [f"c{i}" for i in range(5)]
    raters = tuple(f"rater-{i:02}" for i in range(20))
    ours = batch([criterion(name, "ordinal") for name in names], raters, items=2000)
    ratings = []
    for n in range(2000):
        for who in rng.choice(20, 2, replace=False).tolist():
            for name in names:
                value = int(np.clip(n % 5 + rng.integers(0, 3), 1, 5))
                ratings.append(Rating(raters[who], f"i{n:04}", name, value, AT))
    assert len(ratings) == 20_000
    start = time.process_time()
    document = agreement_of(ours, ratings, seed=1)
    spent = time.process_time() - start
    assert all(one["alpha"]["low"] is not None for one in document["criteria"])
    assert spent < 5
