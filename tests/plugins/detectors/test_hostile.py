"""Whatever a model or a data set says, a detector answers, and soon."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from harness.records import Example
from harness_detectors import Basic
from harness_detectors.reading import has_text
from tests.support.effort import effort

from .conftest import scored

MEGABYTE = 1_000_000
PIECES = [
    "x", "ab", "a b ", "\n", "(", "-", "```\n", "`a", "1", "1,", "1 111 ", "Abc Def ", '"', "[",
    '{"a":', "漢字", "\0", "\ud800 ", ". ", "not good, ", "I can ", "1. a\n", "a = b\n",
    "def f(x):\n", "|a ", "a: ", "return a ", "かな1", "- ", "1'", "\u202e", "ich kann ", "~~~\n",
]  # fmt: skip

# Text with the marks that the rules look for, so that examples reach into them.
TEXTS = st.lists(
    st.one_of(
        st.sampled_from([*PIECES, "yes, ", "No. ", "I can't ", "as JSON ", "```", "}", "]", "0x1"]),
        st.text(st.characters(codec=None), max_size=8),
        st.text(string.printable, max_size=8),
    ),
    max_size=12,
).map("".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.lists(TEXTS, max_size=2), TEXTS, st.sampled_from(["stop", "length", ""]))
def test_no_text_makes_a_rule_raise(text, references, prompt, finish):
    detector = Basic()
    detector.prepare([Example("t", ({"role": "user", "content": ""},), (text, prompt), "train")])
    found = list(detector.detect(scored(text, *references, prompt=prompt, finish=finish)))
    known = detector.categories()
    assert all(label.category in known and label.evidence for label in found)
    assert all("\n" not in x.evidence and "\0" not in x.evidence for x in found)
    kinds = [label.category for label in found]
    assert ("empty" in kinds) is not has_text(text)
    assert kinds in (["empty"], ["low overlap"]) or "low overlap" not in kinds


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_a_megabyte_is_read_in_little_time(piece):
    text = piece * (MEGABYTE // len(piece))
    detector = Basic()
    detector.prepare([Example("t", ({"role": "user", "content": ""},), (text,), "train")])
    row = scored(text, "A good thing is 3 for Maria now.", prompt="Say it as JSON.")
    labels = []
    assert effort(lambda: labels.extend(detector.detect(row))) < 400
    assert labels


@pytest.mark.nightly
def test_a_megabyte_of_everything():
    text = "".join(PIECES) * (MEGABYTE // len("".join(PIECES)))
    detector = Basic()
    assert effort(lambda: list(detector.detect(scored(text, text, text[1:], prompt=text)))) < 500


@pytest.mark.nightly
def test_twice_the_text_takes_no_more_than_about_twice_the_time():
    detector = Basic()

    def seconds(length: int) -> float:
        text = " ".join(f"Word{i % 997} is {i}, not {i + 1}." for i in range(length))
        row = scored(text, "It is 3.")
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            list(detector.detect(row))
            best = min(best, time.process_time() - start)
        return best

    assert seconds(16_000) < 5 * seconds(4_000) + 0.1
