"""``harness runs``, and which run is meant by a name or by none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import HarnessError, UsageError, near
from harness.kit.text import one_line, titled
from harness.terminal.options import Json

app = typer.Typer()


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs of this folder, the latest first."""
    rows = [row for folder in _folders() if (row := _overview(folder))]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    table = Table("run", "rounds", "kept", "score", "test verdict", box=None, pad_edge=False)
    for row in rows:
        score = titled(row["score"], row["chosen"])
        cells = (row["run"], row["rounds"], row["kept"], score, row["verdict"])
        table.add_row(*(Text(one_line(str(cell))) for cell in cells))
    Console().print(table if rows else Text("no runs yet: harness iterate"))


def _folders() -> list[Path]:
    from harness.engine.run import REPORTS_FOLDER

    found = Path(REPORTS_FOLDER).glob("*/summary.json")
    return [p.parent for p in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)]


def folder_of(name: str | None) -> Path:
    """The reports of the run of that name, or of the latest one.

    Raises:
        UsageError: there is none.
    """
    folders = _folders()
    names = [folder.name for folder in folders]
    if name is None:
        if not folders:
            raise UsageError("there is no run in this folder yet", hint="harness iterate")
        whole = (folder for folder in folders if len(folders) == 1 or _overview(folder))
        return next(whole, folders[0])
    if name not in names:
        known = f"; there are: {', '.join(names[:5])}" if names else ""
        raise UsageError(f"no run is called '{name}'{near(name, names)}{known}")
    return folders[names.index(name)]


def refreshed(folder: Path) -> Path:
    """The folder, its reports made again where they are outdated; a line on stderr says so."""
    from harness.context import Quiet
    from harness.report.refresh import refresh

    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(Text(one_line(sentence)), highlight=False, soft_wrap=True)

    refresh(folder, Quiet(), say)
    return folder


def _overview(folder: Path) -> dict[str, Any] | None:
    """A run in a line; None, with a warning, where its summary is damaged."""
    from harness.report.summary import read

    path = folder / "summary.json"
    try:
        return _line(read(path))
    except (HarnessError, OSError, LookupError, TypeError, ValueError, RecursionError) as problem:
        why = problem.what if isinstance(problem, HarnessError) else "this is no whole summary"
        told = Text(one_line(f"warning: {path} is passed over: {why}"), "yellow")
        Console(stderr=True).print(told, highlight=False, soft_wrap=True)
        return None


def _line(document: dict[str, Any]) -> dict[str, Any]:
    kept = document["rounds"][document["kept_round"]]
    found = kept["scores"][document["primary"]]
    name, value = titled(document["primary"], found.get("caveat")), found["value"]
    score = f"{name} {value:.4g}" if value is not None else "unscored"
    mark = one_line((document["chosen"] or {}).get("short", ""), 120)
    return {
        "run": document["run"],
        "rounds": len(document["rounds"]) - 1,
        "kept": document["kept_round"],
        "score": score,
        "chosen": mark,
        "verdict": _outcome(document),
    }


def _outcome(document: dict[str, Any]) -> str:
    """What test says, and at which opening: read side by side, such verdicts are a selection."""
    if document["test"]:
        label, looks = document["test"]["verdict"]["label"], document["test"]["looks"]
        return label if looks == 1 else f"{label} (test opening {looks})"
    sealed = document.get("sealed")
    if not sealed:
        return "not finished"
    return "none kept" if sealed["reason"] == "nothing kept" else "test not opened"
