"""What a config asks for and cannot get: settings without effect, augmenters without rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.kit.yaml_file import Place
from harness.records import Level

if TYPE_CHECKING:
    from harness.config.plugin_entries import PluginEntry
    from harness.config.settings import Settings
    from harness.kit.problems import Problems

Remark = tuple[Place, str, Level]
"""Place in the config, message, level."""


def without_effect(
    settings: Settings, augment: Sequence[PluginEntry], given: Collection[str]
) -> Iterator[Remark]:
    """Settings that change nothing beside the others.

    Args:
        augment: the entries that could be read.
        given: dotted keys that a user set, rather than left at their default.
    """
    planned = settings.plan.strategy
    if settings.rounds == 1 and augment:
        yield ("augment",), "with one round nothing is trained on what it adds", "note"
    for entry in augment:
        if entry.control and settings.rounds == 1:
            message = "with one round both arms train on the same rows"
            yield ("augment", entry.index, "control"), message, "note"
    if planned == "none" and augment:
        yield ("augment",), "plan.strategy is none, so that no row is asked for", "note"
    if planned != "targeted" and "plan.explore" in given:
        message = f"it has an effect under the strategy targeted alone, not {planned}"
        yield ("plan", "explore"), message, "note"
    if planned == "targeted" and augment and not settings.named("analyze"):
        message = "no analyzer finds slices, so added rows are not targeted"
        yield ("analyze",), message, "note"
    if settings.execution.launcher == "inline":
        for key in ("workers", "resources"):
            if f"execution.{key}" in given:
                message = "the launcher inline does one job after the other in the run's process"
                yield ("execution", key), message, "note"


def shortages(
    settings: Settings, augment: Sequence[PluginEntry], rows: Mapping[str, int]
) -> Iterator[Remark]:
    """Augmenters that find too few rows to draw from.

    Args:
        rows: split -> rows that the source gives.
    """
    if settings.plan.strategy == "none":
        return
    for entry in augment:
        splits = entry.instance.draws_from
        if not splits:
            continue
        there, names = sum(rows.get(split, 0) for split in splits), " and ".join(splits)
        place = ("augment", entry.index)
        if not there:
            message = f"'{entry.name}' draws rows from {names}, which has none: it can add nothing"
            yield place, message, "config"
        elif entry.instance.moves and there < entry.rows * settings.rounds:
            message = (
                f"'{entry.name}' asks for {entry.rows} rows in each of {settings.rounds} rounds, "
                f"and {names} has {there}"
            )
            yield place, message, "note"


def check_control(
    metrics: Sequence[PluginEntry], augment: Sequence[PluginEntry], problems: Problems
) -> None:
    """Refuse a control arm beside a metric whose values people give.

    Batches hold answers of the main arm, so the run would wait for the control's for ever.
    """
    asked = _by_people(metrics)
    if not asked:
        return
    for entry in augment:
        if entry.control:
            problems.add(
                ("augment", entry.index),
                f"control: {entry.control} makes a second arm, but '{asked[0].name}' comes from "
                "raters, and they rate the main arm's answers only: the run would wait for ever. "
                "Take control: out, or take that metric out of this run",
            )
            return


def check_choice(
    trainers: Sequence[PluginEntry],
    metrics: Sequence[PluginEntry],
    primary: str,
    problems: Problems,
) -> None:
    """Refuse a trainer whose checkpoints are chosen by a score that people give."""
    asked = [entry for entry in _by_people(metrics) if primary in entry.score_names]
    for entry in trainers if asked else ():
        if entry.instance.choice() is not None:
            problems.add(
                ("train", entry.index, "by") if len(trainers) > 1 else ("train", "by"),
                f"'{primary}' comes from raters, who cannot be asked within a training: "
                "take by: loss, or another primary score",
            )


def sealed_note(primary: str, metrics: Sequence[PluginEntry]) -> str:
    """What the final verdict cannot say where people decide; empty where they do not."""
    for entry in _by_people(metrics):
        if primary in entry.score_names:
            return (
                f"note: '{primary}' is the primary score, and answers to test are not rated: the "
                "test set is opened at the end, its verdict will read no evidence, and the other "
                "scores of test are shown. Rounds are compared on dev."
            )
    return ""


def _by_people(metrics: Sequence[PluginEntry]) -> list[PluginEntry]:
    return [entry for entry in metrics if entry.instance.by_people]
