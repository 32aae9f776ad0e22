"""``harness data preview``: rows as the model sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import harness
from harness.kit.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from harness import ConfigView, Example, Rendered
    from harness_rows.commands.data.opening import OpenedRows

ROWS = 3
"""Rows that are shown where nobody says how many."""


@dataclass(frozen=True, kw_only=True)
class PreviewRequest(Request):
    """What ``preview`` takes."""

    row: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--row", metavar="ID", help="this row, by its id or its place (file:line)"),
    ] = None
    rows: Annotated[
        int, typer.Option("--rows", min=1, metavar="N", help="so many, evenly spaced")
    ] = ROWS
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--split", metavar="S", help="of this split (default: train)"),
    ] = None
    full: Annotated[
        bool, typer.Option("--full", help="long texts whole, without leaving out their middle")
    ] = False


@takes(PreviewRequest)
def preview(request: PreviewRequest) -> None:
    """Rows as the model sees them, token by token."""
    from harness.kit.draws import spaced
    from harness_rows.commands.data.opening import model_view, opened
    from harness_rows.commands.data.printing import answer
    from harness_rows.commands.data.rendering import show
    from harness_rows.commands.progress import counting, working
    from harness_rows.sampling import shortened

    with working("data preview") as begin:
        data = opened(request, begin)
        data.need_rows()
        if request.row is not None:
            rows = [_row_named(data, request.row)]
        else:
            rows = spaced(_rows_of(data, request.split), request.rows)
        view = model_view(request, data)
        report = counting(begin, "loading the tokenizer", "rendering")
        rendered = view.rendered([*map(shortened, rows)], report)
    document = _document(data, view, list(zip(rows, rendered, strict=True)))
    answer(request, data, document, lambda console: show(document, console, full=request.full))


def _row_named(data: OpenedRows, name: str) -> Example:
    """The row with this id or place.

    Raises:
        UsageError: there is none, or it is of the sealed test set.
    """
    for row in data.rows:
        if name in (row.id, row.place):
            if data.sealed and row.split == "test":
                raise _sealed(f"row '{row.id}' is of the test set")
            return row
    near = harness.near(name, [row.id for row in data.rows[:10_000]])
    raise harness.UsageError(
        f"no row has the id or place '{name}'{near}", where=data.where,
        hint=f"such as --row {data.rows[0].id}",
    )  # fmt: skip


def _rows_of(data: OpenedRows, split: str | None) -> Sequence[Example]:
    """The rows of a split; of the first one there is, but for test, where nobody names one.

    Raises:
        UsageError: no row is of it, or it is the sealed test set.
    """
    splits = [name for name in harness.SPLITS if any(row.split == name for row in data.rows)]
    if split is None:
        # What is trained on is what people want to see; rows without a split may be, too.
        first = next((name for name in splits if name != "test"), "")
        return [row for row in data.rows if not first or row.split == first]
    if split == "test" and data.sealed:
        raise _sealed("the rows of test are not shown")
    if split not in splits:
        sentence = f"splits: {', '.join(splits)}" if splits else "the rows have no split"
        raise harness.UsageError(
            f"no row is of the split '{split}'{harness.near(split, splits)}",
            where=data.where, hint=sentence,
        )  # fmt: skip
    return [row for row in data.rows if row.split == split]


def _sealed(what: str) -> harness.UsageError:
    return harness.UsageError(
        f"{what}: the test set is sealed", hint="--split dev shows rows that are not trained on"
    )


def _document(
    data: OpenedRows, view: ConfigView, rows: list[tuple[Example, Rendered]]
) -> dict[str, Any]:
    """What there is to say, in the form of ``--json``."""
    from harness_rows.commands.data.opening import named

    config = view.config()
    return {
        "unread": len(data.problems),
        "model": named(config["model"]),
        "trainer": named(harness.trainers_in(config)[0]),
        "rows": [_row(row, rendered) for row, rendered in rows],
    }


def _row(row: Example, rendered: Rendered) -> dict[str, Any]:
    from harness_rows.sampling import characters, shortened

    tokens = zip(rendered.tokens, rendered.trained, strict=True)
    return {
        "id": row.id,
        "place": row.place,
        "split": row.split,
        "tokens": [{"text": text, "trained": trained} for text, trained in tokens],
        "cut": rendered.cut,
        "not_rendered": characters(row) - characters(shortened(row)),
        "problem": rendered.problem,
        "rejected": list(row.rejected),
        "left_out": rendered.left_out,
    }
