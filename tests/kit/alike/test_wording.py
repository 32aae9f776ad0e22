"""Rows known again whose wording was changed, and others that are only like them."""

from __future__ import annotations

import base64
import dataclasses
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, strategies as st

from harness.kit.alike.wording import Wordings, in_common, wordings
from harness.records import Example, Message

ROOMS = ("kitchen", "cellar", "garden", "attic", "hall")
FRONT = "You are given a task. Read it with care, think about it, and give the right answer only.\n"


def row(text: str, *references: str) -> Example:
    return Example(text, ({"role": "user", "content": text},), references, split="test")


def sums(first: int, last: int) -> list[Example]:
    """Short, alike, each with an answer of its own."""
    return [row(f"What is {n} + {3 * n % 17}?", str(n + 3 * n % 17)) for n in range(first, last)]


def notes(first: int, last: int) -> list[Example]:
    """Of several words, with one of three labels."""
    draw = random.Random(first)
    return [
        row(
            f"Nurse {n} asks who of the {draw.choice(ROOMS)} has put {draw.randint(2, 99)} old "
            f"chairs beside the door of the {draw.choice(ROOMS)} before {draw.randint(1, 12)}",
            ("bill", "desk", "post")[n % 3],
        )
        for n in range(first, last)
    ]


def two_notes() -> list[Example]:
    """Longer ones."""
    pairs = zip(notes(0, 60), notes(100, 160), strict=True)
    return [row(f"{one.prompt} and {two.prompt}", "x") for one, two in pairs]


def kyoto(first: int, last: int) -> list[Example]:
    return [row(f"京都の{chr(0x4E00 + 7 * n)}通りはどこですか。", "道") for n in range(first, last)]


def bare(first: int, last: int) -> list[Example]:
    return [row(f"w{n}x", f"{n}") for n in range(first, last)]


SETS = {"sums": sums, "notes": notes, "kyoto": kyoto, "bare": bare}


def asking(change: Callable[[int, str], str]) -> Callable[[Sequence[Example]], list[Example]]:
    def changed(rows: Sequence[Example]) -> list[Example]:
        return [
            dataclasses.replace(
                row, messages=({"role": "user", "content": change(n, row.prompt)},)
            )
            for n, row in enumerate(rows)
        ]  # fmt: skip

    return changed


def behind(turns: Callable[[int], Sequence[Message]]) -> Callable[..., list[Example]]:
    def changed(rows: Sequence[Example]) -> list[Example]:
        return [
            dataclasses.replace(row, messages=(*turns(n), *row.messages))
            for n, row in enumerate(rows)
        ]

    return changed


def shot(number: int) -> list[Message]:
    asked = {"role": "user", "content": f"Which shelf holds volume {number}?"}
    return [asked, {"role": "assistant", "content": f"Shelf {number}"}]


REWORDINGS = {
    "question": asking(lambda n, text: f"Question: {text}"),
    "please": asking(lambda n, text: f"Please {text}"),
    "an instruction behind": asking(lambda n, text: f"{text}\n\nAnswer in one word."),
    "an instruction before": asking(lambda n, text: FRONT + text),
    "a wrapper": asking(lambda n, text: f"### Instruction:\n{text}\n\n### Response:"),
    "a number": asking(lambda n, text: f"{n + 1}. {text}"),
    "a date of the row's own": asking(lambda n, text: f"[2026-03-{n}] {text}"),
    "a bullet": asking(lambda n, text: f"- {text}"),
    "no first word": asking(lambda n, text: text.split(maxsplit=1)[-1]),
    "a fixed example": behind(lambda n: shot(0)),
    "an example of the row's own": behind(shot),
    "half of the rows": asking(lambda n, text: text if n % 2 else f"Question: {text}"),
    "an opening of eight": asking(lambda n, text: f"{'abcdefgh'[n % 8]} I ask you, {text}"),
}


@pytest.mark.parametrize("change", REWORDINGS.values(), ids=REWORDINGS)
@pytest.mark.parametrize("make", SETS.values(), ids=SETS)
def test_rows_are_known_again_whatever_was_written_around_them(
    make: Callable[[int, int], list[Example]], change: Callable[..., list[Example]]
) -> None:
    rows = make(0, 60)
    own, reworded = wordings(rows), wordings(change(rows))
    assert in_common(reworded, read(own)) >= 57
    if change is not REWORDINGS["an opening of eight"]:
        assert in_common(own, read(reworded)) >= 57
        assert in_common(read(own), read(reworded)) >= 57, "both as they are written down"
    others = wordings(change(make(60, 120)))
    assert in_common(others, read(own)) == in_common(own, read(others)) == 0


