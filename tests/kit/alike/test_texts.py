"""A row's texts as the gate compares them."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given, strategies as st

from harness.kit.alike.texts import RowTexts, asked_of
from harness.kit.folding import folded, normalise
from harness.records import Example

MARK = ".,;:!?'\"“”‘’…¿¡"
TEXTS = st.text("aB1٣ .,;!=(“-_\n\u0301é\u00a0", max_size=20) | st.text(max_size=20)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"])


def of(*turns: tuple[str, str]) -> Example:
    return Example("x", tuple({"role": role, "content": text} for role, text in turns), ("A.",))


def loose(text: str) -> str:
    """Character by character: marks between digits, decimal points and negations stay."""
    whole = folded(text)
    kept = (" " if of_sentence(whole, at) else mark for at, mark in enumerate(whole))
    return " ".join("".join(kept).split()) or whole


def of_sentence(text: str, at: int) -> bool:
    before, mark, behind = text[:at][-1:], text[at], text[at + 1 :]
    if mark not in MARK or (re.match(r"\d", before) and re.match(r"\d", behind)):
        return False
    begins = not re.match(r"\w", before) and (not before or before not in MARK)
    if mark == "." and begins and re.match(r"\d", behind):
        return False
    return not (
        mark == "!"
        and (behind[:1] == "=" or ((begins or before == "!") and re.match(r"!*[\w(]", behind)))
    )


def without_formats(text: str) -> str:
    return "".join(one for one in text if unicodedata.category(one) != "Cf")


@given(st.lists(st.tuples(ROLES, TEXTS), max_size=4))
def test_turns_that_are_folded_one_by_one_make_the_same_texts_as_the_whole(turns):
    row = of(*turns)
    whole = without_formats("\n".join(asked_of(row, ("system", "developer", "user"))))
    texts = RowTexts(row)
    assert texts.words == normalise(whole)
    assert texts.loose == loose(whole)
    said = map(without_formats, asked_of(row, ("user",)))
    assert texts.said == [found for text in said if (found := loose(text))]
    assert texts.turns == tuple((role, loose(without_formats(text)), "") for role, text in turns)


def test_marks_stay_that_are_none_of_sentences():
    row = of(("user", "At 12:30, I paid 1.5… (or 2..5?) for “it”; 7."))
    assert RowTexts(row).loose == "at 12:30 i paid 1.5 (or 2 5 ) for it 7"
    assert RowTexts(row).words == "at 12 30 i paid 1 5 or 2 5 for it 7"
    row = of(("user", "Take .5! If !ok or a!=b, halt!"))
    assert RowTexts(row).loose == "take .5 if !ok or a!=b halt"


def test_a_text_of_marks_alone_keeps_them():
    assert RowTexts(of(("user", " ?! "))).words == RowTexts(of(("user", "?!"))).loose == "?!"
    assert RowTexts(of(("assistant", "Yes."))).loose == ""
