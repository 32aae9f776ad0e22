"""Files of answers against references, alone or against a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness import DataError, Example, MetricEntry, Opening, Prediction, Scorecard, UsageError
from harness.kit.files import digest
from harness.kit.text import one_line
from harness_score import logged, metric_options, output
from harness_score.document import check_fields, document
from harness_score.pairing import grouped, join, pair
from harness_score.request import Request
from harness_score.sources import locate
from harness_score.tables import Table, read_predictions, read_references

LARGE = 2_000_000
"""Bytes of answers from which processes are started while the files are read."""


def scored(request: Request) -> tuple[dict[str, Any], Mapping[str, Scorecard]]:
    """Measure and compare: the document, and what each answer's own scores are written from."""
    metrics, with_own = _metrics(request)
    if not with_own:
        request.check_scores([name for entry in metrics for name in entry.score_names])
    ahead = metrics if _is_large(request) else ()
    with harness.scoring_processes(ahead, request.workers):
        tables = [read_predictions(source) for source in request.files]
        logs = all(table.is_log for table in tables)
        own = logged.entries(tables) if with_own and logs else []
        if request.metrics is None and own:
            metrics = []
        elif request.metrics is not None and with_own and not own:
            raise logged.none_in(tables)
        request.check_scores([name for entry in (*own, *metrics) for name in entry.score_names])
        examples, answers, openings = _read(request, tables, metrics)
        check_fields(request.by, examples)
        baseline = _baseline(request, list(answers))
        system = next(name for name in answers if name != baseline)
        pieces = len(answers) * len(metrics) + 1
        with output.progress() as begin:
            systems = {
                name: harness.evaluate(
                    examples, predictions, metrics, seed=request.resampling_seed,
                    workers=request.workers,
                    progress=lambda metric, name=name: begin(f"{name}: {metric}", pieces),  # type: ignore[misc]
                )
                for name, predictions in answers.items()
            }  # fmt: skip
            if own:
                by_name = {table.name: table for table in tables}
                systems = {
                    name: logged.with_logged(card, own, by_name[name])
                    for name, card in systems.items()
                }
            begin("intervals and comparisons", pieces)
            return document(systems, request, system, baseline, openings), systems


def _is_large(request: Request) -> bool:
    """Whether the files are so large that other processes will surely be of use."""
    paths = [Path(name.rpartition(":")[0] or name) for name in request.files]
    paths += [Path(name) for name in request.files]
    return sum(path.stat().st_size for path in paths if path.is_file()) > LARGE


def _metrics(request: Request) -> tuple[list[MetricEntry], bool]:
    """The metrics that are computed, and whether scores of logs count.

    They do by themselves where nothing is named: then no other metric is computed.
    """
    if request.metrics is None and request.config is not None:
        if request.options:
            raise UsageError("--option needs --metrics; a key of the config is set by --set")
        return harness.open_config(request.config, request.sets or ()).metrics, False
    names = request.metrics or metric_options.DEFAULT
    wanted = metric_options.wanted(names, request.options)
    own = wanted.pop(logged.NAME, None)
    with_own = own is not None or (request.metrics is None and not request.options)
    return harness.make_metrics(wanted, request.plugins) if wanted else [], with_own


def _read(
    request: Request, tables: Sequence[Table], metrics: Sequence[MetricEntry]
) -> tuple[Sequence[Example], dict[str, Sequence[Prediction]], dict[str, Opening]]:
    """The examples, each system's answers by its name (the baseline is the last), and by metric
    which opening of sealed rows these are."""
    examples: Sequence[Example]
    openings: dict[str, Opening] = {}
    if request.config is None:
        references = _references(request, tables, metrics)
        examples, answers = pair(tables, references, group_field=request.group)
    else:
        examples, openings = _rows_of_config(request, request.config, tables, metrics)
        answers = join(examples, tables)
    names = [table.name for table in tables]
    return examples, dict(zip(names, answers, strict=True)), openings


def _references(
    request: Request, tables: Sequence[Table], metrics: Sequence[MetricEntry]
) -> list[Table]:
    """The files of references; where none is given, those in the systems' logs, which agree."""
    nested = {name for entry in metrics for name in entry.fields()}
    if request.references:
        return [read_references(source, nested=nested) for source in request.references]
    paths = [locate(source).path for source in request.files]
    if not all(table.is_log for table in tables) or None in paths:
        raise UsageError("references come from --references or from --config; neither is given")
    first, *others = [read_references(path, nested=nested) for path in dict.fromkeys(paths) if path]
    targets = {row.id: row for row in first.rows}
    if metrics and not any(row.texts for row in first.rows):
        hint = "name a file of references: --references FILE"
        raise DataError("the log has no references", where=first.name, hint=hint)
    for other in others:
        for row in other.rows:
            same = targets.get(row.id)
            if same is not None and same.texts != row.texts:
                raise DataError(
                    "the logs do not have the same references, so they are not of one data set",
                    where=row.place,
                    details=[f"{place.place}: {_shown(place.texts)}" for place in (same, row)],
                    hint=f"say which count: --references {first.name}",
                )
    return [first]


def _shown(texts: Sequence[str]) -> str:
    return one_line(", ".join(texts), 60) or "none"


def _rows_of_config(
    request: Request, path: Path, tables: Sequence[Table], metrics: Sequence[MetricEntry]
) -> tuple[Sequence[Example], dict[str, Opening]]:
    request.check_sealed()
    config = harness.open_config(path, request.sets or ())
    openings: dict[str, Opening] = {}
    if request.split == "test":
        answers = digest([[[row.id, *row.texts] for row in table.rows] for table in tables])
        rows, openings = config.open_test("harness score", answers, metrics)
    else:
        rows = config.rows(request.split)
    return (rows if request.group is None else grouped(rows, request.group)), openings


def _baseline(request: Request, names: Sequence[str]) -> str | None:
    """The baseline's name: the one given, or the first of several systems."""
    if request.baseline:
        return names[-1]
    return names[0] if len(names) > 1 else None
