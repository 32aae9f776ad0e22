"""An observer that sends rounds, verdicts and figures to the trackers of ``train.args.report_to``.

The trainings' own curves are sent by whoever trains. Without ``report_to`` nothing happens here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import harness
from harness_tracker.observer import Observer

_observer = Observer()


@harness.hookimpl
def on_run_start(run: str, config: Mapping[str, Any]) -> None:
    _observer.begin(run, config)


@harness.hookimpl
def on_stage_end(stage: str, round: int, arm: str, seconds: float) -> None:
    _observer.stage(stage, round, arm, seconds)


@harness.hookimpl
def on_round_end(result: harness.RoundResult) -> None:
    _observer.round(result)


@harness.hookimpl
def on_run_end(summary: harness.Summary) -> None:
    _observer.end(summary)
