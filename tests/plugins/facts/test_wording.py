"""What a wording accepts, and that no wording takes long."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness_facts.wording import wording
from harness_facts.words import words
from tests.support.effort import effort

SAME = {"litres": "litre", "hours": "hour"}


def test_stated():
    for pattern, answer, stated in [
        ("12 litres", "It holds twelve litres.", True),
        ("12 litres", "It holds 12.0 litre", True),
        ("12 litres", "It holds 112 litres.", False),
        ("12 litres", "It holds 12, and litres are units.", False),
        ("one hundred litres", "100 litres", True),
        ("settings orders", "Go to **Settings > Orders**.", True),
        ("settings orders", "Go to Orders > Settings.", False),
        ("fridge ... 5|6 hours", "The fridge cools down within six hours.", True),
        ("fridge ... 6 hours", "The fridge. It takes 6 hours.", False),
        ("fridge ... 6 hours", "The fridge 6 hours", True),
        ("fridge ... 6 hours", "The fridge a b c d e 6 hours", True),
        ("fridge ... 6 hours", "The fridge a b c d e f 6 hours", False),
        ("fridge ... 6 ... off", "fridge fridge 6 x 6 y z off", True),
        ("a … b", "a 1 2 3 b", True),
        ("return*", "It was returned.", True),
        ("return*", "A good turn", False),
        ("free|no charge", "no charge", True),
        ("free|costless of charge", "free of charge", True),
        ("^ yes", "Yes, it does.", True),
        ("^ yes", "Oh yes.", False),
        ("^yes ... litres", "Yes: 9 litres", True),
        ("not ... returned", "It isn't returned", True),
        ("end of it", "The end. Of it", False),
        ("2nd|3rd shelf", "on the third shelf", True),
        ("anything", "", False),
    ]:
        assert wording(pattern, SAME).stated(words(answer, SAME)) is stated, pattern


def test_refused():
    for pattern, reason in [
        ("", "no word"),
        ("?! >", "no word"),
        ("^", "no word"),
        ("... 6 hours", "elsewhere than between"),
        ("6 hours ...", "elsewhere than between"),
        ("a ... ... b", "elsewhere than between"),
        ("a|", "stands one word"),
        ("*", "stands one word"),
        ("a-b|c", "stands one word"),
        ("a*b", "stands one word"),
        ("12*", "by its value"),
        ("a " * 41, "more than 40"),
    ]:
        with pytest.raises(ValueError, match=reason):
            wording(pattern, SAME)


@given(st.text(max_size=80))
def test_a_text_states_itself(text):
    plain = text.translate({ord(c): " " for c in "|*^.…!?。！？"})
    found = words(plain, SAME)
    if 0 < len(found) <= 40:
        assert wording(plain, SAME).stated(words(f"Well, {plain}", SAME))


@pytest.mark.nightly
def test_no_wording_takes_long():
    pattern = wording(" ... ".join(["a*|b"] * 19 + ["z"]), SAME)
    answer = words("a b " * 10_000, SAME)
    found = []
    assert effort(lambda: found.append(pattern.stated(answer))) < 1000
    assert found == [False]
