"""Private values: what is found in a text, and what is not."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.numbers import accounts, cards
from harness_rows.cleaning.private.redaction import Redaction
from harness_rows.cleaning.private.values import KINDS, masked
from tests.support.effort import effort

LINES = Path(__file__).parents[4] / "datasets" / "redaction-labels" / "lines.jsonl"
LABELLED = [json.loads(line) for line in LINES.read_bytes().splitlines()]
EVERY = Finders(KINDS)


def found(text: str, **options) -> list[tuple[str, str]]:
    finders = Finders(**options) if options else EVERY
    return [(one.kind, text[one.start : one.end]) for one in finders.find(text)]


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


def test_numbers_that_are_no_private_text_stay():
    for kept in [
        4111111111111112,
        -4111111111111111,
        2025550123,
        1700000000000,
        0.5,
        True,
        float("inf"),
        2**70,
    ]:
        assert Redaction(EVERY).value([kept], "f:1") == [kept], kept


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
    spans = EVERY.find(text)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    (once,) = redacted(text)
    assert redacted(once) == [once]


def test_hostile_texts_take_no_time_beyond_their_length():
    for text in [
        "a" * 300_000, "a@" * 100_000, "1" * 300_000, "1 " * 100_000, "a." * 100_000 + "@",
        "-----BEGIN PRIVATE KEY-----" * 5_000, "eyJ" * 60_000, "(" * 200_000, "+1" * 50_000,
        "aws = " * 50_000, ":" * 200_000, "DE89" * 50_000, "xox" * 50_000, "sk-" * 80_000,
        "\ud800" * 1000, "\0\x1b[31m" * 1000, "1.2.3." * 50_000,
    ]:  # fmt: skip
        assert effort(lambda text=text: redacted(text)) < 600, text[:12]


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


def phones(text: str) -> list[str]:
    return [value for kind, value in found(text) if kind == "phone"]


@pytest.mark.parametrize("between", [", ", "; ", " or ", " und "])
@pytest.mark.parametrize(
    "numbers",
    [
        ["030 1234567", "0171 2345678", "0172 3456789"],
        ["(030) 123456", "0151 23456789", "089 12345678"],
        ["212-736-5000", "312-922-3432"],
    ],
)
def test_national_numbers_of_a_list_are_found_whole(numbers, between):
    assert phones("call " + between.join(numbers)) == numbers


@pytest.mark.parametrize("text", ["212-555-0199 x 44", "0161 496 0000 ext. 12"])
def test_an_extension_hides_no_national_number(text):
    assert phones(text) == [text.partition(" x")[0].partition(" ext")[0]]


MOBILE = [f"+49 170 {1234567 + n}" for n in range(12)]
NATIONAL = [f"(415) 555-{2671 + n}" for n in range(12)]


@pytest.mark.parametrize("numbers", [MOBILE, NATIONAL], ids=["abroad", "national"])
@pytest.mark.parametrize("between", [" / ", " ", ", ", "; ", "\n"])
@pytest.mark.parametrize("count", [3, 6, 12])
def test_lists_of_telephone_numbers_of_any_length_are_found_whole(numbers, between, count):
    assert phones("Contacts: " + between.join(numbers[:count])) == numbers[:count]


def test_a_list_of_dashed_numbers_with_nothing_but_blanks_is_found():
    numbers = [f"415-555-{2671 + n}" for n in range(15)]
    assert phones(" ".join(numbers)) == numbers


def test_common_writings_of_telephone_numbers_are_found():
    for text in [
        "Phone +14155552671/72", "call +1-415-555-2671-", "wa.me/+14155552671",
        "see https://wa.me/14155552671", "https://api.whatsapp.com/send?phone=14155552671",
        "+49\u202f170\u202f1234567", "+49\u2011170\u20111234567", "+49\u2013170\u20131234567",
        "\uff0b49 170 1234567", "#+4915112345678", "tel_+49-151-12345678",
        "+49 (0) 30 90182035", "+49 30 / 90182035", "0171 / 2345678",
        "US: 415-555-0132", "HQ: 212-555-1234", "UK: 020 7946 0958", "FR: 01 42 68 53 00",
        "IBM (212) 555-1234", "on 12.05.2024 call 415-555-0132",
    ]:  # fmt: skip
        assert len(phones(text)) == 1, text


def test_other_numbers_are_no_telephone_numbers():
    for text in [
        "ISBN 0-306-40615-2", "NDC 0777-3105-02", "PO 415-555-0132", "SKU: 020 7946 0958",
        "SSN 078-05-1120", "wa.me/123", "range 1990\u20131995", "2024\u201305\u201312",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33",
        "3.1415926535 8979323846 2643383279 5028841971 6939937510 5820974944 5923078164 0628620899",
        "100 200 300 400 500 600 700 800 900 1000 1100 1200 1300 1400 1500 1600 1700 1800 1900",
    ]:  # fmt: skip
        assert phones(text) == [], text


def test_further_writings_of_mail_addresses_are_found():
    for text, mail in [
        ("max.mustermann\uff20example.com", "max.mustermann\uff20example.com"),
        ("write 'quoted.name'@x.com now", "'quoted.name'@x.com"),
        ('"quoted.name"@x.com', '"quoted.name"@x.com'),
        ("an taro@例え.jp bitte", "taro@例え.jp"),
        ("m@bücher.example", "m@bücher.example"),
    ]:
        assert found(text, kinds=("email",)) == [("email", mail)], text


def test_full_width_and_plain_writings_are_one_value():
    assert redacted("a\uff20example.com and a@example.com") == ["<EMAIL_1> and <EMAIL_1>"]


@pytest.mark.parametrize(
    "text", ["4111.1111.1111.1111", "3782.822463.10005", "4111\u202f1111\u202f1111\u202f1111"]
)
def test_cards_between_full_stops_and_thin_blanks_are_found(text):
    assert found(f"card {text}.") == [("card", text)]


def test_accounts_of_further_countries_are_found():
    for text in [
        "CR05 0152 0200 1026 2840 66", "VA59 0011 2300 0012 3456 78",
        "SN08SN0100152000048500003035", "YE15 CBYE 0001 0188 6123 4567 8901 23",
        "HN88 CABF 0000 0000 0002 5000 5469", "DZ580002100001113000000570",
        "MA64011519000001205000534921", "CI93CI0080111301134291200589",
    ]:  # fmt: skip
        country, number = text[:2], text.replace(" ", "")
        moved = f"{number[4:]}{country}00"
        digits = 98 - int("".join(str(int(character, 36)) for character in moved)) % 97
        right = f"{country}{digits:02}{text[4:]}"  # examples of pages are not always right
        assert found(f"to {right}.") == [("iban", right)], text


HEAD, BODY = "eyJhbGciOiJub25lIn0", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"
BASE64 = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn4vS2U"


def test_keys_of_further_forms_are_found():
    for key in [
        *(f"{kind}-AbCdEfGh1234567890xyz" for kind in (
            "glpat", "gldt", "glft", "glrt", "glcbt", "glptt", "glimt", "gloas", "glsoat",
            "glagent")),
        "GR1348941AbCdEfGh1234567890xyz", "ABIAIOSFODNN7EXAMPL1", "ACCAIOSFODNN7EXAMPL1",
        "A3TXIOSFODNN7EXAMPL1", f"{HEAD}.{BODY}.", f"{HEAD}.{BODY}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{BASE64}\n{BASE64[:17]}",
    ]:  # fmt: skip
        assert found(f"use {key} here", kinds=("key",)) == [("key", key)], key


def test_a_token_of_npm_is_found_without_the_name_of_its_option():
    token = "2f9a1b6c-1d7e-4c0a-9b52-3a8f5d2e6c71"
    line = f"//registry.example.org/:_authToken={token}"
    assert found(line, kinds=("key",)) == [("key", token)]
    assert found("//registry.example.org/:_authToken=${NPM_TOKEN}", kinds=("key",)) == []


def test_addresses_of_machines_and_what_looks_alike():
    for text, addresses in [
        ("Client 203.0.113.7", ["203.0.113.7"]), ("Login 203.0.113.5", ["203.0.113.5"]),
        ("Primary: 10.0.0.1, Secondary: 172.16.0.1", ["10.0.0.1", "172.16.0.1"]),
        ("Source: 198.51.100.4", ["198.51.100.4"]),
        ("::ffff:203.0.113.7", ["::ffff:203.0.113.7"]),
        ("64:ff9b::192.0.2.33 is up", ["64:ff9b::192.0.2.33"]),
        ("fe80::1ff:fe23:4567:890a%eth0", ["fe80::1ff:fe23:4567:890a%eth0"]),
        ("::ffff:256.1.1.1", []), ("Version 1.2.3.4", []), ("Chrome 12.0.1.2", []),
        ("Windows 10.0.19.1", []), ("MyAgent/1.2.3.4", []), ("std::vector a::b", []),
    ]:  # fmt: skip
        assert [value for kind, value in found(text, kinds=("ip",)) if kind == "ip"] == addresses, (
            text
        )


@pytest.mark.nightly
@pytest.mark.parametrize(
    "part", ["+1 " + "4 " * 60 + "x\n", "call " + "4 " * 60 + "x\n", "eyJ-", "eyJaaaaaaaa.",
             "+49 170 1234567 / ", "a.b@", "_authToken = ", "wa.me/123 "],
)  # fmt: skip
def test_time_grows_with_the_length_and_no_faster(part):
    text = part * (20_000 // len(part))
    once = effort(lambda: EVERY.find(text))
    # Time by the square of the length would be 256 times as much.
    assert effort(lambda: EVERY.find(text * 16)) < max(80 * once, 80)
    assert once < 100
