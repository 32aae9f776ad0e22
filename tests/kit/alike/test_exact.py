"""Exact repeats: held-out prompts in other rows, and rows that teach the same."""

from __future__ import annotations

from dataclasses import replace

from harness.kit.alike.exact import HeldOutPrompts, dev_in_test, grouped, later, lesson
from harness.kit.alike.texts import RowTexts, prompt_key
from harness.records import Example


def turns(*contents):
    roles = ("user", "assistant")
    return tuple({"role": roles[place % 2], "content": c} for place, c in enumerate(contents))


def row(id, prompt, split="train", answer="Yes."):
    messages = prompt if isinstance(prompt, tuple) else turns(prompt)
    return Example(id, messages, (answer,), split)


def test_digits_and_operators_count():
    for other in ["12 * 7", "12 / 7", "-12 - 7", "12 - 70", "1 2 - 7", "12.7"]:
        held = HeldOutPrompts([row("d", "What is 12 - 7?", "dev", "5")])
        assert held.repeated_by(RowTexts(row("x", f"What is {other}?"))) is None, other
        assert held.repeated_by(RowTexts(row("x", "what is  12 - 7?"))) is not None, other


def test_a_held_out_conversation_is_found_only_with_the_turns_before_it():
    held = HeldOutPrompts(
        [row("d", turns("Is line 4 down?", "Shall I test?", "Yes."), "dev", "OK")]
    )
    inside = turns("Hi", "Hello", "Is line 4 down?", "Shall I test?", "Yes.", "OK", "Thanks")
    other = turns("Is line 5 down?", "Shall I test?", "Yes.", "OK", "Thanks")
    assert held.repeated_by(RowTexts(row("x", inside))) is not None
    assert held.repeated_by(RowTexts(row("x", other))) is None


def test_rows_that_teach_the_same_are_found_but_for_white_space():
    first = row("a", "Is the ferry late?", answer="At nine.")
    rows = [
        first,
        row("b", "Is the  ferry\nlate?", answer=" At nine."),
        replace(first, id="c", references=("At ten.",)),
        row("d", "is the ferry late?"),
    ]
    assert [again.id for again in later(rows, lesson)] == ["b"]


def test_half_a_surrogate_pair_is_a_text_like_any_other():
    rows = [row("a", "Is it \ud800?"), row("b", "Is it \ud801?"), row("c", "Is it \ud800?")]
    assert [again.id for again in later(rows, lesson)] == ["c"]


def test_rows_of_test_that_ask_what_dev_asks():
    rows = [row("d", "Is it late?", "dev"), row("t", "IS IT LATE", "test"),
            row("u", "Is it so late?", "test"), row("r", "Is it late?")]  # fmt: skip
    prompts = grouped(rows, lambda row: prompt_key(row.messages))
    assert [[row.id for row in same] for same in prompts.values()] == [["d", "t", "r"], ["u"]]
    assert [row.id for row in dev_in_test(prompts)] == ["t"]
