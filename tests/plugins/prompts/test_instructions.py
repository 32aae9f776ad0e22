"""What an answer has to look like, from the answers of train."""

from __future__ import annotations

import json

import pytest

import harness
from harness_prompts.prompted import instructions

ALONE = ", and write nothing else."


def rows(*answers: str) -> list[harness.Example]:
    turn = {"role": "user", "content": "?"}
    return [harness.Example(str(n), (turn,), (text,)) for n, text in enumerate(answers)]


def test_the_form_of_the_answers_is_said() -> None:
    for answers, said in [
        (['{"a": 1}', '{"a": []}'], 'Answer with one JSON object with the key "a"' + ALONE),
        (
            ['{"a": 1, "b": 2}', '{"b": 0, "a": 3}'],
            'Answer with one JSON object with the keys "a", "b"' + ALONE,
        ),
        (
            ['{"a": 1}', '{"b": 0}'],
            'Answer with one JSON object with one of the keys "a", "b"' + ALONE,
        ),
        (
            ['{"a": 1, "b": 1}', '{"b": 0}'],
            'Answer with one JSON object with some of the keys "a", "b"' + ALONE,
        ),
        (["{}", "{}"], "Answer with one JSON object and write nothing else."),
        (["[1]", "[]"], "Answer with a JSON list and write nothing else."),
        (["[1]", '{"a": 1}'], "Answer in JSON, with a list or an object" + ALONE),
        (
            ["yes"] * 6 + ["no"] * 5 + ["maybe"] * 7,
            "Answer with exactly one of these, and write nothing else: maybe; yes; no",
        ),
        (["one two three", "a b c d e"], "Answer in about 4 words" + ALONE),
        (["word"], "Answer in about 1 word" + ALONE),
        (["3", "14"], "Answer in about 1 word" + ALONE),
        (["漢" * 40, "字" * 60], "Answer in about 50 characters" + ALONE),
    ]:
        assert instructions(rows(*answers)) == said, answers


def test_many_keys_are_not_listed() -> None:
    many = json.dumps({f"key{n}": n for n in range(40)})
    assert instructions(rows(many, many)) == "Answer with one JSON object and write nothing else."


def test_few_answers_that_are_seldom_repeated_are_no_labels() -> None:
    assert instructions(rows("yes", "no", "maybe", "yes")).startswith("Answer in about 1 word")


def test_without_an_answer_nothing_can_be_made() -> None:
    turn = {"role": "user", "content": "?"}
    with pytest.raises(harness.ConfigError, match="no row of train has a reference") as found:
        instructions([harness.Example("a", (turn,))])
    assert "system: TEXT" in found.value.hint


@pytest.mark.parametrize(
    ("calling", "spoken", "said"),
    [
        (4, (), "Answer with calls of the tools that are offered, and write nothing else."),
        (
            4,
            ("I cannot do that.", "Which room do you mean?"),
            "Where tools that are offered do what is asked, call them, and write nothing else. "
            "Else: Answer in about 4 words, and write nothing else.",
        ),
        (1, ("yes", "no"), "Answer in about 1 word, and write nothing else."),
    ],
)
def test_where_most_answers_call_tools_that_is_asked(calling, spoken, said):
    call = harness.Answer("", (harness.ToolCall("light", {"room": "hall"}),)).text
    turn = {"role": "user", "content": "Go"}
    answers = [*[call] * calling, *spoken]
    train = [
        harness.Example(str(n), (turn,), (answer,), tools=({},)) for n, answer in enumerate(answers)
    ]
    assert instructions(train) == said
