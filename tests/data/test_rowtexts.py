"""A row's texts as the gate compares them."""

from __future__ import annotations

import re

from hypothesis import given, strategies as st

from harness.data.rowtexts import RowTexts, asked_of
from harness.kit.folding import folded, normalise
from harness.records import Example

MARK = "[.,;:!?'\"“”‘’…¿¡]+"
# One alternative for each side: a mark stays only between two digits, and only alone.
MARKS = re.compile(rf"(?<!\d){MARK}|{MARK}(?!\d)")
TEXTS = st.text("aB1٣ .,;“-_\n\u0301é\u00a0", max_size=20) | st.text(max_size=20)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"])


def of(*turns: tuple[str, str]) -> Example:
    return Example("x", tuple({"role": role, "content": text} for role, text in turns), ("A.",))


def loose(text: str) -> str:
    whole = folded(text)
    return " ".join(MARKS.sub(" ", whole).split()) or whole


@given(st.lists(st.tuples(ROLES, TEXTS), max_size=4))
def test_turns_that_are_folded_one_by_one_make_the_same_texts_as_the_whole(turns):
    row = of(*turns)
    whole = "\n".join(asked_of(row, ("system", "developer", "user")))
    texts = RowTexts(row)
    assert texts.words == normalise(whole)
    assert texts.loose == loose(whole)
    assert texts.said == [found for text in asked_of(row, ("user",)) if (found := loose(text))]
    assert texts.turns == tuple((role, folded(text), "") for role, text in turns)


def test_a_mark_stays_only_between_digits():
    row = of(("user", "At 12:30, I paid 1.5… (or 2..5?) for “it”; 7."))
    assert RowTexts(row).loose == "at 12:30 i paid 1.5 (or 2 5 ) for it 7"
    assert RowTexts(row).words == "at 12 30 i paid 1 5 or 2 5 for it 7"


def test_a_text_of_marks_alone_keeps_them():
    assert RowTexts(of(("user", " ?! "))).words == RowTexts(of(("user", "?!"))).loose == "?!"
    assert RowTexts(of(("assistant", "Yes."))).loose == ""
