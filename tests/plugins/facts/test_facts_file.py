"""Reading a file of facts: which rows it speaks of, and all that can be wrong with it."""

from __future__ import annotations

import pytest

import harness
from harness_facts.facts_file import read
from harness_facts.words import words

GOOD = """\
same: {kg: [kilo, kilos]}
every: [[vet, veterinarian]]
meta:
  animal: {cat: ["9 kg"], 7: [seven]}
  adult: {true: [grown]}
groups: {litter-1: {forbidden: [bite*]}}
rows:
  12: [whiskers]
  b: {required: ["20"], forbidden: [dog]}
"""


@pytest.fixture
def facts(tmp_path):
    def made(text):
        path = tmp_path / "facts.yaml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return made


def counts(file, row, meta=None, group=None):
    found = file.of(harness.Example(row, (), (), meta=meta or {}, group=group))
    return len(found.required), len(found.forbidden)


def test_all_parts_that_name_a_row_count(facts):
    file = facts(GOOD)
    assert counts(file, "x") == (1, 0)
    assert counts(file, "12", {"animal": "cat"}, "litter-1") == (3, 1)
    assert counts(file, "b", {"animal": 7, "adult": True}) == (4, 1)
    assert counts(file, "x", {"animal": "dog", "adult": False}, "litter-2") == (1, 0)


def test_words_that_are_the_same(facts):
    file = facts(GOOD)
    required = file.of(harness.Example("x", (), (), meta={"animal": "cat"})).required
    answer = words("Nine kilos, says the veterinarian.", file.same)
    assert [fact.stated(answer) for fact in required] == [True, True]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rows: {a: [x]}\nrow: {b: [x]}\n", 2, "unknown key, did you mean 'rows'?"),
        ("rows: {a: [x]}\nfacts: 1\n", 2, "unknown key"),
        ("rows: [x]\n", 1, "a mapping is needed"),
        ("rows:\n  a: x\n", 2, "a list of facts is needed"),
        ("rows:\n  a: []\n", 2, "a list of facts is needed"),
        ("rows:\n  a: {required: x}\n", 2, "a list of facts is needed"),
        ("rows:\n  a: {needed: [x]}\n", 2, "`required` and `forbidden`"),
        ("rows:\n  a: {required: [x], never: [y]}\n", 2, "unknown key; known: required"),
        ("rows:\n  a: [x, {y: z}]\n", 2, "a text is needed, not {'y': 'z'}"),
        ("rows:\n  a: [true]\n", 2, "a text is needed, not True"),
        ("rows:\n  a: [null]\n", 2, "a text is needed, not None"),
        ("rows:\n  a:\n  - x\n  - '... 5'\n", 4, "the wording '... 5' has `...` elsewhere"),
        ("rows:\n  a: {required: [x], forbidden: [X]}\n", 2, "required and forbidden"),
        ("every: []\n", 1, "a list of facts is needed"),
        ("same: {day: days}\nevery: [x]\n", 1, "a list of words is needed"),
        ("same: {day: [two days]}\nevery: [x]\n", 1, "one word is needed, not 'two days'"),
        ("same: {day: [5]}\nevery: [x]\n", 1, "one word is needed, not 5"),
        ("same:\n  a: [c]\n  b: [c]\nevery: [x]\n", 3, "'c' stands for two words"),
        ("same:\n  a: [b]\n  b: [c]\nevery: [x]\n", 3, "'b' stands for another word itself"),
        ("same: {a: [b]}\n", None, "lists no facts"),
        ("", None, "lists no facts"),
        ("rows: {a: [x]\n", 2, "not well-formed"),
        ("- a\n", 1, "a config is a mapping"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(facts, tmp_path, text, line, message):
    with pytest.raises(harness.ConfigError) as caught:
        facts(text)
    told = "\n".join([str(caught.value), caught.value.where or "", *caught.value.details])
    assert message in told
    assert f"facts.yaml:{line}" in told if line else "facts.yaml" in told


def test_all_problems_are_told_at_once(facts):
    with pytest.raises(harness.ConfigError) as caught:
        facts("rows:\n  a: x\n  b: [true]\nevery: y\n")
    assert len(caught.value.details) == 3


def test_no_file_and_a_file_too_large(tmp_path):
    with pytest.raises(harness.ConfigError, match="no such file of facts"):
        read(tmp_path)
    path = tmp_path / "large.yaml"
    path.write_text("#" * (4 * 1024 * 1024 + 1), encoding="utf-8")
    with pytest.raises(harness.ConfigError, match="at most 4 MiB"):
        read(path)
