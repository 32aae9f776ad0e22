"""Look at your rows, and write a first config for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from typer.core import TyperCommand

from harness import UsageError
from harness.kit.terminal.options import takes
from harness.kit.terminal.targets import check_target, write_target
from harness_rows.commands.progress import working
from harness_rows.commands.row_options import place
from harness_rows.initial import recipes
from harness_rows.initial.request import LIST_RECIPES, Request

if TYPE_CHECKING:
    from harness_rows.initial.draft import Draft
    from harness_rows.initial.recipes import Recipe

ROWS = "rows.jsonl"
"""The file that a recipe writes."""
SEEN = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow")
"""Endings of files that may hold rows."""
NAMED = 4
"""Files that a message names."""

app = typer.Typer()


class _Command(TyperCommand):
    """``--recipe`` may stand without a name: Typer has no options with an optional value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for at in range(len(args) - 1, -1, -1):
            bare = at + 1 == len(args) or args[at + 1].startswith("-")
            if args[at] == "--recipe" and bare:
                args.insert(at + 1, LIST_RECIPES)
        return super().parse_args(ctx, args)


@app.command(cls=_Command)
@takes(Request)
def init(request: Request) -> None:
    """Look at your rows, and write a first config for them.

    It asks nothing, changes no data and overwrites no file. Where the model is not on this
    machine, lengths are counted in words.
    """
    if request.recipe == LIST_RECIPES:
        from harness_rows.initial.shown import show_recipes

        show_recipes(Console())
        return
    if request.recipe is not None and request.data is not None:
        raise UsageError("--recipe brings rows of its own: give either it or a file")
    _refuse_existing(request.output)
    if request.recipe is not None:
        _from_recipe(request, recipes.named(request.recipe))
    elif request.data is not None:
        _write(_drafted(request, {**place(request.data), **request.reads}), request.output)
    else:
        raise UsageError(_no_data(), hint="harness init FILE, or to start from ours: --recipe")


def _refuse_existing(path: Path) -> None:
    check_target("-o", path)
    if path.exists():
        raise UsageError(
            "there is such a file already, and init overwrites none",
            where=str(path),
            hint="-o OTHER.yaml writes another one, which commands take by -c OTHER.yaml",
        )


def _no_data() -> str:
    names = sorted(path.name for path in Path().iterdir() if path.suffix.lower() in SEEN)
    if not names:
        return "which rows? None are named, and this folder has no file of rows"
    more = ", …" if len(names) > NAMED else ""
    return f"which rows? This folder has {', '.join(names[:NAMED])}{more}"


def _from_recipe(request: Request, recipe: Recipe) -> None:
    """The recipe's rows beside the config; neither stays alone."""
    rows = request.output.parent / ROWS
    _refuse_existing(rows)
    drafted = _drafted(request, {"path": str(recipe.path), **recipe.options, **request.reads}, rows)
    write_target("--recipe", rows, recipe.path.read_bytes())
    try:
        _write(drafted, request.output, rows)
    except BaseException:
        rows.unlink(missing_ok=True)
        raise


def _drafted(request: Request, source: dict[str, Any], rows: Path | None = None) -> Draft:
    """What is proposed for rows.

    Args:
        rows: where they will lie, if that is not where they are read.
    """
    from harness_rows.initial.drafting import drafted

    with working("init") as begin:
        return drafted(request, source, begin, rows)


def _write(draft: Draft, output: Path, rows: Path | None = None) -> None:
    from harness_rows.initial.config_text import config_text
    from harness_rows.initial.shown import show

    write_target("-o", output, config_text(draft).encode())
    show(draft, output, rows, Console())
