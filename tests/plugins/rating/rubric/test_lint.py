"""Advice on rubrics that are valid but hard to rate by."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness_rating.rubric import lint
from tests.plugins.rating.tiny import TINY, line_of, write

ANCHORS = "anchors: {1: wrong, 2: nearly, 3: correct}"
CHOICES = "{kind: choices, choices: [wrong facts, wrong tone]}"


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("Is it correct?", "Judge it.", "question: Judge", "is no question"),
        ("title: Accuracy", "title: Facts and style", "title: Facts", "asks two things at once"),
        (ANCHORS, "anchors: {1: wrong, 3: right}", "anchors", "levels without words: 2"),
        (ANCHORS, "anchors: {1: wrong, 2: Wrong, 3: right}", "anchors", "has the words of 1"),
        ("max: 3\n      " + ANCHORS, "max: 12\n      anchors: {1: a, 12: b}", "scale:",
         "over 9 values"),
        ("min: 1\n      max: 3\n      anchors: {1: wrong", "min: -1\n      max: 3\n      anchors: "
         "{-1: none, 1: wrong", "min: -1", "a level below 0 has no digit"),
        ("Read the answer.", "Read. " * 600, "instructions", "too long for a page"),
        ("Is it polite?", f"Is it {'very ' * 40}polite?", "question: Is it very", "too long"),
        ("3: correct", f"3: {'x' * 201}", "anchors", "too long for a page"),
        ("wrong tone]", f"{'x' * 41}]", "scale: {kind", "too long for a button"),
        ("title: Errors", "title: Tone", "title: Tone\n    question: What", "is the title of pol"),
        ("[topic]", "[model_name]", "meta", "may tell raters"),
        (CHOICES, CHOICES.replace("}", "}\n    keys: [x, y]"), "keys: [x, y]",
         "'y' means 'wrong tone' here and 'yes' in polite"),
        ("scale: text", "scale: text\n    weight: 2", "weight: 2\n    use_as", "has no effect"),
        ("{kind: choices, choices: [wrong facts, wrong tone]}\n    use_as: error_category",
         "{kind: choice, choices: [wrong facts, wrong tone]}\n    use_as: error_category",
         "use_as: error", "one must be chosen"),
        ("scale: binary", "scale: binary\n    ask_if: {later: yes}", "ask_if: {later",
         "depends on later, which comes later"),
    ],
)  # fmt: skip
def test_advice_is_given_with_its_line(path: Path, old: str, new: str, at: str, words: str) -> None:
    changes = [(old, new)]
    if "later" in new:
        extra = "  - {id: later, title: L, question: 'L?', scale: binary}\njudge: {bar: 0.7}"
        changes.append(("judge: {bar: 0.7}", extra))
    if "kind: choice," in new:
        changes.append(("errors: {has", "errors: {is"))
    text = write(path, *changes)
    found = [remark for remark in lint.lint(path) if words in remark.message]
    assert len(found) == 1, lint.lint(path)
    assert found[0].line_of(path).startswith(f"{path}:{line_of(text, at)}: {found[0].place}: ")


def test_good_advice_is_silent(path: Path) -> None:
    write(path)
    assert lint.lint(path) == []


def test_a_rubric_that_asks_for_nothing(path: Path) -> None:
    start = TINY.index("criteria:")
    rest = "criteria:\n  - {id: note, title: Note, question: 'What?', scale: text}\n"
    write(path, (TINY[start:], rest))
    told = " ".join(remark.message for remark in lint.lint(path))
    assert "no criterion must be answered" in told and "nothing gives a score" in told


def test_two_questions_in_one_are_found_in_other_languages(path: Path) -> None:
    write(
        path, ("title: Tiny", "title: Tiny\nlanguage: de"), ("title: Tone", "title: Ton und Stil")
    )
    assert ["'und'" in remark.message for remark in lint.lint(path)] == [True]
