"""Numbers and names: what every reference has, and what nothing has."""

from __future__ import annotations

import pytest

from harness_detectors.digits import numbers
from harness_detectors.names import names


def test_numbers_are_compared_by_value():
    for one, other, same in [
        ("1,000", "1000", True), ("1.000", "1 000", True), ("1\u202f000", "1’000", True),
        ("39,90", "39.90", True), ("39.9", "39.90", True), ("2.50", "2.5", True),
        ("1,234.5", "1.234,50", True), ("12.345.678", "12345678", True), ("٣٤", "34", True),
        ("１２", "12", True), ("007", "7", True), ("1.5", "1500", False), ("1.500", "1.5", True),
        ("1.000", "1", False), ("15", "150", False), ("0.12", "12", False),
        ("9" * 5000, "9" * 5000, True), ("9" * 5000, "9" * 4999, False),
    ]:  # fmt: skip
        ((_, mine),), ((_, theirs),) = list(numbers(one)), list(numbers(other))
        assert bool(mine & theirs) is same, one


def test_what_is_a_number():
    for text, written in [
        ("the 15th costs 20GB or 5 % or 7€", ["15", "20", "5", "7"]),
        ("GPT-4, utf-8, v2, h264, 0x1f, 3f2a, x_1", []),
        ("2018-19 and 14:30", ["2018", "19", "14", "30"]),
        ("15.07.2024", ["15", "07", "2024"]),
        ("10.0.0.1", ["10", "0", "0", "1"]),
        ("1. first\n2) second\n 3. third 4", ["4"]),
        ("in 2019 300 people", ["2019", "300"]),
        ("第3章有12页", ["3", "12"]),
        ("costs 3.", ["3"]),
    ]:
        assert [number for number, _ in numbers(text)] == written, text


@pytest.mark.parametrize(
    ("answer", "references", "missing"),
    [
        ("It costs 3 euros.", ("It costs 5 euros.",), "without 5"),
        ("It costs five euros.", ("It costs 5 euros.",), None),
        ("Es kostet fünf Euro.", ("Es kostet 5 Euro.",), None),
        ("It is free.", ("It costs 5 euros.", "It costs 6 euros."), None),
        ("It is free.", ("It costs 5 euros on the 1st.", "5 euros, please."), "without 5"),
        ("A function", ("def f():\n    return 5",), None),
        ("A function", ("Call `f(5)` now.",), None),
        ("fill 12 in", ("1,000 and 12.50 and 12", ), "without 1,000, 12.50"),
    ],
)  # fmt: skip
def test_missing_numbers(labels, answer, references, missing):
    assert labels(answer, *references).get("missing number") == missing


@pytest.mark.parametrize(
    ("answer", "invented"),
    [
        ("It costs 6 euros.", "6"),
        ("It costs 5.00 euros.", None),
        ("It is due on the 15th.", None),
        ("Twenty euros for 20 days", None),
        ("1. Pay\n2. Wait\n3. Pay again", None),
        ("Call `pay(9)`.\n```\npay(8)\n```", None),
        ("6 and 6 and 7.5", "6, 7.5"),
    ],
)
def test_invented_numbers(labels, answer, invented):
    prompt = "It is the 15th. Do I have twenty days?"
    found = labels(answer, "It costs 5 euros.", prompt=prompt)
    assert found.get("invented number") == invented


def test_what_is_a_name():
    for text, found in [
        ("Ask Maria in Lisbon. Then go.", ["Maria", "Lisbon"]),
        ("I'm sure that I will. OK? Yes! Good", []),
        ("See Billing > Rate book.", ["Billing", "Rate"]),
        ("- Bread\n- Butter and Jam\n1. Tea", ["Jam"]),
        ('He wrote "Hamlet" in London.', ["Hamlet", "London"]),
        ("Note: Please wait", []),
        ("The Quick Guide To Good Food", []),
        ("John F. Kennedy met Adams.", ["Kennedy", "Adams"]),
        ("PLEASE READ THIS NOW", []),
        ("мы видели Москву и Волгу вчера вечером", ["Москву", "Волгу"]),
        ("私は東京に行きました。", []),
        ("| Name | City |", []),
        ("a StreamWriter's use", ["StreamWriter"]),
    ]:
        assert list(names(text)) == found, text


@pytest.mark.parametrize(
    ("answer", "references", "missing"),
    [
        ("Ask someone.", ("Please ask Maria.",), "without Maria"),
        ("Ask MARIA.", ("Please ask Maria.",), None),
        ("Ask someone.", ("Please ask Maria.", "Maria knows."), "without Maria"),
        ("Ask someone.", ("Please ask Maria.", "Please ask Peter."), None),
        ("Frag jemand.", ("Das ist der Hund und die Katze von dem Mann.",), None),
        ("No idea", ('{"city": "Lisbon"}',), "without Lisbon"),
    ],
)
def test_missing_names(labels, answer, references, missing):
    assert labels(answer, *references).get("missing name") == missing


@pytest.mark.parametrize(
    ("answer", "invented"),
    [
        ("Please ask Peter.", "Peter"),
        ("Please ask Maria or the Northwinds.", None),
        ("Das ist der Hund und die Katze von dem Mann.", None),
        ("Call `Peter()`.", None),
    ],
)
def test_invented_names(labels, answer, invented):
    found = labels(answer, "Please ask Maria.", prompt="who at northwind?")
    assert found.get("invented name") == invented


def test_names_and_numbers_of_earlier_turns_are_known(labels):
    from harness.records import Example, Prediction, ScoredExample
    from harness_detectors import Basic

    turns = (
        {"role": "user", "content": "Peter owes me 70 euros."},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "How much is it?"},
    )
    row = ScoredExample(Example("e", turns, ("It is as you said.",)), Prediction("e", ""), {})
    for text, kinds in (("It is 70 for Peter.", set()), ("It is 71.", {"invented number"})):
        answer = ScoredExample(row.example, Prediction("e", text), {})
        assert {x.category for x in Basic().detect(answer)} - {"low overlap"} == kinds