def read(written: Wordings) -> Wordings:
    return Wordings.unpacked(written.packed(), len(written.whole))


def test_two_rewordings_of_the_same_rows_are_the_same_rows() -> None:
    one = wordings(REWORDINGS["question"](sums(0, 60)))
    other = wordings(REWORDINGS["an instruction behind"](sums(0, 60)))
    assert in_common(other, read(one)) == 60


def test_another_answer_is_another_row() -> None:
    rows = REWORDINGS["question"](sums(0, 60))
    others = wordings([dataclasses.replace(row, references=("no",)) for row in rows])
    assert in_common(others, read(wordings(sums(0, 60)))) == 0
    both = wordings([dataclasses.replace(row, references=("no", *row.references)) for row in rows])
    assert in_common(both, read(wordings(sums(0, 60)))) == 60, "one in common is enough"


def test_few_rows_that_go_on_where_others_end_are_others() -> None:
    kinds = ("jazz", "rock", "folk", "soul", "punk", "opera", "blues", "swing")
    short = [row(f"play {kind} {n}", "music") for kind in kinds for n in range(5)]
    singers = ("by Nina Simone", "by Bach", "in the hall", "tonight", "by Queen", "at noon", "now")
    longer = [row(f"play {kind} {n} {singers[n]}", "music") for kind in kinds[:4] for n in range(1)]
    others = [row(f"call {name} {n}", "call") for name in kinds for n in range(5)]
    assert in_common(wordings([*longer[:3], *others]), read(wordings(short))) == 0
    # Where all rows go on alike, nothing tells them from the same rows with words added.
    assert in_common(wordings([*longer, *others[:36]]), read(wordings(short))) == 4


def test_a_row_of_ten_words_that_goes_on_is_another_row() -> None:
    things = ("milk", "bread", "soup", "tea", "rice", "salt", "wood", "wine")
    ends = ("at seven", "on foot", "in an hour", "for mum", "by bus", "before noon", "now", "soon")
    short = [row(f"do not let me forget to fetch {what} today", "reminder") for what in things]
    longer = [row(f"{one.prompt} {end}", "reminder") for one, end in zip(short, ends, strict=True)]
    calls = [row(f"call nurse {n} of ward {n * n}", "call") for n in range(30)]
    first, second = wordings([*short, *calls[:15]]), wordings([*longer, *calls[15:]])
    assert in_common(second, read(first)) == in_common(first, read(second)) == 0


def test_a_long_row_is_known_within_a_passage_of_its_own() -> None:
    passages = asking(lambda n, text: f"Ward {n * n} lies in the west of hall {7 * n}. Now: {text}")
    assert in_common(wordings(passages(two_notes())), read(wordings(two_notes()))) == 60


def test_one_changed_word_in_a_long_row_is_nearly_the_same() -> None:
    def renamed(n: int, text: str) -> str:
        return text.replace("chairs", "stools")

    rows = two_notes()
    assert in_common(wordings(asking(renamed)(rows)), read(wordings(rows))) >= 48


WORDS = st.lists(
    st.sampled_from(["is", "it", "12", "+", "7", "open", "on", "京都", "Straße"]), max_size=14
)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12))
def test_what_is_written_down_is_read_again_and_is_itself(
    texts: list[tuple[list[str], ...]],
) -> None:
    rows = [row(" ".join(asked), " ".join(said)) for asked, said in texts]
    own = wordings(rows)
    assert read(own).packed() == own.packed()
    told = any(row.prompt for row in rows)  # an operator counts as a word does
    assert (in_common(own, read(own)) > 0) is told


def test_no_word_can_be_read_from_what_is_written_down() -> None:
    written = base64.b64decode(wordings(notes(0, 60)).packed())
    assert len(written) <= 75 * 60
    assert not any(word.encode() in written for word in ("kitchen", "Nurse", "chairs", "desk"))


@pytest.mark.parametrize(
    "text", ["", "AAAA", "no base 64", wordings(sums(0, 3)).packed()[:-4],
             wordings(sums(0, 4)).packed()],
)  # fmt: skip
def test_what_was_not_written_of_so_many_rows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"digests|base64|padding|Invalid|Incorrect|Only"):
        Wordings.unpacked(text, 3)
