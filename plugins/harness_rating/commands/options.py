"""What the commands below ``harness rate`` have in common: options, batches by name, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Optional, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from harness import DataError, UsageError
from harness_rating.batches.records import REVIEW, Batch
from harness_rating.ratings.folder import RatingsFolder

T = TypeVar("T")

BatchName = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Argument(metavar="[BATCH]", help="name of a batch (default: the only one)"),
]


def chosen(name: str | None, folder: RatingsFolder) -> Batch:
    """The batch of that name, or the only one there is.

    Raises:
        UsageError: there is none, or several and no name.
    """
    names = folder.names() if name is None else [name]
    if len(names) > 1:
        raise UsageError("there are several batches; name one", hint=", ".join(names))
    return folder.batch(_some(names)[0])


def answers(name: str | None, folder: RatingsFolder) -> Batch:
    """The same of a batch of answers.

    Raises:
        UsageError: there is none, several and no name, or it holds rows.
    """
    batch = chosen(name, folder)
    if batch.strategy == REVIEW:
        raise UsageError(
            f"batch {batch.name} holds rows that people review, and no answers of a run",
            hint=f"harness rate export {batch.name} --to rows",
        )
    return batch


def of_each(name: str | None, folder: RatingsFolder, read: Callable[[Batch], T]) -> list[T]:
    """What ``read`` finds of the named batch, or of each that is whole.

    Of several, a damaged batch is named on standard error and harms no other.

    Raises:
        UsageError: there is no batch.
        HarnessError: the named batch, or the only one, is damaged.
    """
    names = _some(folder.names() if name is None else [name])
    if len(names) == 1:
        return [read(folder.batch(names[0]))]
    results = []
    for each in names:
        try:
            results.append(read(folder.batch(each)))
        except DataError as error:
            warning = f"warning: batch {each} is left out: {error.what} ({error.where})"
            Console(stderr=True).print(Text(warning), highlight=False, soft_wrap=True)
    return results


def _some(names: list[str]) -> list[str]:
    if not names:
        raise UsageError("there is no batch in this folder yet", hint="harness rate create")
    return names


def write_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")
