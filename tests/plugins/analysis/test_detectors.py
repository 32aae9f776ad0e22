from __future__ import annotations

import time

import pytest

from harness.records import Example, Prediction, ScoredExample
from harness_slices import Basic
from harness_slices.detectors import loop

PROMPT = "def total(items): return the sum of all the prices in the list of items that were given"
REFERENCE = "Return the total price of the items, taxes included."


def labels(text, finish="stop", prompt=PROMPT, references=(REFERENCE,), **options):
    example = Example("e", ({"role": "user", "content": prompt},), tuple(references), "dev")
    scored = ScoredExample(example, Prediction("e", text, finish), {})
    detector = Basic(Basic.Options(**options))
    found = list(detector.detect(scored))
    assert all(x.example_id == "e" and x.found_by == "basic" and x.evidence for x in found)
    assert {x.category for x in found} <= set(detector.categories())
    return {x.category: x.evidence for x in found}


@pytest.mark.parametrize(
    ("text", "finish", "category", "evidence"),
    [
        (" \n", "stop", "empty", "0 words"),
        ("Return the total price of the", "length", "cut off", "… Return the total price of the"),
        ("It is so " * 5 + "good", "stop", "repetition loop", "It is so (x 5)"),
        ("So it goes 哈哈哈哈哈哈哈哈哈哈哈哈", "stop", "repetition loop", "哈 (x 12)"),
        ("It returns the sum of all the prices in the list", "stop", "copy of the prompt",
         "the sum of all the"),
        ("Price.", "stop", "too short", "1 words, references 9"),
        ("Bananas are a rather yellow kind of fruit", "stop", "low overlap", "word overlap 0.12"),
    ],
)  # fmt: skip
def test_each_category_and_its_evidence(text, finish, category, evidence):
    assert labels(text, finish) == {category: evidence}


def test_too_long():
    text = " ".join(f"item{i}" for i in range(30))
    assert labels(text) == {"too long": "30 words, references 9"}


def test_a_good_answer_has_no_label():
    assert labels("Returns the total price of all items with taxes.") == {}


def test_several_may_hold_and_low_overlap_only_alone():
    found = labels("no no no no no no no no no no", "length")
    assert set(found) == {"cut off", "repetition loop"}


def test_a_copy_is_no_error_where_the_reference_copies_too():
    wanted = "the sum of all the prices in the list"
    assert "copy of the prompt" not in labels(wanted, references=[wanted])


def test_without_references_nothing_is_compared_with_them():
    assert labels("Bananas are yellow", references=()) == {}


@pytest.mark.parametrize("text", ["-- -- -- -- -- --", "0 0 0 0 0 0 0", "ha ha ha", "hahaha", ""])
def test_what_is_no_loop(text):
    assert loop(text, 4) == ""


def test_hostile_length_is_bounded():
    start = time.process_time()
    for text in ("ab" * 200_000, "a b " * 100_000 + "c", "x" * 500_000, "\n" * 500_000):
        labels(text, prompt=text)
    assert time.process_time() - start < 10


def test_every_category_has_one_line_of_definition():
    assert all(d and "\n" not in d for d in Basic().categories().values())
