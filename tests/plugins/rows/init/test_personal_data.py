"""Personal data: `init`, `check` and `data check` say how many rows hold what, and print none."""

from __future__ import annotations

import json

import pytest

from harness_rows.cleaning.private import counting
from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.values import KINDS

CARD, MAIL, PHONE = "4111 1111 1111 1111", "max.muster@example.com", "+49 170 1234567"
THINGS = ["invoice", "roaming", "tariff", "router", "contract", "address", "branch"]
MATTERS = ["cheque", "refund", "data", "line", "month", "fee", "number", "delay", "device"]


def rows(count: int) -> list[dict[str, str]]:
    """Every fourth with a number and an address; ten nearly repeat the first ones."""
    made = [
        {"question": f"What of the {MATTERS[n % 9]} for the {THINGS[n % 7]}, case {n}? Write to "
                     f"{MAIL} of the shop in {n} days, says the letter that came today.",
         "answer": f"Ring {PHONE}, {n}" if n % 4 == 0 else f"It is {n * n} of them."}
        for n in range(count)
    ]  # fmt: skip
    made[7]["answer"] = f"By card {CARD}."
    return made + [{**row, "question": row["question"] + " Thanks!"} for row in made[:10]]


def test_all_three_say_what_is_held_and_print_nothing_of_it(empty):
    text = "".join(json.dumps(row) + "\n" for row in rows(90))
    (empty.folder / "rows.jsonl").write_text(text, "utf-8")
    for command in (("init", "rows.jsonl"), ("check",), ("data", "check")):
        done = empty.inside(*command)
        said = " ".join((done.out + done.err).split())
        assert "100 of 100 rows hold what may be personal data: mail addresses in 100, card" in said
        assert "harness data redact" in said
        for value in (CARD, MAIL, PHONE, "max.muster"):
            assert value not in said


def test_near_repeats_are_shown_with_tokens_in_place_of_values(empty):
    folder = empty.folder / "rows"
    folder.mkdir()
    made = rows(90)
    for split, part in (
        ("train", made[:60]),
        ("dev", made[60:80] + made[90:]),
        ("test", made[80:90]),
    ):
        lines = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"{split}.jsonl").write_text(lines, "utf-8")
    empty.inside("init", "rows")
    done = empty.inside("check")
    assert "similarity" in done.out and "<EMAIL_1>" in done.out
    assert MAIL not in done.out


def test_nothing_is_said_where_nothing_is_held():
    assert counting.sentence(counting.kinds_in(["How many are 12 of 13?"]), 1, 1) == ""


def test_the_size_of_a_sample_is_said():
    held = counting.kinds_in([MAIL, "x", f"{MAIL} and 203.0.113.7"])
    told = counting.sentence(held, 3, 50_000)
    assert told == (
        "2 of 3 rows drawn at random from 50,000 hold what may be personal data: "
        "mail addresses in 2, IP addresses in 1"
    )
    assert counting.remedy(held).endswith("(IP addresses with --kind ip)")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_word(kind):
    assert counting.WORDS[kind]


def test_a_masked_text_holds_no_value():
    assert Finders(KINDS).find(counting.masked(f"{MAIL} {CARD}")) == []
