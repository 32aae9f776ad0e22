"""What the command leaves: the document, each answer's own values, and progress on the way."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from harness import Report, Scorecard
from harness.kit.junit import write_junit
from harness.kit.terminal.targets import write_target
from harness.kit.text import storable
from harness_score.request import Request


def report(result: dict[str, Any], systems: Mapping[str, Scorecard], request: Request) -> int:
    """The document on standard output, as JSON or for people, and the file of ``--per-example``;
    returns the exit code."""
    if request.per_example is not None:
        _write_rows(request.per_example, systems)
    if request.as_json:
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n")
    elif request.brief:
        from harness_score.brief import brief

        sys.stdout.write(brief(result, systems, request))
    else:
        from harness_score.table import show

        show(result, Console(), full=request.full)
    comparisons = result["comparison"].get(result["system"], {})
    if request.junit is not None:
        names = comparisons if request.primary is None else [request.primary]
        cases = [request.requirement.case(name, comparisons[name]) for name in names]
        write_junit(request.junit, "score", cases)
    if not request.requirement:
        return 0
    primary = request.primary or next(iter(result["metrics"]))
    return request.requirement.exit_code(primary, comparisons[primary])


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, int], Report]]:
    """A display on standard error, of pieces of work: each begins when it is asked for.

    It takes a piece's label and how many there are.
    """
    from harness.kit.terminal.progress import SHORT, Display

    with contextlib.ExitStack() as stack:
        display: Display | None = None

        def begin(label: str, pieces: int) -> Report:
            nonlocal display
            if display is None:
                display = Display(Console(stderr=True), "score", pieces * SHORT)
                stack.enter_context(display)
            return display.piece(label)

        yield begin


def _write_rows(path: Path, systems: Mapping[str, Scorecard]) -> None:
    """Each answer's own values, as Parquet or as JSON lines; whole or not at all."""
    metrics = next(iter(systems.values())).metrics
    names = [name for entry in metrics for name in entry.score_names]
    values = [
        {"id": example_id, "system": system} | {name: own.get(name) for name in names}
        for system, card in systems.items()
        for example_id, own in card.values.items()
    ]
    if path.suffix == ".parquet":
        body = _parquet(values, names)
    else:
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in values)
        body = "".join(lines).encode("utf-8", "backslashreplace")
    write_target("--per-example", path, body)


def _parquet(values: Sequence[dict[str, Any]], names: Sequence[str]) -> bytes:
    import duckdb
    import numpy as np

    texts = {name: np.array([storable(row[name]) for row in values], object)
             for name in ("id", "system")}  # fmt: skip
    # DuckDB takes a NaN for null.
    numbers = {name: np.array([row[name] for row in values], float) for name in names}
    with tempfile.TemporaryDirectory(prefix="harness-") as folder, duckdb.connect() as connection:
        path = Path(folder, "rows.parquet")
        connection.register("scores", {**texts, **numbers})
        connection.table("scores").write_parquet(str(path))
        return path.read_bytes()
