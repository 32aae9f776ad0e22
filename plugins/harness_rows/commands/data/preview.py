"""``harness data preview``: rows as the model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from harness.terminal.options import takes
from harness_rows.commands.data.request import Request

if TYPE_CHECKING:
    from harness import ConfigView, Example, Rendered
    from harness_rows.commands.data.opening import Opened


@dataclass(frozen=True, kw_only=True)
class PreviewRequest(Request):
    """What ``preview`` takes."""

    row: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--row", metavar="ID", help="this row, by its id or its place (file:line)"),
    ] = None
    rows: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--rows", min=1, metavar="N", help="so many, evenly spaced (default: 3)"),
    ] = None
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
    from harness_rows.commands.data.choosing import chosen
    from harness_rows.commands.data.opening import model_view, opened
    from harness_rows.commands.data.printing import write_json
    from harness_rows.commands.progress import counting, working

    with working("data preview") as begin:
        found = opened(request, begin)
        found.need_rows()
        rows = chosen(found, request.row, request.rows, request.split)
        view = model_view(request, found)
        rendered = view.rendered(rows, counting(begin, "loading the tokenizer", "rendering"))
    document = _document(found, view, list(zip(rows, rendered, strict=True)))
    if request.as_json:
        write_json(document)
        return
    from rich.console import Console

    from harness_rows.commands.data.rendering import show

    show(document, Console(), full=request.full)


def _document(
    found: Opened, view: ConfigView, rows: list[tuple[Example, Rendered]]
) -> dict[str, Any]:
    """What there is to say, in the form of ``--json``."""
    from harness_rows.commands.data.naming import named

    config = view.config()
    return {
        "data": found.where,
        "format": found.said,
        "unread": len(found.problems),
        "model": named(config["model"]),
        "trainer": named(config["train"]),
        "rows": [_row(row, rendered) for row, rendered in rows],
    }


def _row(row: Example, rendered: Rendered) -> dict[str, Any]:
    tokens = zip(rendered.tokens, rendered.trained, strict=True)
    return {
        "id": row.id,
        "place": row.place,
        "split": row.split,
        "tokens": [{"text": text, "trained": trained} for text, trained in tokens],
        "cut": rendered.cut,
        "problem": rendered.problem,
    }
