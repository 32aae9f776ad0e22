"""What a file of ratings has to be, whatever its form: of this batch, its rubric, its raters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness import DataError, near
from harness.kit.text import one_line, storable_json
from harness_rating.batches.records import Batch, Event
from harness_rating.ratings.events import problem
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric import scales

_MOST_TOLD = 5
_NO_TIME = "9999"

Lines = Sequence[tuple[int, Event]]
"""Events with the lines that they stand in."""


def refuse(path: Path, line: int, what: str, hint: str = "", more: Sequence[str] = ()) -> NoReturn:
    """Raise the one error that says what is wrong with a file."""
    tail = "nothing was imported"
    raise DataError(f"{what}; {tail}", where=f"{path}:{line}", hint=hint, details=more)


def batch_of(path: Path, line: int, folder: RatingsFolder, name: Any, rubric: Any) -> Batch:
    """The batch that a file names, if the file was made for it as it is now."""
    names = folder.names()
    if name not in names:
        name = one_line(str(name), 60)
        have = f"there are: {', '.join(names)}" if names else "there is none"
        refuse(path, line, f"there is no batch '{name}' here{near(name, names)}; {have}",
               "run it in the folder where the batch was made")  # fmt: skip
    batch = folder.batch(name)
    if rubric != batch.rubric_name:
        by = one_line(str(rubric), 60)
        refuse(path, line, f"it was rated by rubric {by}, and the batch has {batch.rubric_name}",
               "ratings of another wording cannot be mixed in; rate them in a batch of their own",
        )  # fmt: skip
    return batch


def checked_event(batch: Batch, event: Event) -> Event:
    """The event as it is kept: its value in the one form of its scale.

    Raises:
        DataError: it is no event of this batch.
    """
    trouble = problem(batch, event)
    if trouble is not None:
        raise DataError(trouble)
    if event.at >= _NO_TIME:
        raise DataError(f"its time, {event.at}, leaves none for what is said after it")
    value = event.value
    if event.kind == "set":
        value = scales.check(batch.rubric.criterion(event.criterion), value)
    return dataclasses.replace(event, value=storable_json(value))


def refuse_all(path: Path, wrong: Sequence[tuple[int, str]], hint: str = "") -> None:
    """Refuse the file if there is anything wrong: the first in full, some more below it."""
    if not wrong:
        return
    (line, what), *rest = wrong
    more = [f"{path}:{number}: {also}" for number, also in rest[:_MOST_TOLD]]
    more += [f"and {len(rest) - _MOST_TOLD} more"] if len(rest) > _MOST_TOLD else []
    refuse(path, line, what, hint or "correct it, or export the file again", more)
