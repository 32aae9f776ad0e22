"""Judgements: what samples come to, and how they are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError, UsageError
from harness.records.rubrics import Criterion, Item, Judgement, Overall, Rubric, Scale, Show
from harness_rating.judge.judgements import (
    Judgements,
    judges,
    overall,
    score,
    settings,
    settle,
    unjudged,
    with_conditions,
)
from harness_rating.rubric.scales import check

LEVELS = Criterion("right", "R", "?", Scale("ordinal", 1, 5), weight=3, allow_na=True)
POLITE = Criterion(
    "polite", "P", "?", Scale("binary"), fail_below=1, ask_if={"right": {"above": 1}}
)
SIDE = Criterion("side", "S", "?", Scale("pairwise"))
SOME = Criterion("some", "S", "?", Scale("choices", choices=("a", "b", "c")))
ONE_OF = Criterion("one", "O", "?", Scale("choice", choices=("a", "b")))
WARM = Criterion("warm", "W", "?", Scale("number", -10, 10))


def rubric(*criteria: Criterion, judge=None) -> Rubric:
    return Rubric("r", 1, "R", "en", "Read.", Show(), criteria, Overall(), judge, "d")


@pytest.mark.parametrize(
    ("criterion", "samples", "value"),
    [
        (LEVELS, [3], 3), (LEVELS, [2, 3], 2), (LEVELS, [1, 5, 5], 5), (LEVELS, [1, 2, 4, 5], 2),
        (LEVELS, [None, None, 4], None), (LEVELS, [None, 4], 4), (LEVELS, [None], None),
        (POLITE, [True, False], False), (POLITE, [True, True, False], True),
        (SIDE, ["A", "B"], "tie"), (SIDE, ["A", "A"], "A"), (SIDE, ["A", "tie"], "tie"),
        (SIDE, ["B", "B", "B", "A"], "B"), (SIDE, ["B", "tie", "B", "tie"], "tie"),
        (SOME, [["a"], ["a", "b"], ["b", "a"]], ["a", "b"]), (SOME, [["a"], []], []),
        (ONE_OF, ["b", "a", "b"], "b"), (WARM, [1, 2], 1.5), (WARM, [1, 3], 2),
    ],
)  # fmt: skip
def test_samples_come_to_one_value_of_the_scale(criterion, samples, value):
    found = settle(criterion, samples)
    assert (found, type(found)) == (value, type(value))
    if found is not None:
        assert check(criterion, found) == found


@given(st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=1, max_size=7))
def test_a_settled_level_lies_among_the_samples(samples):
    found = settle(LEVELS, samples)
    known = [value for value in samples if value is not None]
    assert found is None or min(known) <= found <= max(known)
    mean = score(LEVELS, Judgement("i", "right", found, tuple(samples)))
    assert (mean is None) is (found is None)


def judged(**values) -> dict[str, Judgement]:
    return {
        name: Judgement("i", name, samples[0], tuple(samples)) for name, samples in values.items()
    }


def test_the_overall_score_is_the_mean_of_the_samples():
    rules = rubric(LEVELS, POLITE)
    both = judged(right=[5, 3], polite=[True, True])
    assert overall(rules, both) == pytest.approx((1.0 + (3 * 0.5 + 1) / 4) / 2)
    fails = judged(right=[5, 5], polite=[True, False])
    assert overall(rules, fails) == pytest.approx(0.5)  # in one of two samples it fails
    assert overall(rules, judged(right=[1, 1])) == 0.0  # polite is not asked then
    assert overall(rules, judged(right=[5, 5])) is None  # it is asked, and was not judged
    assert overall(rules, {**both, "polite": Judgement("i", "polite", error="no")}) is None
    assert overall(rules, judged(right=[None])) is None
    assert score(LEVELS, Judgement("i", "right", 4)) == 0.75  # a judge without samples


def test_what_counts_for_nothing_spoils_nothing():
    kinds = Criterion("kinds", "K", "?", Scale("choices", choices=("a", "b")))
    unread = {"kinds": Judgement("i", "kinds", error="no JSON")}
    assert overall(rubric(LEVELS, kinds), judged(right=[5]) | unread) == 1.0
    hangs = Criterion("polite", "P", "?", Scale("binary"), ask_if={"kinds": {"has": "a"}})
    assert overall(rubric(LEVELS, kinds, hangs), judged(right=[5]) | unread) is None
    assert with_conditions(rubric(LEVELS, kinds, hangs), ["polite"]) == {"polite", "kinds"}


def test_the_rubric_says_how_it_is_judged():
    found = settings(rubric(LEVELS))
    assert (found.bar, found.items, found.samples, found.instructions) == (0.6, 50, 3, "")
    assert settings(rubric(LEVELS, judge={"bar": 0.5, "samples": 9})).samples == 9


# -- kept ---------------------------------------------------------------------------------------


def test_lines_are_kept_once_and_the_last_one_stands(tmp_path):
    log = Judgements(tmp_path, "judge", "by me")
    first = Judgement("i", "right", 3, (3, 3), "because")
    for one in (first, first, Judgement("i", "right", 4, (4,)), first):
        log.append(one)
    assert len(log.path.read_text().splitlines()) == 3
    assert Judgements(tmp_path, "judge", "by me").standing == {("i", "right"): first}
    assert Judgements(tmp_path, "judge", "by another").standing == {}
    assert judges(tmp_path) == ["judge"]


def test_a_doubled_line_counts_once_and_lists_come_back(tmp_path):
    log = Judgements(tmp_path, "judge", "me")
    log.append(Judgement("i", "some", ["a"], (["a"], ["a", "b"])))
    log.path.write_bytes(log.path.read_bytes() * 2)
    again = Judgements(tmp_path, "judge", "me")
    assert again.standing == log.standing
    again.append(Judgement("i", "some", ["b"], (["b"],)))
    assert len(log.path.read_bytes().splitlines()) == 3


@given(st.integers(1, 40))
def test_a_cut_line_is_dropped(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("cut")
    log = Judgements(folder, "judge", "me")
    for place in range(3):
        log.append(Judgement(f"i{place}", "right", 3))
    log.path.write_bytes(log.path.read_bytes()[:-cut])
    again = Judgements(folder, "judge", "me")
    assert set(again.standing) == {("i0", "right"), ("i1", "right")}
    again.append(Judgement("i2", "right", 4))
    assert len(Judgements(folder, "judge", "me").standing) == 3


def test_a_damaged_line_is_told_with_its_number(tmp_path):
    log = Judgements(tmp_path, "judge", "me")
    log.append(Judgement("i", "right", 3))
    log.path.write_bytes(log.path.read_bytes() + b'{"id": 1}\n')
    with pytest.raises(DataError, match=r"judge\.jsonl:2"):
        Judgements(tmp_path, "judge", "me")


@pytest.mark.nightly
def test_no_flipped_bit_is_believed(tmp_path):
    log = Judgements(tmp_path, "judge", "me")
    log.append(Judgement("i", "right", 3, (3, 3), "because"))
    whole = log.path.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            log.path.write_bytes(
                whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
            )
            with pytest.raises(DataError, match=r"judge\.jsonl:1.*\n.*is asked again"):
                Judgements(tmp_path, "judge", "me")


@pytest.mark.parametrize("name", ["../x", "A", "", "a/b", "."])
def test_a_name_that_is_a_path_is_refused(tmp_path, name):
    with pytest.raises(UsageError):
        Judgements(tmp_path, name, "me")


def test_what_is_still_to_be_judged():
    rules = rubric(LEVELS, POLITE, Criterion("why", "W", "?", Scale("text")))
    items = [Item(name, (), ("x",)) for name in "abcd"]
    found = {
        ("a", "right"): Judgement("a", "right", 1),  # polite is not asked, nor are texts
        ("b", "right"): Judgement("b", "right", 5),
        ("c", "right"): Judgement("c", "right", error="unreadable"),
    }
    assert [item.id for item in unjudged(rules, items, found)] == ["b", "c", "d"]
