"""Ways in which rows are written anew, for ``same_rows.py``: the answers stay what they were.

``TUNED`` stood beside the rule while it was made, ``NEW`` were written afterwards. ``BEYOND`` are
changes for which the rule was not made.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Sequence

from same_rows_worlds import sentence

from harness.records import Example, Message

Rows = Sequence[Example]
Reword = Callable[[Rows, Rows], list[Example]]
"""From rows and others from which examples are taken."""

FRONT = (
    "You are given a task. Read it with care, think about it step by step, and give the answer "
    "that is right, without any explanation.\n\n"
)
OPENINGS = (
    "Hi there, ", "Could you help me? ", "Quick question: ", "I wonder: ", "Now this. ",
)  # fmt: skip
MANNERS = ("", " Thanks!", " Be brief.")


def asking(change: Callable[[int, str], str]) -> Reword:
    """The last turn changed, by the place of the row and its text."""

    def changed(rows: Rows, others: Rows) -> list[Example]:
        return [
            dataclasses.replace(row, messages=(
                *row.messages[:-1], {**row.messages[-1], "content": change(number, row.prompt)}
            ))
            for number, row in enumerate(rows)
        ]  # fmt: skip

    return changed


def behind(turns: Callable[[int, Rows], Sequence[Message]]) -> Reword:
    """Turns put before the others, but for the system's."""

    def changed(rows: Rows, others: Rows) -> list[Example]:
        written = []
        for number, row in enumerate(rows):
            system = sum(turn["role"] in ("system", "developer") for turn in row.messages)
            told, asked = row.messages[:system], row.messages[system:]
            messages = (*told, *turns(number, others), *asked)
            written.append(dataclasses.replace(row, messages=messages))
        return written

    return changed


def _shot(row: Example) -> list[Message]:
    answer = row.references[0] if row.references else "Well."
    return [{"role": "user", "content": row.prompt}, {"role": "assistant", "content": answer}]


def _shots(rows: Rows) -> list[Message]:
    return [turn for row in rows for turn in _shot(row)]


def _own(number: int, others: Rows) -> list[Example]:
    return random.Random(7 * number).sample(list(others), 2)


def _without_first(number: int, text: str) -> str:
    return text.split(maxsplit=1)[-1] if len(text.split()) > 1 else text[1:]


def _without_last(number: int, text: str) -> str:
    return text.rsplit(maxsplit=1)[0] if len(text.split()) > 1 else text[:-1]


def _dated(number: int, text: str) -> str:
    draw = random.Random(number)
    return f"[2026-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}] {text}"


def _one_of(number: int, text: str) -> str:
    draw = random.Random(number)
    return f"{draw.choice(OPENINGS)}{text}{draw.choice(MANNERS)}"


def _typing_error(number: int, text: str) -> str:
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    if len(letters) < 2:
        return text
    place = random.Random(number).choice(letters)
    return text[:place] + text[place + 1 :]


def _another_word(number: int, text: str) -> str:
    words = text.split(" ")
    words[random.Random(number).randrange(len(words))] = "something"
    return " ".join(words)


def _passage(number: int, text: str) -> str:
    draw = random.Random(number)
    return f"Context: {'. '.join(sentence(draw) for _ in range(5))}.\n\n{text}"


def _shots_in_turn(rows: Rows, others: Rows) -> list[Example]:
    def shown(number: int, text: str) -> str:
        shots = [_shot(row) for row in _own(number, others)]
        said = "".join(f"Q: {asked['content']}\nA: {told['content']}\n\n" for asked, told in shots)
        return f"{said}Q: {text}\nA:"

    return asking(shown)(rows, others)


TUNED: dict[str, Reword] = {
    "`Question: ` before": asking(lambda n, text: f"Question: {text}"),
    "`Please ` before": asking(lambda n, text: f"Please {text[:1].lower()}{text[1:]}"),
    "an instruction behind": asking(lambda n, text: f"{text}\n\nAnswer in one word, no full stop."),
    "a long instruction before": asking(lambda n, text: FRONT + text),
    "a number (`7. `)": asking(lambda n, text: f"{n + 1}. {text}"),
    "a bullet (`- `)": asking(lambda n, text: f"- {text}"),
    "a date of the row's own (`[2026-03-14] `)": asking(_dated),
    "the first word left out": asking(_without_first),
    "two fixed examples as turns": behind(lambda n, others: _shots(others[:2])),
    "two examples of the row's own as turns": behind(lambda n, others: _shots(_own(n, others))),
    "`### Instruction:` and `### Response:`": asking(
        lambda n, text: f"### Instruction:\n{text}\n\n### Response:"
    ),
}
NEW: dict[str, Reword] = {
    "tags (`<question>`)": asking(lambda n, text: f"<question>\n{text}\n</question>"),
    "an instruction in another language": asking(
        lambda n, text: f"Bitte beantworte die folgende Frage auf Deutsch.\n\n{text}"
    ),
    "one of five beginnings": asking(lambda n, text: OPENINGS[n % len(OPENINGS)] + text),
    "one of fifteen beginnings and ends": asking(_one_of),
    "a word and a number (`Ticket 17: `)": asking(lambda n, text: f"Ticket {3 * n}: {text}"),
    "a greeting and its answer as turns": behind(
        lambda n, others: [
            {"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hi."}
        ]
    ),
    "in JSON": asking(lambda n, text: json.dumps({"question": text}, ensure_ascii=False)),
}  # fmt: skip
ANOTHER_QUESTION = {
    "the first word left out": ("single words", "calls to evaluate"),
}
"""Worlds in which the change takes away what is asked."""
BEYOND: dict[str, Reword] = {
    "the last word left out": asking(_without_last),
    "two examples of the row's own within the turn": _shots_in_turn,
    "a passage of the row's own before": asking(_passage),
    "one letter left out": asking(_typing_error),
    "one word replaced": asking(_another_word),
}
