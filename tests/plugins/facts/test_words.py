"""Texts as words: numbers by value, units behind them, ends of sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness_facts.numerals import with_values
from harness_facts.words import words
from tests.support.effort import effort

SAME = {"litres": "litre", "l": "litre", "€": "euro", "eur": "euro", "euros": "euro"}


def test_words():
    for text, expected in [
        ("Six euros", "6 euro"),
        ("6.00 EUR", "6 euro"),
        ("€6", "6 euro"),
        ("EUR 6,50", "6.5 euro"),
        ("6€ 7€", "6 euro 7 euro"),
        ("1,050.50 and 1,050", "1050.5 and 1050"),
        ("12,3456", "12.3456"),
        ("0.10", "0.1"),
        ("007", "7"),
        ("0.0", "0"),
        ("10.4.1", "10.4.1"),
        ("one hundred and twenty", "120"),
        ("two hundred", "200"),
        ("twenty-four hours", "24 hours"),
        ("three four", "3 4"),
        ("two thousand four hundred and six", "2406"),
        ("2 thousand", "2000"),
        ("three million", "3000000"),
        ("five and six", "5 and 6"),
        ("a hundred", "a hundred"),
        ("the 3rd, third, twenty-third, 23rd", "the 3th 3th 23th 23th"),
        ("twenty first", "21th"),
        ("thirty tenth", "30 10th"),
        ("5GB", "5 gb"),
        ("Settings > My orders", "settings my orders"),
        ("**Don't** can't won't cannot", "do not can not will not can not"),
        ("it’s the shop's", "it s the shop s"),
        ("Pay now. Or wait!", "pay now . or wait ."),
        ("No. 5 at 3.5 km", "no . 5 at 3.5 km"),
        ("退款6天。", "退 款 6 天 ."),
        ("５ litres", "5 litre"),
        ("١٢", "١٢"),
        ("", ""),
        ("\ud800 \x00 7", "7"),
    ]:
        assert words(text, SAME) == expected.split(), text


UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelled(number, joint):
    """A whole number below a million in English."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        return TENS[number // 10] + ("-" + UNITS[number % 10] if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = f"{joint}{spelled(number % size, joint)}" if number % size else ""
    return f"{spelled(number // size, joint)} {name}{rest}"


@given(st.integers(0, 99_999), st.sampled_from([" ", " and "]))
def test_a_number_in_words_is_the_number(number, joint):
    assert words(spelled(number, joint), {}) == [str(number)]


@given(st.integers(0, 10**9), st.integers(0, 3))
def test_digits_have_one_spelling(number, zeros):
    shown = f"{number:,}" + ("." + "0" * zeros if zeros else "")
    assert words(shown, {}) == [str(number)]


@given(st.text())
def test_any_text_has_words(text):
    found = words(text, SAME)
    assert all(word and word == word.strip() for word in found)
    assert with_values(found) == with_values(with_values(found))


@given(st.text(max_size=200))
def test_letter_case_says_nothing(text):
    plain = "".join(c for c in text if c.isascii())
    assert words(plain.upper(), SAME) == words(plain.lower(), SAME)


@pytest.mark.nightly
def test_long_texts_take_linear_time():
    for piece in ["1,", "1.1,", "a'", "...", "twenty ", "€ 1", "hundred and "]:
        assert effort(lambda text=piece * 40_000: words(text, SAME)) < 500, piece
