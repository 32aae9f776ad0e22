"""``--run``: a run's stored answers scored again, round against round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

import harness
from harness import Example, Scorecard, UsageError, near
from harness.kit.text import one_line
from harness_score import metric_options, output
from harness_score.document import check_fields, document
from harness_score.request import Request


def scored(run: str, request: Request) -> tuple[dict[str, Any], Mapping[str, Scorecard]]:
    """Score, compare with round 0 (or ``--baseline``), and remember: the document, and what each
    answer's own scores are written from.

    Only what the document could be made of is remembered.
    """

    def check(rows: Sequence[Example], names: Sequence[str], scores: Sequence[str]) -> None:
        check_fields(request.by, rows)
        request.check_scores(scores)
        _check_requirement(request, names)

    request.check_sealed()
    with output.progress() as begin:
        rescored = harness.rescore(
            run, _metrics(request), request.plugins, split=request.split,
            open_test=request.open_test, check=check, progress=begin,
        )  # fmt: skip
    systems = rescored.systems
    names = list(systems)
    result = document(systems, request, names[-1], _baseline(request, names), rescored.openings)
    result["remarks"] += rescored.remarks
    note = rescored.keep()
    if note:
        Console(stderr=True).print(Text(one_line(f"note: {note}"), "yellow"), highlight=False)
    return result, systems


def _metrics(request: Request) -> dict[str, dict[str, Any]] | None:
    if request.metrics is not None:
        return metric_options.wanted(request.metrics, request.options)
    if request.options:
        raise UsageError("--option needs --metrics, which names the metrics to score again with")
    return None


def _check_requirement(request: Request, names: Sequence[str]) -> None:
    """Raises UsageError where the last round has no other that it could be better than."""
    baseline = _baseline(request, names)
    if not (request.requirement or request.junit) or baseline not in (None, names[-1]):
        return
    asks = "--require and --min-gain ask" if request.requirement else "--junit tells"
    asked = f"{asks} about the last round against another"
    if baseline is None:
        raise UsageError(f"{asked}, and only {names[0]} is answered")
    raise UsageError(f"{asked}, and {baseline} is the last round", hint=f"-b '{names[0]}'")


def _baseline(request: Request, names: Sequence[str]) -> str | None:
    if request.baseline is None:
        return names[0] if len(names) > 1 else None
    if request.baseline not in names:
        raise UsageError(
            f"--baseline: there is no '{request.baseline}'{near(request.baseline, names)}",
            hint=f"there are: {', '.join(names)}",
        )
    return request.baseline
