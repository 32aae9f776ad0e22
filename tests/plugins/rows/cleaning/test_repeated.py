"""Rows that go because they repeat a row that stays."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, strategies as st

from harness import Example
from harness_rows.cleaning.repeated import figures, jaccard, repeated

LONG = (
    "My parcel was meant to come on Tuesday and the driver left it with a neighbour whom I do not "
    "know, so please tell me where it is and who has signed for it"
)
ANSWER = "It was signed for at the house next door, and the driver left a card in your letter box."


def row(number: int, prompt: str, answer: str = ANSWER, split: str = "train", system: str = ""):
    turns = ({"role": "system", "content": system},) if system else ()
    return Example(
        f"r{number}", (*turns, {"role": "user", "content": prompt}), (answer,), split=split
    )  # type: ignore[arg-type]


def gone(*rows: Example, **rule) -> list[tuple[int, int]]:
    return [(one.place, one.kept) for one in repeated(rows, **rule).removed]


def test_the_first_stays_and_what_repeats_it_goes():
    near = LONG.replace("Tuesday", "Monday")
    rows = [row(0, LONG), row(1, "Is my invoice paid?"), row(2, LONG), row(3, near)]
    found = repeated(rows).removed
    assert [(one.place, one.kept, one.likeness == 1) for one in found] == [
        (2, 0, True),
        (3, 0, False),
    ]
    assert gone(*rows, near=1.0) == [(2, 0)]


def test_another_number_or_operator_is_another_question():
    sums = [row(n, f"{LONG}: {a}", "yes") for n, a in enumerate(("12 - 7", "12 + 7", "12 - 8"))]
    found = repeated(sums)
    assert found.removed == ()
    assert found.other_figures == 3


OTHERS = [
    ("is 8 a root", "is -8 a root"), ("take 52/17 of it", "take 17/52 of it"),
    ("stop if !ok", "stop if ok"), ("stop if !!ok", "stop if !ok"), ("a != b", "a = b"),
    ("wait .5 days", "wait 5 days"), ("wait 1.5 days", "wait 5.1 days"), ("x is y", "x is -y"),
    ("stop if !(a)", "stop if (a)"), ("52 divided by 17", "17 divided by 52"),
    ("Tom has 5 red cups. Ann has 7 red cups.", "Tom has 7 red cups. Ann has 5 red cups."),
    ("Tom has 5 red cups and Ann has 7 red cups.", "Tom has 7 red cups. Ann has 5 red cups."),
    ("Tom has 5. Ann has 7.", "Tom has 7 and Ann has 5."),
    ("Tom has these cups:\n5\nAnn has these:\n7", "Tom has these cups:\n7\nAnn has these:\n5"),
    ("Add 3 to it. Then double it by * 2.", "Then double it by * 2. Add 3 to it."),
    ("3 - -x", "3 -x"), ("3--x", "3 -x"), ("3 --x", "3 -x"), ("x - -y", "x -y"), ("i--", "i"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_signs_negations_points_and_the_order_of_numbers_count(one, other):
    assert gone(row(0, one), row(1, other)) == []
    found = repeated([row(0, f"{LONG}: {one}"), row(1, f"{LONG}: {other}")], near=0.6)
    assert found.removed == ()
    assert found.other_figures == 1


SAME = [
    ("is 8 a root?", "Is 8 a root!"), ("stop it!", "stop it"),
    ("Well-known, is it?", "well-known is it"),
    ("Great! It costs 5.", "Great, it costs 5"),
    ("He waited... 5 days", "He waited. 5 days"),
    ("Great!It works", "Great. It works"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_marks_of_sentences_do_not_count(one, other):
    assert gone(row(0, one), row(1, other), near=1.0) == [(1, 0)]


def test_sentences_may_change_places_where_their_numbers_stay_in_order():
    parts = [f"{LONG} for 12 euros.", "The driver was in a hurry!", "Nobody rang at our door"]
    texts = [" ".join(parts), " ".join(parts[::-1]), " ".join([parts[2], *parts[:2]])]
    rows = [row(n, text) for n, text in enumerate(texts)]
    assert gone(*rows, by="prompt") == [(1, 0), (2, 0)]


def test_another_question_about_one_passage_is_no_repeat_and_an_addition_is():
    passage = ". ".join(f"{LONG} {place}" for place in ("in Oslo", "in Rome", "in Lima"))
    asked = ("How much did postage cost?", "Name each country of origin!", "Is a refund owed?")
    rows = [row(n, f"{passage}.\n\n{question}") for n, question in enumerate(asked)]
    found = repeated(rows, by="prompt")
    assert found.removed == ()
    assert found.other_sentences >= 2
    assert gone(rows[0], row(1, f"Hello there. {passage}.\n\n{asked[0]}")) == [(1, 0)]


def test_another_answer_to_one_prompt_stays_unless_prompts_are_asked_for():
    rows = [row(0, LONG, "positive"), row(1, LONG, "negative")]
    found = repeated(rows)
    assert found.removed == ()
    assert found.other_answers == 1
    assert gone(*rows, by="prompt") == [(1, 0)]


def test_another_system_turn_is_another_prompt():
    assert gone(row(0, "Hello there", system="Answer in French."), row(1, "Hello there")) == []


@pytest.mark.parametrize("held_out", ["dev", "test"])
@pytest.mark.parametrize("other", ["train", "pool", "valid"])
@pytest.mark.parametrize("answer", [ANSWER, "No idea."])
def test_a_row_to_learn_from_goes_for_a_held_out_prompt(held_out, other, answer):
    near = LONG.replace("Tuesday", "Monday")
    for prompt in (LONG, near):
        rows = [row(0, prompt, answer, other), row(1, LONG, split=held_out)]
        assert gone(*rows) == [(0, 1)]


def test_rows_of_test_stay_unless_asked_for():
    rows = [row(0, LONG, split="test"), row(1, LONG, split="test"), row(2, LONG, split="dev")]
    assert gone(*rows) == [(2, 0)]
    assert gone(*rows, with_test=True) == [(1, 0), (2, 0)]


def test_train_is_kept_before_pool_and_a_row_without_split_as_train():
    assert gone(row(0, LONG, split="pool"), row(1, LONG)) == [(0, 1)]
    assert gone(row(0, LONG, split=""), row(1, LONG, split="")) == [(1, 0)]


def test_a_copy_of_a_row_that_goes_for_another_goes_too():
    near = LONG.replace("Tuesday", "Monday")
    rows = [row(0, near), row(1, near), row(2, LONG, split="test")]
    assert gone(*rows) == [(0, 2), (1, 2)]


def test_rows_that_hang_together_by_a_chain_stay_where_they_are_not_near_themselves():
    words = LONG.split()
    texts = []
    for step in range(6):
        texts.append(" ".join(words))
        draw = random.Random(step)
        for place in draw.sample(range(len(words)), 2):
            words[place] = draw.choice(["zebra", "quartz", "fjord"])
    rows = [row(n, text) for n, text in enumerate(texts)]
    for one in repeated(rows).removed:
        assert jaccard(texts[one.place], texts[one.kept]) > 0.75


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b", []), ("well-known", []), ("12 - 7", ["12", "-", "7"]), ("x = y", ["="]),
        ("a 5-year plan", ["5"]), ("-.5 or 1,000.5", ["-", ".5", "1,000.5"]), ("covid-19", ["19"]),
        ("3 - -x", ["3", "--"]), ("3 --5", ["3", "--", "5"]), ("a!=b", ["!", "="]),
        ("the cup -the blue one", []), ("-sin(x)", ["-"]),
    ],
)  # fmt: skip
def test_figures(text, expected):
    assert figures(text) == expected


POOL = [LONG, LONG.replace("Tuesday", "Monday"), "Is it paid?", "is it paid", "", "12 + 7"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(POOL),
            st.sampled_from(["yes", "no"]),
            st.sampled_from(["train", "pool", "dev", "test", ""]),
        ),
        max_size=12,
    ),
    st.sampled_from(["row", "prompt"]),
)
def test_laws(drawn, by):
    rows = [row(n, prompt, answer, split) for n, (prompt, answer, split) in enumerate(drawn)]
    found = repeated(rows, by=by).removed
    places = {one.place for one in found}
    # Test is untouched, every row that goes has one that stays, and nothing is left to go.
    assert all(rows[place].split != "test" for place in places)
    assert all(one.kept not in places for one in found)
    left = [one for place, one in enumerate(rows) if place not in places]
    assert repeated(left, by=by).removed == ()


def test_the_progress_goes_one_way():
    seen: list[float] = []
    rows = [row(n, f"{LONG} {n}", split="dev" if n % 3 else "train") for n in range(40)]
    repeated(rows, watch=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert list(itertools.chain(seen))
