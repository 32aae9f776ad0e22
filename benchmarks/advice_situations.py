"""Situations of which it is known beforehand which lever is right, for ``advice.py``.

Their rows, settings, seed, the levers that are right and a check were written down here before
any of them was run. *Nothing left* was the first to run, and its check was not met: 0.37 after
four epochs, and 0.99 in its arm of twice the rate. So it was done once more with that rate, as
*nothing left, again*, and three that had not begun got longer trainings: *rate too low* also one
code in place of two and 2e-3 for the right rate, *too few rows* 24 rows and 8 epochs in place of
32 and 5, *wrong labels* 3 epochs in place of 2. Nothing else was changed after the first run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import advice_rows as rows

QUESTIONS = Path(__file__).resolve().parent.parent / "datasets" / "python-questions"
SEED = 11
WORTH = 0.05
SINCE_CHANGED = frozenset({"too few rows"})
"""Recorded with questions of the same kind made of the installed Python's code, by a source
that the program no longer has. The situation reads the shipped ones now."""
CLEARLY = 0.10
"""What a check asks for where it says *clearly*: twice the gain that would matter."""
SMOL = {"source": "pypi", "name": "smollm2-135m-instruct"}
LORA: Mapping[str, Any] = {"plugin": "lora", "r": 16, "alpha": 32, "batch_size": 8}
HIGHER = {"name": "higher rate", "set": {"train.learning_rate": 2e-3}}
LOWER = {"name": "lower rate", "set": {"train.learning_rate": 3e-4}}

Config = dict[str, Any]


def longer(epochs: int) -> Config:
    return {"name": "more epochs", "set": {"train.epochs": epochs}}


def questions(train: int) -> Config:
    """The shipped questions about code, of one file, so that all splits are alike."""
    sizes = {"train": train, "pool": 0, "dev": 100, "test": 20}
    columns = {"id": "id", "group": "group", "meta": ["kind"]}
    path = str(QUESTIONS / "pool.jsonl")
    return {"source": "rows", "path": path, "columns": columns, "sizes": sizes}


@dataclass(frozen=True)
class Situation:
    """One run.

    Attributes:
        right: the levers of which the first advice has to be one.
        data: the entry of the config, or the rows that it reads.
        train: the trainer's options beside those that all have.
        levers: `arms` and `models` of the config.
        answer: longest answer in tokens.
        check: what is asked of the scores, in words.
        met: that, of the checks' figures.
        instead: what another run has in place of this one's, if the check needs one.
    """

    name: str
    right: tuple[str, ...]
    data: Config | list[rows.Row]
    train: Config
    levers: Config
    answer: int
    check: str
    met: Callable[[Mapping[str, float]], bool]
    instead: Config = field(default_factory=dict)
    primary: str = "exact"
    model: Config = field(default_factory=lambda: dict(SMOL))


def gains(figures: Mapping[str, float]) -> bool:
    return figures["check"] - figures["round 1"] >= CLEARLY


SITUATIONS = (
    Situation(
        "too few rows", ("rows",), questions(24), {"epochs": 8, "learning_rate": 1e-3},
        {"arms": [HIGHER, LOWER]}, 24,
        "four times the rows, all else the same: at least 0.10 more", gains,
        {"data": questions(96)}, primary="json",
    ),
    Situation(
        "rate too low", ("settings",),
        rows.orders(SEED, {"train": 120, "dev": 120}, codes=1),
        {"epochs": 4, "learning_rate": 1e-5},
        {"arms": [
            {"name": "10 times the rate", "set": {"train.learning_rate": 1e-4}},
            {"name": "200 times the rate", "set": {"train.learning_rate": 2e-3}},
        ]}, 6,
        "learning rate 2e-3, all else the same: at least 0.10 more", gains,
        {"train": {**LORA, "epochs": 4, "learning_rate": 2e-3}},
    ),
    Situation(
        "half a model", ("model",), rows.kinds(SEED, {"train": 100, "dev": 120}),
        {"epochs": 3, "learning_rate": 1e-3},
        {"arms": [HIGHER, LOWER], "models": [SMOL]}, 5,
        "the whole model, all else the same: at least 0.10 more", gains, {"model": SMOL},
        model={"source": "local", "path": "half"},
    ),
    Situation(
        "a prompt suffices", ("prompt",), rows.capitals(SEED, {"train": 40, "dev": 100}),
        {"epochs": 3, "learning_rate": 3e-4},
        {"arms": [{"name": "higher rate", "set": {"train.learning_rate": 1e-3}}, longer(6)]}, 20,
        "round 1 is at most 0.05 better than the better prompt",
        lambda figures: figures["round 1"] - figures["prompt"] <= WORTH,
    ),
    Situation(
        "wrong labels", ("labels",), rows.tickets(SEED, {"train": 160, "dev": 120}, wrong=0.2),
        {"epochs": 3, "learning_rate": 1e-3}, {"arms": [HIGHER, LOWER]}, 5,
        "the same texts with the right labels, in train and in dev: at least 0.10 more", gains,
        {"data": rows.tickets(SEED, {"train": 160, "dev": 120}, wrong=0.0)},
    ),
    Situation(
        "nothing left", ("stop",), rows.orders(SEED, {"train": 120, "dev": 150}, codes=1),
        {"epochs": 4, "learning_rate": 1e-3}, {"arms": [HIGHER, LOWER]}, 6,
        "round 1 scores at least 0.98", lambda figures: figures["round 1"] >= 0.98,
    ),
    Situation(
        "nothing left, again", ("stop",), rows.orders(SEED, {"train": 120, "dev": 150}, codes=1),
        {"epochs": 5, "learning_rate": 2e-3},
        {"arms": [{"name": "half the rate", "set": {"train.learning_rate": 1e-3}}]}, 6,
        "round 1 scores at least 0.98", lambda figures: figures["round 1"] >= 0.98,
    ),
)  # fmt: skip


def digest(case: Situation) -> str:
    """What tells a situation from another of its name."""
    parts = [case.right, case.data, case.train, case.levers, case.answer, case.check]
    parts += [case.instead, case.primary, case.model, SEED, WORTH]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
