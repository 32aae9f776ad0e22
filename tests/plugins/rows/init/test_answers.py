"""The kind of answers, on texts of many sorts."""

from __future__ import annotations

import json

import pytest

from harness.records import Answer, Example, ToolCall
from harness_rows.initial import answers
from harness_rows.initial.answers import look, of_rows

SENTENCES = [
    f"It comes on day {n} by the second train from {n} o'clock, as ever." for n in range(40)
]
NAMES = [f"Person {n} of Anytown" for n in range(40)]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["yes", "no", "no", "yes"] * 3, "labels"),
        (["Kündigung", "Rechnung", "Lieferung"] * 9, "labels"),
        ([f"intent {n}" for n in range(150)] * 5, "labels"),
        (["0", "1"] * 20, "labels"),
        ([str(n * 7) for n in range(40)], "numbers"),
        ([f"$ {n},000.50" for n in range(40)], "numbers"),
        ([json.dumps({"a": n}) for n in range(40)], "JSON"),
        ([json.dumps([n]) for n in range(39)] + ["none"], "JSON"),
        ([json.dumps({"a": 1})] * 40, "JSON"),
        (NAMES, "short"),
        (["same"] * 40, "short"),
        (["東京都" + str(n) for n in range(40)], "short"),
        (["東京都の天気は" * 9 + str(n) for n in range(40)], "long"),
        (SENTENCES, "long"),
        (NAMES[:20] + SENTENCES[:20], "long"),
        (["one row"], "short"),
    ],
)
def test_kind(texts, kind):
    assert look(texts).kind == kind


def test_labels_are_counted_and_rare_ones_seen():
    found = look(["a"] * 30 + ["b"] * 30 + ["c"] * 4)
    assert found.labels == (("a", 30), ("b", 30), ("c", 4)) and found.skewed
    assert not look(["a"] * 30 + ["b"] * 25).skewed
    assert not look(SENTENCES).skewed


def test_marked_results_and_code_are_seen():
    assert look([f"{text}\n#### {n}" for n, text in enumerate(SENTENCES)]).worked
    assert not look(SENTENCES).worked
    assert look([f"{text}\n```py\nx = {n}\n```" for n, text in enumerate(SENTENCES)]).fenced


def test_words_of_unspaced_scripts():
    assert answers.words("one two  three") == 3
    assert answers.words("東京都の") == 2


@pytest.mark.parametrize(("calling", "kind"), [(3, "calls"), (2, "short"), (0, "short")])
def test_answers_are_calls_where_most_rows_with_tools_call(calling, kind):
    call = Answer("", (ToolCall("light_on", {"room": "hall"}),)).text
    tool = {"type": "function", "function": {"name": "light_on"}}

    def row(n: int, *references: str) -> Example:
        asked = ({"role": "user", "content": f"Please {n}"},)
        return Example(f"r{n}", asked, references, "train", tools=(tool,))

    rows = [row(n, call if n < calling else f"Hello {n}") for n in range(4)]
    assert of_rows([*rows, row(9)]).kind == kind
