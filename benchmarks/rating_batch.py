"""A batch without a model, and what its raters do: a known opinion of each answer, and noise."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.records import Example
from harness.records.rubrics import Criterion
from harness_rating.batches.records import Batch, Event
from harness_rating.batches.sampling import Candidate
from harness_rating.batches.spec import BatchSpec
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.file import find, load

RUBRIC = "everyday"
START = datetime(2026, 11, 25, 9, tzinfo=UTC)
TEXT = (
    "the invoice of last month was paid on Monday so please wait for our answer before you send "
    "another one and tell us the number of your account if the amount is not what you expected"
)


def made(root: Path, raters: int, examples: int, overlap: float, seed: int = 0) -> Batch:
    """A batch in ``root`` of that many raters and examples, two of them to a group."""
    rng = random.Random(seed)
    candidates = [
        Candidate(
            Example(
                f"row-{n}", ({"role": "user", "content": f"Question {n}: {_text(rng, 30)}?"},),
                (_text(rng, 50),), "dev", f"group-{n // 2}",
            ),
            {1: _text(rng, 80)}, None, {}, {},
        )
        for n in range(examples)
    ]  # fmt: skip
    names = tuple(f"rater-{n:02}" for n in range(raters))
    order = BatchSpec(
        load(find(RUBRIC)), "benchmark", 1, names, n=examples, overlap=overlap, seed=seed
    )
    return RatingsFolder(root).create(order, candidates)


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(TEXT.split(), k=words))


def examples_for(ratings: int, raters: int) -> int:
    """Examples, each to two raters, that are enough for so many ratings."""
    scored = sum(one.scale.kind == "ordinal" for one in load(find(RUBRIC)).criteria)
    return -(-ratings // (2 * scored)) + raters


def planned(batch: Batch, ratings: int, seed: int = 1) -> dict[str, list[Event]]:
    """Rater -> events, as many of each rater; one in fifty replaces the rating before it."""
    opinions: dict[str, float] = {}
    found: dict[str, list[Event]] = {}
    for place, rater in enumerate(batch.raters):
        rng = random.Random(seed * 1000 + place)
        share = (place + 1) * ratings // len(batch.raters) - place * ratings // len(batch.raters)
        events = _of(batch, rater, opinions, rng)
        found[rater] = [next(events) for _ in range(share)]
    return found


def _of(
    batch: Batch, rater: str, opinions: dict[str, float], rng: random.Random
) -> Iterator[Event]:
    """A rater's events, without end only if the batch has enough items."""
    severity, tick = rng.gauss(0, 0.4), 0
    for item in batch.assignments[rater]:
        known = batch.placings[item].repeat_of or item
        opinion = opinions.setdefault(known, rng.gauss(3.5, 1)) + severity
        for criterion in batch.rubric.criteria:
            for _ in range(2 if rng.random() < 0.02 else 1):
                value = _value(criterion, opinion, rng)
                if value is None:
                    continue
                tick += 1
                at = (START + timedelta(seconds=5 * tick)).isoformat(timespec="milliseconds")
                yield Event(
                    uuid.UUID(int=rng.getrandbits(128)).hex, rater, item, criterion.id, "set",
                    value, at.replace("+00:00", "Z"), 5.0 * (1 + tick % 6),
                )  # fmt: skip


def _value(criterion: Criterion, opinion: float, rng: random.Random) -> Any:
    scale = criterion.scale
    if scale.kind == "ordinal":
        least, most = int(scale.least or 0), int(scale.most or 0)
        return min(most, max(least, round(opinion + rng.gauss(0, 0.6))))
    if scale.kind == "choices" and opinion < 3.5:
        return [choice for choice in scale.choices if rng.random() < 0.2]
    return None


def write(root: Path, batch: Batch, plan: Mapping[str, Sequence[Event]]) -> None:
    """The events on the disk, as if raters had been there."""
    for rater, events in plan.items():
        Events(root / batch.name, rater).extend(events)


def standing(plan: Mapping[str, Sequence[Event]]) -> dict[tuple[str, str, str], Any]:
    """(rater, item, criterion) -> what the plan comes to, told without the program's own fold."""
    every = (event for events in plan.values() for event in events)
    return {(one.rater, one.item, one.criterion): one.value for one in every}
