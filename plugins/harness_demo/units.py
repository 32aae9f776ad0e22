"""The task of ``harness demo teacher``: amounts in other units, whose answers can be computed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UNITS: Mapping[str, tuple[str, str, int]] = {
    "length": ("metres", "centimetres", 100),
    "weight": ("kilograms", "grams", 1000),
    "time": ("hours", "minutes", 60),
    "weeks": ("weeks", "days", 7),
    "years": ("years", "months", 12),
}
"""Kind -> the unit that is given, the one that is asked for, and how many of it make the first."""
WORDINGS = (
    "How many {b} are {n} {a}?", "{n} {a} in {b}?", "Convert {n} {a} to {b}.",
    "What is {n} {a} in {b}?", "Express {n} {a} as {b}.", "{n} {a} make how many {b}?",
    "Please turn {n} {a} into {b}.", "I have {n} {a}. How much is that in {b}?",
    "{b} for {n} {a}, please.", "Write {n} {a} as a number of {b}.",
)  # fmt: skip
RARE = ("weeks", "years")
"""Of these train has only a few rows, and the pool none."""
ROWS = {"train": 18, "pool": 16, "dev": 24, "test": 12}
"""Of each kind."""
FEW = 2
WRONG, STUCK = 0.2, 0.25
"""Share of the teacher's answers that are wrong, and of these the share that is wrong in the same
way each time."""
MOST = 400


def rows(seed: int) -> Iterator[dict[str, Any]]:
    """The rows of all splits, as the source ``jsonl`` reads them; no prompt stands in two."""
    draw = random.Random(f"rows/{seed}")
    used: set[str] = set()
    for split, count in ROWS.items():
        for kind in UNITS:
            rare = {"train": FEW, "pool": 0}.get(split, count) if kind in RARE else count
            for number in range(rare):
                prompt = _new(kind, draw, used)
                yield {
                    "id": f"{split}-{kind}-{number}", "split": split, "meta": {"kind": kind},
                    "messages": [{"role": "user", "content": prompt}],
                    "references": [right(prompt)],
                }  # fmt: skip


def _new(kind: str, draw: random.Random, used: set[str]) -> str:
    given, asked, _ = UNITS[kind]
    while True:
        number = draw.randint(2, MOST)
        prompt = draw.choice(WORDINGS).format(n=number, a=given, b=asked)
        if prompt not in used:
            used.add(prompt)
            return prompt


def right(prompt: str) -> str:
    """The answer to a prompt.

    Raises:
        ValueError: it is none of the task.
    """
    number = re.search(r"\d+", prompt)
    for given, asked, factor in UNITS.values():
        if number and f" {given}" in prompt and asked in prompt:
            return str(int(number.group()) * factor)
    raise ValueError(f"no amount is asked for: {prompt[:80]}")


def says(messages: Sequence[Mapping[str, Any]], seed: int) -> str:
    """What the teacher answers: rows, or the answer to a prompt; a share of them wrong."""
    asked = str(messages[-1]["content"])
    if "JSON array of objects" not in asked:
        return answered(asked, seed)
    draw = random.Random(f"{seed}/{asked}")
    count = int(asked.rpartition("Write ")[2].split()[0])
    wanted = [kind for kind in UNITS if f"kind = {kind}" in asked]
    prompts = [_new(draw.choice(wanted or list(UNITS)), draw, set()) for _ in range(count)]
    return json.dumps([{"prompt": text, "answer": answered(text, seed)} for text in prompts])


def answered(prompt: str, seed: int) -> str:
    """The teacher's answer: right, wrong this time, or wrong each time."""
    always = WRONG * STUCK
    of_prompt = random.Random(f"stuck/{prompt}")
    if of_prompt.random() < always:
        return _wrong(prompt, of_prompt)
    draw = random.Random(f"{seed}/{prompt}")
    if draw.random() < (WRONG - always) / (1 - always):
        return _wrong(prompt, draw)
    return right(prompt)


def _wrong(prompt: str, draw: random.Random) -> str:
    return str(int(right(prompt)) + draw.choice([-1, 1]) * draw.randint(1, 20))
