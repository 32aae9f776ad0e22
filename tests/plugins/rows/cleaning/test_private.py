"""Private values: what is found in a text, and what is not."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.numbers import accounts, cards
from harness_rows.cleaning.private.redaction import Redaction
from harness_rows.cleaning.private.values import KINDS, masked

LINES = Path(__file__).parents[4] / "datasets" / "redaction-labels" / "lines.jsonl"
LABELLED = [json.loads(line) for line in LINES.read_bytes().splitlines()]
EVERY = Finders(KINDS)


def found(text: str, **options) -> list[tuple[str, str]]:
    finders = Finders(**options) if options else EVERY
    return [(one.kind, text[one.start : one.end]) for one in finders.found(text)]


def redacted(*texts: str) -> list[str]:
    redaction = Redaction(EVERY)
    redaction.reserve(texts)
    return [redaction.text(text, "here") for text in texts]


def test_one_value_is_one_token_however_it_is_written():
    assert redacted(
        "IBAN DE89 3704 0044 0532 0130 00 of Bob@Example.com",
        "bob@example.com, DE89370400440532013000, eve@example.com",
    ) == ["IBAN <IBAN_1> of <EMAIL_1>", "<EMAIL_1>, <IBAN_1>, <EMAIL_2>"]


def test_tokens_that_are_there_stay_and_new_numbers_begin_behind_them():
    assert redacted("<EMAIL_3> wrote", "a.b@example.com") == ["<EMAIL_3> wrote", "<EMAIL_4>"]


def test_lists_mappings_and_their_keys_are_searched_and_names_of_columns_stay():
    redaction = Redaction(EVERY)
    record = {
        "a@example.com": "x",
        "messages": [{"content": "a@example.com", "n": 3, "seen": None}],
        "meta": {"a@example.com": [1.5, True, "a@example.com"]},
    }
    assert redaction.record(record, "f:1") == {
        "a@example.com": "x",
        "messages": [{"content": "<EMAIL_1>", "n": 3, "seen": None}],
        "meta": {"<EMAIL_1>": [1.5, True, "<EMAIL_1>"]},
    }
    (value,) = redaction.values
    assert value.times == 3
    assert value.places[0] == "f:1 messages[0].content"
    assert not any("example.com" in place for place in value.places)


def test_keys_that_get_one_token_keep_their_values():
    card = "4111 1111 1111 1111"
    before = {
        "a@example.com": 1, "A@Example.com": 2, "<CARD_1>": 3, card: 4, card.replace(" ", ""): 5,
        "<EMAIL_1> (2)": 6,
    }  # fmt: skip
    redaction = Redaction(EVERY)
    redaction.reserve(before)
    once = redaction.value(before, "f:1")
    assert once == {
        "<EMAIL_2>": 1, "<EMAIL_2> (2)": 2, "<CARD_1>": 3, "<CARD_2>": 4, "<CARD_2> (2)": 5,
        "<EMAIL_1> (2)": 6,
    }  # fmt: skip
    assert Redaction(EVERY).value(once, "f:1") == once


@pytest.mark.parametrize("kept", [
    4111111111111112, -4111111111111111, 2025550123, 1700000000000, 0.5, True, float("inf"), 2**70,
])  # fmt: skip
def test_numbers_that_are_no_private_text_stay(kept):
    assert Redaction(EVERY).value([kept], "f:1") == [kept]


def test_a_whole_number_is_replaced_where_its_digits_would_be_in_a_text():
    redaction = Redaction(EVERY)
    record = {"n": [4111111111111111, "card 4111 1111 1111 1111", 4111111111111111.0]}
    assert redaction.record(record, "f:1") == {"n": ["<CARD_1>", "card <CARD_1>", "<CARD_1>"]}
    (value,) = redaction.values
    assert value.places == ["f:1 n[0]", "f:1 n[1]", "f:1 n[2]"]


@pytest.mark.parametrize("value", ["a@b.co", "0171 2345678", "4111111111111111"])
def test_a_listing_shows_four_characters_at_most(value):
    assert len(masked(value).replace("…", "")) <= 4
    assert len(masked(value)) < len(value)


@pytest.mark.parametrize("length", range(15, 34))
def test_an_account_of_every_length_is_found_and_with_a_wrong_digit_is_not(length):
    from harness_rows.cleaning.private.numbers import _LENGTHS

    country = next((c for c, n in _LENGTHS.items() if n == length), None)
    if country is None:
        return
    body = "".join(str(n % 10) for n in range(length - 4))
    moved = f"{body}{country}00"
    rest = int("".join(str(int(character, 36)) for character in moved)) % 97
    number = f"{country}{98 - rest:02}{body}"
    assert [one.same for one in accounts(f"to {number}.")] == [number]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert list(accounts(wrong)) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("4111 1111 1111 1111", "Visa"),
        ("3782-822463-10005", "American Express"),
        ("5555555555554444", "Mastercard"),
    ],
)
def test_cards_have_a_network_and_a_check_digit(text, what):
    assert [one.what for one in cards(f"card {text}, thanks")] == [what]
    assert list(cards(text[:-1] + str((int(text[-1]) + 1) % 10))) == []
    assert list(cards(f"9{text}")) == []


def test_a_number_without_country_code_is_known_in_the_regions_that_are_given():
    text = "Tel. 0664 1234567"
    assert found(text, regions=("AT",)) == [("phone", "0664 1234567")]
    assert found(text, regions=("US",)) == []


def test_an_account_behind_another_and_a_number_that_begins_like_a_date():
    two = "BE68 5390 0754 7034 and AT61 1904 3002 3457 3201"
    assert [kind for kind, _ in found(two)] == ["iban", "iban"]
    assert found("01.02.68.53.00") == [("phone", "01.02.68.53.00")]
    assert found("01.02.2024") == found("05.11.24 12") == []


def test_other_kinds_are_left():
    text = "a@example.com, call +49 30 901820"
    assert found(text, kinds=("email",)) == [("email", "a@example.com")]


@pytest.mark.nightly(but_each=10)
@pytest.mark.parametrize("line", LABELLED, ids=lambda line: line["id"])
def test_redacting_a_labelled_line_twice_changes_nothing(line):
    (once,) = redacted(line["text"])
    assert redacted(once) == [once]


PIECES = st.sampled_from(
    ["a@example.com", "+49 30 901820", "4111 1111 1111 1111", "DE89370400440532013000", "<EMAIL_1>",
     "<CARD_2", "1", " ", "-", "@", "(", "call ", "203.0.113.9", "12", "\u00e9", "hf_", "x" * 34]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=4), max_size=10).map("".join))
def test_redacting_twice_changes_nothing_and_spans_do_not_overlap(text):
    spans = EVERY.found(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    (once,) = redacted(text)
    assert redacted(once) == [once]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000, "a@" * 100_000, "1" * 300_000, "1 " * 100_000, "a." * 100_000 + "@",
        "-----BEGIN PRIVATE KEY-----" * 5_000, "eyJ" * 60_000, "(" * 200_000, "+1" * 50_000,
        "aws = " * 50_000, ":" * 200_000, "DE89" * 50_000, "xox" * 50_000, "sk-" * 80_000,
        "\ud800" * 1000, "\0\x1b[31m" * 1000, "1.2.3." * 50_000,
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_hostile_texts_take_no_time_beyond_their_length(text):
    begin = time.process_time()
    redacted(text)
    assert time.process_time() - begin < 6


def test_the_labels_are_as_their_page_says():
    assert len(LABELLED) == 300
    halves = [line["half"] for line in LABELLED]
    assert halves.count("tuning") == halves.count("held-out") == 150
    page = (LINES.parent / "README.md").read_text(encoding="utf-8")
    assert f"{sum(not line['values'] for line in LABELLED)} lines have no value at all" in page
    for line in LABELLED:
        at = 0
        for label in line["values"]:
            assert label["kind"] in KINDS
            at = line["text"].index(label["value"], at) + len(label["value"])
