"""What makes a row the same row, and two sets of rows the same set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import pytest

from harness.records import Example, Message
from harness.run.row_keys import keys_of, overlap, row_keys


def row(name: str, *turns: tuple[str, str], references: tuple[str, ...] = ("yes",)) -> Example:
    messages: tuple[Message, ...] = tuple({"role": role, "content": text} for role, text in turns)
    return Example(name, messages, references, split="test")


def asking(number: int) -> Example:
    return row(f"t-{number}", ("user", f"Is number {number} open on Sunday?"))


def turns(rows: Iterable[Example]) -> frozenset[str]:
    return row_keys(rows).turns


ROWS = [asking(number) for number in range(20)]


def with_messages(
    change: Callable[[tuple[Message, ...]], tuple[Message, ...]],
) -> list[Example]:
    return [dataclasses.replace(one, messages=change(one.messages)) for one in ROWS]


def respelled(change: Callable[[str], str]) -> list[Example]:
    return with_messages(lambda turns: tuple({**t, "content": change(t["content"])} for t in turns))


def test_what_the_user_asks_is_the_row() -> None:
    for disguised in [
        with_messages(lambda turns: ({"role": "system", "content": "Be brief."}, *turns)),
        with_messages(lambda turns: ({"role": "developer", "content": "Be brief."}, *turns)),
        respelled(lambda text: text.removesuffix("?") + "."),
        respelled(lambda text: text.removesuffix("?")),
        respelled(lambda text: f"  {text.upper()}\n"),
        respelled(lambda text: "“" + text.replace(" ", "\u00a0") + "”"),
        [dataclasses.replace(one, references=("yes", "it is")) for one in ROWS],
        [dataclasses.replace(one, references=("yes.",)) for one in ROWS],
        [dataclasses.replace(one, id=f"x-{one.id}", group="g", meta={"a": 1}) for one in ROWS],
        ROWS[::-1],
    ]:  # fmt: skip
        assert turns(disguised) == turns(ROWS), disguised


def test_signs_that_carry_meaning_tell_rows_apart() -> None:
    sums = [row(sign, ("user", f"What is 12 {sign} 7?")) for sign in "+-*/"]
    assert len(turns(sums)) == 4
    assert not overlap(row_keys(sums[:2]), row_keys(sums[2:]))


def documents(first: int, last: int, system: str = "") -> list[Example]:
    """Rows that ask the same of other documents, which stand in the system turn."""
    return [
        row(f"d-{n}", ("system", f"{system}Document {n}"), ("user", "Summarise the document."))
        for n in range(first, last)
    ]


def test_rows_that_share_their_question_are_known_by_all_turns() -> None:
    assert len(turns(documents(0, 30))) == 30
    assert not overlap(row_keys(documents(0, 30)), row_keys(documents(30, 60)))
    assert overlap(row_keys(documents(0, 30)), row_keys(documents(27, 57)))


def conversations(first: int, last: int, *system: tuple[str, str]) -> list[Example]:
    return [
        row(f"c-{n}", *system, ("user", "Begin."), ("assistant", f"Part {n}"), ("user", "Go on."))
        for n in range(first, last)
    ]


def test_a_system_turn_makes_no_conversation_a_new_one() -> None:
    assert len(turns(conversations(0, 30))) == 30
    told = conversations(0, 30, ("system", "Be brief."))
    assert turns(told) == turns(conversations(0, 30))
    assert not overlap(row_keys(told), row_keys(conversations(30, 60)))


def test_each_question_under_two_system_turns_is_the_same_question() -> None:
    twice = [
        dataclasses.replace(one, messages=({"role": "system", "content": told}, *one.messages))
        for one in ROWS
        for told in ("Be brief.", "Be polite.")
    ]
    assert len(turns(twice)) == 40
    assert overlap(row_keys(twice), row_keys(ROWS))
    assert overlap(row_keys(ROWS), row_keys(twice))


def test_a_question_that_stands_there_twice_is_one_row() -> None:
    twice = [*ROWS, *(dataclasses.replace(one, references=("no",)) for one in ROWS)]
    assert turns(twice) == turns(ROWS)


def test_one_common_question_does_not_make_two_sets_one() -> None:
    others = [asking(number) for number in range(100, 120)]
    one = row("d", ("system", "Document 99"), ("user", "Summarise the document."))
    assert not overlap(row_keys([*others, one]), row_keys(documents(0, 30)))


def test_no_rows_are_no_set() -> None:
    assert not overlap(row_keys([]), row_keys(ROWS))
    assert not overlap(row_keys(ROWS), row_keys([]))
    assert not overlap(row_keys([]), row_keys([]))


def test_rows_are_the_same_with_words_around_them() -> None:
    for change in (
        lambda text: f"Question: {text}",
        lambda text: f"Please {text}",
        lambda text: f"{text} Answer with yes or no.",
        lambda text: text.removeprefix("Is "),
    ):
        reworded = respelled(change)
        assert overlap(row_keys(reworded), row_keys(ROWS))
        assert overlap(row_keys(ROWS), row_keys(reworded))
        others = [asking(number) for number in range(100, 120)]
        assert not overlap(row_keys(reworded), row_keys(others))


def test_a_few_rows_that_are_alike_make_no_set_the_same() -> None:
    others = [asking(number) for number in range(100, 118)]
    two = [dataclasses.replace(one, id="x") for one in respelled(lambda text: f"So: {text}")[:2]]
    three = respelled(lambda text: f"So: {text}")[:3]
    assert not overlap(row_keys([*others, *two]), row_keys(ROWS))
    assert overlap(row_keys([*others[:17], *three]), row_keys(ROWS))


def test_turns_that_an_earlier_version_wrote_down_count_as_they_did() -> None:
    earlier = keys_of(None, None, sorted(turns(ROWS)))
    assert earlier is not None and earlier.wordings is None
    assert overlap(row_keys(ROWS[:5]), earlier)
    assert not overlap(row_keys(respelled(lambda text: f"Question: {text}")), earlier)


@pytest.mark.parametrize(("common", "same"), [(2, True), (1, False)])
def test_a_tenth_of_the_smaller_set_is_enough(common: int, same: bool) -> None:
    other = [asking(number) for number in range(20 - common, 500)]
    assert overlap(row_keys(ROWS), row_keys(other)) is same


def passages(first: int, last: int, question: str) -> list[Example]:
    """Long, each of its own, with a question behind and one of two answers."""
    return [
        row(
            f"p-{n}",
            ("user", " ".join(f"House {n} has {n * k} doors to yard {n + k}." for k in range(9))
             + f" {question}"),
            references=(("yes", "no")[n % 2],),
        )
        for n in range(first, last)
    ]  # fmt: skip


@pytest.mark.parametrize(("again", "same"), [(8, False), (20, True)])
def test_other_questions_on_a_tenth_of_the_long_passages_make_a_set_the_same(
    again: int, same: bool
) -> None:
    old = passages(0, 100, "Was the mill of the village open before the bridge?")
    asked = "Did anybody see who had painted it?"
    new = [*passages(0, again, asked), *passages(200, 300 - again, asked)]
    assert overlap(row_keys(new), row_keys(old)) is same
    read = keys_of(row_keys(old).listed, row_keys(old).words, None)
    assert read is not None and overlap(row_keys(new), read) is same
