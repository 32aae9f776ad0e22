"""A rubric with every kind of scale, answers of two rounds, and batches made of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import open_run
from harness.records import Example
from harness.records.rubrics import Criterion, Overall, Rubric, Scale, Show
from harness_rating.batches.candidates import candidates as candidates_of
from harness_rating.batches.records import FOLDER, Batch, Event
from harness_rating.batches.sampling import Candidate
from harness_rating.batches.spec import BatchSpec
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.file import load

LEVELS = {"1": "wrong", "5": "right"}
CRITERIA = (
    Criterion("quality", "Quality", "How good?", Scale("ordinal", 1, 5, LEVELS), allow_na=True),
    Criterion("polite", "Polite", "Is it polite?", Scale("binary")),
    Criterion("degrees", "Degrees", "How warm?", Scale("number", -10, 10), ask_if={"polite": "no"}),
    Criterion("tone", "Tone", "Which tone?", Scale("choice", choices=("warm", "cold"))),
    Criterion("errors", "Errors", "What is wrong?",
              Scale("choices", choices=("wrong facts", "=1+1", "a; b")), use_as="error_category"),
    Criterion("better", "Better", "Say it better.", Scale("text"), use_as="reference"),
)  # fmt: skip
PREFERENCE = (Criterion("preference", "Preference", "Which?", Scale("pairwise")),)
VALUES: dict[str, tuple[Any, ...]] = {
    "quality": (1, 4, 5, None), "polite": (True, False), "degrees": (-2, 0.5, 10),
    "tone": ("warm", "cold"), "errors": ([], ["wrong facts"], ["wrong facts", "=1+1", "a; b"]),
    "better": ("So, then.", "=1+1", "two\nlines"),
}  # fmt: skip


def rubric(criteria: tuple[Criterion, ...] = CRITERIA, **changed: Any) -> Rubric:
    fields: dict[str, Any] = {
        "id": "small", "version": 1, "title": "Small", "language": "en", "instructions": "Read.",
        "show": Show("always", False, ("topic",)), "criteria": criteria, "overall": Overall(),
        "judge": {"model": "judging-model"}, "digest": f"digest of {criteria[0].id}",
    }  # fmt: skip
    return Rubric(**{**fields, **changed})


def candidates(count: int = 40, groups: int = 40) -> list[Candidate]:
    return [
        Candidate(
            Example(
                f"row-{n}",
                (
                    {"role": "system", "content": "be brief", "model": "secret-model"},
                    {"role": "user", "content": f"question {n}?", "id": f"row-{n}"},
                ),
                (f"reference {n}",), "dev", f"group-{n % groups}",
                {"topic": "abc"[n % 3], "hidden": "secret-field"},
            ),
            {0: f"old answer {n}", 3: f"new answer {n}"},
            None if n == 7 else n / count,
            {"one": n / count, "other": (count - n) / count if n % 10 == 0 else n / count},
            {0: n % 4 == 0, 3: n % 4 == 0 if n % 5 else n % 4 != 0},
        )
        for n in range(count)
    ]  # fmt: skip


def order(given: Rubric | None = None, **changed: Any) -> BatchSpec:
    fields: dict[str, Any] = {"run": "secret-run-1", "round": 3, "raters": ("ana", "bo"), "n": 20}
    return BatchSpec(given or rubric(), **{**fields, **changed})


def batch(root: Path, given: Rubric | None = None, **changed: Any) -> Batch:
    return RatingsFolder(root).create(order(given, **changed), candidates())


_times, _ids = itertools.count(), itertools.count()


def event_id() -> str:
    """Ids grow: of two events of one millisecond the later one counts."""
    return f"{next(_ids):032x}"


def event(rater: str, item: str, criterion: str = "", kind: Any = "set", value: Any = None,
          **changed: Any) -> Event:  # fmt: skip
    """An event a millisecond after the one before."""
    tick = next(_times)
    at = f"2026-11-25T15:{tick // 60_000:02}:{tick // 1000 % 60:02}.{tick % 1000:03}Z"
    fields = {"at": at, "seconds": 4.5, "id": event_id(), **changed}
    return Event(rater=rater, item=item, criterion=criterion, kind=kind, value=value, **fields)


def rate(
    made: Batch, rater: str, values: Callable[[str], Mapping[str, Any]], root: Path = FOLDER
) -> list[Event]:
    """Keep a rater's values of all items: ``values(item)`` is criterion -> value."""
    found = [
        event(rater, item, criterion, value=value)
        for item in made.assignments[rater]
        for criterion, value in values(item).items()
    ]
    Events(root / made.name, rater).extend(found)
    return found


def batch_of_run(
    run: str, path: Path | str, rounds: Sequence[int], raters: Sequence[str] = ("ana",),
    **changed: Any,
) -> Batch:  # fmt: skip
    """A batch of a stored run's answers to dev, by the rubric of a file."""
    fields = {"repeats": 0.0, **changed}
    spec = BatchSpec(load(Path(path)), run, rounds[0], tuple(raters), *rounds[1:], **fields)
    found = candidates_of(open_run(run), spec.rounds, "dev", spec.strategy)
    return RatingsFolder().create(spec, found)


def some_of_everything(made: Batch, rater: str = "ana") -> list[Event]:
    """Every value of every criterion, a mark of each kind, a comment, and something taken back."""
    items = made.assignments[rater]
    supply = {name: itertools.cycle(values) for name, values in VALUES.items()}
    found = [
        event(rater, item, criterion.id, "set", next(supply[criterion.id]))
        for item in items[:-2]
        for criterion in made.rubric.criteria
    ]
    found.append(event(rater, items[0], "better", "clear"))
    found.append(event(rater, items[1], kind="flag", value=True))
    found.append(event(rater, items[-1], kind="skip"))
    found.append(event(rater, items[2], kind="comment", value="@SUM(1,1) looks wrong"))
    return found
