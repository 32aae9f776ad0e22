"""The calls that measure answers, and what the measurements come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import scoring
from harness.boundary.lending import Lent
from harness.config.plugin_entries import PluginEntry
from harness.data.splits import groups_of, rows_digest
from harness.errors import Waiting
from harness.kit.files import write_jsonl
from harness.records import Example, Measurement, Prediction, Score, to_json
from harness.run.at import At
from harness.run.stage_keys import SEEDLESS
from harness.steps.shared import Shared


def score(
    steps: Shared,
    entry: PluginEntry,
    predictions: Sequence[Prediction],
    generated: str,
    rows: Sequence[Example],
    at: At,
    *,
    pinned: str | None = None,
) -> tuple[tuple[Measurement, ...], str]:
    """One metric's measurements of stored answers, and their digest.

    Args:
        generated: digest of the answers.
        pinned: digest of the measurements that a closed round was given.
    """
    run, stage = steps.run, at.on_split("score")
    inputs = {"name": entry.name, "predictions": generated, "rows": rows_digest(rows)}

    def make(folder: Path) -> Mapping[str, Any]:
        context = run.context(folder, f"{stage} {entry.name}", at, SEEDLESS)
        context.progress(0, len(rows))
        pairs = tuple(zip(predictions, rows, strict=True))
        metric = scoring.MetricEntry(entry.name, entry.instance)
        scoring.ready(entry.instance, pairs, context.progress)
        measurements = scoring.measure(metric, pairs, context.progress)
        write_jsonl(folder / "output" / "measurements.jsonl", map(to_json, measurements))
        return {
            "remarks": metric.remarks(pairs),
            "signature": metric.signature(),
            "made_with": {"libraries": dict(run.versions(entry))},
        }

    lent = (predictions, rows)
    artifact = run.stage(stage, entry, inputs, make, at, pinned=pinned, lent=lent)
    measurements = artifact.records(Measurement, "measurements.jsonl")
    steps.made_with[artifact.digest] = artifact.facts.get("made_with")
    steps.signatures[artifact.digest] = artifact.facts.get("signature")
    _note_unscored(steps, entry, measurements, at)
    for remark in artifact.facts["remarks"]:
        steps.note(f"{at.label(stage)}: {entry.name}: {remark}")
    return measurements, artifact.digest


def _note_unscored(
    steps: Shared, entry: PluginEntry, measurements: Sequence[Measurement], at: At
) -> None:
    failed = [measurement for measurement in measurements if measurement.error]
    if failed:
        first = failed[0]
        steps.note(
            f"{at.label(at.on_split('score'))}: metric '{entry.name}' ({entry.origin}) left "
            f"{len(failed)} of {len(measurements)} answers unscored, first "
            f"'{first.example_id}': {first.error}"
        )


def score_all(
    steps: Shared,
    metrics: Sequence[PluginEntry],
    predictions: Sequence[Prediction],
    generated: str,
    rows: Sequence[Example],
    at: At,
    pinned: Mapping[str, str],
) -> tuple[dict[str, tuple[Measurement, ...]], dict[str, str]]:
    """Each metric's measurements and their digests, by entry.

    Raises:
        Waiting: metrics wait for raters; all others have been measured by then.
    """
    measurements, digests = {}, {}
    waiting: list[Waiting] = []
    for entry in metrics:
        pin = pinned.get(f"score {entry.name}")
        try:
            of_metric, digest = score(steps, entry, predictions, generated, rows, at, pinned=pin)
        except Waiting as wait:
            waiting.append(wait)
            continue
        measurements[entry.name], digests[entry.name] = of_metric, digest
    if waiting:
        commands = [command for wait in waiting for command in wait.commands]
        raise Waiting("; ".join(wait.what for wait in waiting), commands)
    return measurements, digests


def waits(steps: Shared, wait: Waiting, generated: str, at: At, against: int | None) -> Waiting:
    """What raters are asked, with this round in it; its answers are kept for them.

    A round that will be compared is rated together with the other one, blindly.
    """
    steps.run.wait(at, generated)
    versus = "" if against is None else f" --vs {against}"
    values = {" [--vs KEPT]": versus, "ROUND": str(at.round), "RUN": steps.run.name}
    commands = []  # the metric's, with blanks that only the run can fill
    for command in wait.commands:
        for name, value in values.items():
            command = command.replace(name, value)
        commands.append(command)
    return Waiting(f"{at.label('score')}: {wait.what}", commands)


def scores(
    steps: Shared,
    entries: Sequence[PluginEntry],
    measurements: Mapping[str, Sequence[Measurement]],
    predictions: Sequence[Prediction],
    rows: Sequence[Example],
    digests: Mapping[str, str],
    at: At,
) -> dict[str, Score]:
    """Score name -> score of the whole split, for these metric entries.

    Args:
        digests: metric entry -> digest of its measurements, whose signature was kept.
    """
    groups, seed = groups_of(rows), steps.seed("scores", 0)
    pairs = tuple(zip(predictions, rows, strict=True))
    of_split: dict[str, Score] = {}
    lent = Lent(predictions, rows)
    for entry in entries:
        metric, measured = steps.metric_entry(entry), measurements[entry.name]
        signature = steps.signatures.get(digests[entry.name])
        with steps.run.guard("score", entry, at, lent=lent):
            of_split |= scoring.scores(
                metric, measured, groups, seed, pairs=pairs, signature=signature
            )
    return of_split
