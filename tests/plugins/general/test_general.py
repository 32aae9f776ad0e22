"""The probe ``general``: its data is what it says it is, and its rules are what people read."""

from __future__ import annotations

import json
from collections import Counter

from harness_general import General
from harness_general.general import RULES, obeys

WHOLE = General(General.Options(texts=200))


def test_texts_differ_and_registers_take_turns() -> None:
    pairs = list(WHOLE.texts())
    texts = [text for text, _ in pairs]
    assert len(texts) == len(set(texts)) == 200
    assert all(6 <= len(text.split()) <= 60 for text in texts)
    for count in (100, 200):
        registers = Counter(register for _, register in pairs[:count])
        assert len(registers) == 20 and len(set(registers.values())) == 1
    assert list(General(General.Options(texts=7)).texts()) == pairs[:7]


def test_there_are_enough_general_rows() -> None:
    rows = list(WHOLE.rows())
    assert len(rows) >= 150
    assert len({row.prompt for row in rows}) == len({row.id for row in rows}) == len(rows)
    assert all(reference.strip() for row in rows for reference in row.references)


def runs(text: str, words: int = 5) -> set[str]:
    found = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return {" ".join(found[place : place + words]) for place in range(len(found) - words + 1)}


def test_what_is_learned_has_nothing_in_common_with_what_is_measured() -> None:
    learned = set().union(*(runs(f"{row.prompt} \n {row.references[0]}") for row in WHOLE.rows()))
    asked = [row.prompt for row in WHOLE.instructions()]
    assert not learned & set().union(*map(runs, [*(text for text, _ in WHOLE.texts()), *asked]))
    assert not {p.casefold() for p in asked} & {row.prompt.casefold() for row in WHOLE.rows()}


def test_each_instruction_has_one_rule_that_some_answer_obeys() -> None:
    instructions = list(WHOLE.instructions())
    assert len(instructions) == len({row.id for row in instructions}) == 40
    for row in instructions:
        rule = json.loads(row.meta["rule"])
        assert len(rule) == 1 and set(rule) <= set(RULES)
        assert not WHOLE.right(row, "") and not WHOLE.right(row, "I do not know, sorry.")
        if "pattern" not in rule:
            told = rule["any_of"][0] if "any_of" in rule else f"{rule['number']}"
            assert WHOLE.right(row, told) and WHOLE.right(row, f"It is {told}.")
    patterns = {row.id: row for row in instructions if "pattern" in json.loads(row.meta["rule"])}
    right = {
        "upper-case": "RIVER", "repeat-word": "banana", "yes-no-fish": "Yes, they do.",
        "yes-no-stone": "No.", "count-to-five": "1, 2, 3, 4, 5",
        "list-of-three": "apple, pear, plum",
    }  # fmt: skip
    assert right.keys() == patterns.keys()
    assert all(WHOLE.right(patterns[name], answer) for name, answer in right.items())


def test_a_rule_is_a_simple_one() -> None:
    for rule, answer, right in [
        ({"any_of": ["Rome", "Roma"]}, "It's ROME!", True),
        ({"any_of": ["Rome"]}, "Romeo", False),
        ({"any_of": ["ate"]}, "late", False),
        ({"any_of": ["H2O", "H₂O"]}, "H₂O", True),
        ({"number": 12}, "7 + 5 = 12", True),
        ({"number": 12}, "7 + 5 is 12", False),
        ({"number": 12}, "12 of 13", True),
        ({"number": 12}, "Twelve.", True),
        ({"number": 1000}, "1,000", True),
        ({"number": 12}, "9" * 5000, False),
        ({"number": 3}, "٣", True),
        ({"pattern": "[Yy]es\\b.*"}, "  Yes, of course. ", True),
        ({"pattern": "[Yy]es\\b.*"}, "Yesterday", False),
        ({"pattern": "[^\\n,]+,[^\\n,]+,[^\\n,]+"}, "a,b\nc,d", False),
    ]:
        assert obeys(rule, answer) is right, rule
