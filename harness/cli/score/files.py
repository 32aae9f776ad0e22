"""Files of answers against references, alone or against a baseline."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.cli.score.metric_options import DEFAULT, chosen
from harness.cli.score.request import Request
from harness.config import loading as configuration
from harness.context import Report
from harness.errors import DataError, EnvironmentFailure, UsageError
from harness.evaluation.pairing import pair_all
from harness.evaluation.readers import read_predictions, read_references
from harness.evaluation.readers.table import Table
from harness.evaluation.scorecard import Question, Systems, check_fields, document, rows
from harness.kit.files import digest, write_bytes
from harness.records import Example
from harness.scoring import SEED, MetricEntry, evaluate, workers
from harness.terminal.streams import plugins_on_stderr

LARGE = 2_000_000
"""Bytes of answers from which processes are started while the files are read."""


def score(request: Request) -> None:
    """Measure, compare, print."""
    with plugins_on_stderr():
        try:
            found, systems = _found(request)
        finally:
            workers.finish()
    if request.per_example is not None:
        write_rows(request.per_example, systems)
    report(found, as_json=request.as_json)
    gc.freeze()  # the interpreter would look through millions of objects once more at its end


def _found(request: Request) -> tuple[dict[str, Any], Systems]:
    """The document, and what each answer's own scores are written from."""
    entries = _entries(request)
    request.check_scores([name for entry in entries for name in entry.score_names])
    if _is_large(request):
        workers.prepare([entry.metric for entry in entries], request.workers)
    examples, names, answers = _read(request)
    check_fields(request.by, examples)
    baseline = _baseline(request, names)
    question = Question(
        system=next(name for name in names if name != baseline),
        baseline=baseline,
        by=tuple(request.by),
        test=request.test_kind,
        seed=SEED if request.seed is None else request.seed,
    )
    with showing(Console(stderr=True), len(names) * len(entries) + 1) as stage:
        systems = {
            name: evaluate(
                examples, predictions, entries, seed=question.seed, workers=request.workers,
                progress=lambda metric, name=name: stage(f"{name}: {metric}"),  # type: ignore[misc]
            )
            for name, predictions in zip(names, answers, strict=True)
        }  # fmt: skip
        stage("intervals and comparisons")
        return document(systems, question), systems


def _is_large(request: Request) -> bool:
    """Whether the files are so large that other processes will surely be of use."""
    paths = [Path(name.rpartition(":")[0] or name) for name in request.files]
    paths += [Path(name) for name in request.files]
    return sum(path.stat().st_size for path in paths if path.is_file()) > LARGE


def report(found: dict[str, Any], *, as_json: bool) -> None:
    """The document on standard output, as JSON or for people."""
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        return
    from harness.cli.score.table import show

    show(found, Console())


@contextlib.contextmanager
def showing(console: Console, pieces: int) -> Iterator[Callable[[str], Report]]:
    """A progress display over so many pieces of work; each begins when it is asked for."""
    from harness.terminal.progress import SHORT, Display

    with Display(console, "score", pieces * SHORT) as display:
        before: list[str] = []

        def stage(label: str) -> Any:
            if before:
                display.stage_done("score", before[-1], 0.0, False)
            before.append(label)
            return display.stage(label)

        yield stage


def write_rows(path: Path, systems: Systems) -> None:
    """Each answer's own values, as Parquet or as JSON lines; whole or not at all."""
    metrics = next(iter(systems.values())).metrics
    names = [name for entry in metrics for name in entry.score_names]
    found = list(rows(systems, names))
    if path.suffix == ".parquet":
        body = _parquet(found, names)
    else:
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in found)
        body = "".join(lines).encode("utf-8", "backslashreplace")
    try:
        write_bytes(path, body)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be written: {error.strerror}", where=str(path), hint="name another file"
        ) from error


def _parquet(found: Sequence[dict[str, Any]], names: Sequence[str]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    texts = [(name, pa.string()) for name in ("id", "system")]
    schema = pa.schema([*texts, *((name, pa.float64()) for name in names)])
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(list(found), schema=schema), sink)
    return bytes(sink.getvalue())


def _entries(request: Request) -> list[MetricEntry]:
    if request.metrics is None and request.config is not None:
        if request.options:
            raise UsageError("--option needs --metrics; a key of the config is set by --set")
        config = configuration.load(request.config, sets=request.sets or ())
        return [MetricEntry(entry.name, entry.instance) for entry in config.metrics]
    found = chosen(request.metrics or DEFAULT, request.options, request.plugins)
    return [MetricEntry(entry.name, entry.instance) for entry in found]


def _read(request: Request) -> tuple[list[Example], list[str], list[Any]]:
    """The examples, and each system's name and answers; the baseline is the last."""
    tables = [read_predictions(source) for source in request.files]
    references: Any = (
        [read_references(source) for source in request.references]
        if request.config is None
        else _of_config(request, _answers_digest(tables))
    )
    examples, answers = pair_all(tables, references, group_field=request.group)
    return examples, [table.name for table in tables], answers


def _answers_digest(tables: Sequence[Table]) -> str:
    return digest([[[row.id, *row.texts] for row in table.rows] for table in tables])


def _of_config(request: Request, answers: str) -> list[Example]:
    from harness.config.sourcing import rows_of
    from harness.data.correction_file import applied
    from harness.engine.run import LEDGER, MACHINE_FOLDER

    request.check_sealed()
    config = configuration.load(request.config, sets=request.sets or ())
    rows = applied(config.corrections, rows_of(config.data))
    examples = [row for row in rows if row.split == request.split]
    if not examples:
        raise DataError(
            f"the split '{request.split}' has no row", where=f"source '{config.data.plugin}'"
        )
    if request.split == "test":
        from harness.engine.ledger import Ledger

        ledger = Ledger(Path(MACHINE_FOLDER) / LEDGER)
        ledger.open(examples, "harness score", answers)
    return examples


def _baseline(request: Request, names: Sequence[str]) -> str | None:
    """The baseline's name: the one given, or the first of several systems."""
    if request.baseline:
        return names[-1]
    return names[0] if len(names) > 1 else None
