"""The calls that ask the base model in another way: prompts of a baseline, its answers, scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.boundary import prompts as boundary
from harness.config.plugin_entries import PluginEntry
from harness.context import Context
from harness.data.families import families
from harness.data.splits import rows_digest
from harness.engine.at import At
from harness.engine.baseline_pins import BaselinePins
from harness.engine.pins import DETECT, GENERATE
from harness.engine.steps.base import StageCaller
from harness.engine.steps.detecting import Detecting
from harness.engine.steps.evaluating import Evaluation, scored_rows
from harness.engine.steps.generating import Generating
from harness.engine.steps.measuring import Measuring
from harness.errors import ConfigError, DataError
from harness.kit.files import read_jsonl, write_jsonl
from harness.records import (
    Checkpoint,
    Dataset,
    Example,
    Prediction,
    from_json,
    to_json,
)

PROMPTS = "prompts"


@dataclass(frozen=True, slots=True)
class Prompts:
    """The rows of dev as a baseline asks them, what it says of that, and the artifact's digest."""

    rows: tuple[Example, ...]
    told: str
    digest: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The base model under the prompts of a baseline.

    Attributes:
        told: what stands before the prompts.
        evaluation: of its answers to dev, by the metrics that need no people.
    """

    told: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Given:
    """What baselines are given, families in place of groups, and what they must not show.

    Attributes:
        rows: of dev, without references.
    """

    rows: tuple[Example, ...]
    train: tuple[Example, ...]
    held: boundary.Held

    @property
    def lent(self) -> tuple[Sequence[Example], ...]:
        """What a baseline must not change."""
        return self.rows, self.train

    @classmethod
    def of(cls, data: Dataset) -> Given:
        """From the rows of a run."""
        family = families(data.examples)
        rows = tuple(_in_family(row.as_asked(), family) for row in data.split("dev"))
        train = tuple(_in_family(row, family) for row in data.split("train"))
        return cls(rows, train, _held(data, family))

    def asked_by(self, entry: PluginEntry, context: Context) -> list[Example]:
        """The rows as a baseline asks them.

        Raises:
            ConfigError: the rows do not allow what its options ask for.
            PluginError: it shows what it must not.
        """
        made = entry.instance.prompts(self.rows, self.train, context)
        return list(boundary.prompts(made, self.rows, self.held))


def arm_of(name: str) -> str:
    """What the stages of a baseline, and the database, have in place of an arm."""
    return f"baseline {name}"


class Asking:
    """Baselines: other prompts for the base model."""

    def __init__(
        self,
        caller: StageCaller,
        generating: Generating,
        measuring: Measuring,
        detecting: Detecting,
    ) -> None:
        self.caller, self.generating = caller, generating
        self.measuring, self.detecting = measuring, detecting
        self.run, self.config = caller.run, caller.config

    def prompts(self, entry: PluginEntry, data: Dataset) -> Prompts:
        """The rows of dev with the turns that a baseline puts before them.

        Raises:
            ConfigError: the rows do not allow what its options ask for.
            PluginError: it fails, or shows what it must not.
        """
        at, given = At(arm=arm_of(entry.name)), Given.of(data)
        seed = self.caller.seed(PROMPTS, at.round)
        inputs = {"rows": rows_digest(given.rows), "train": rows_digest(given.train)}

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, PROMPTS, at, seed)
            rows = given.asked_by(entry, context)
            write_jsonl(folder / "output" / "prompts.jsonl", map(to_json, rows))
            return {**context.facts, "told": boundary.told(entry.instance.told(given.train))}

        pinned = BaselinePins(self.run).stored(entry.name, PROMPTS)
        made = self.run.stage(
            PROMPTS, entry, inputs, make, at, seed=seed, pinned=pinned, lent=given.lent
        )
        lines = read_jsonl(made.path / "prompts.jsonl")
        rows = tuple(from_json(Example, line) for line in lines)
        return Prompts(rows, made.facts["told"], made.digest)

    def answered(self, entry: PluginEntry, plain: Evaluation) -> str | None:
        """Digest of the answers that this run has to a baseline's prompts, where they are stored.

        Answers that were not made as those of round 0 cannot be compared, and count for none.

        Args:
            plain: round 0.
        """
        made = BaselinePins(self.run).artifact(entry.name, GENERATE)
        known = self.caller.made_with.get(plain.keys[GENERATE])
        return made.digest if made is not None and made.facts.get("made_with") == known else None

    def answers(
        self,
        entry: PluginEntry,
        prompts: Prompts,
        base: Checkpoint,
        rows: Sequence[Example],
        plain: Evaluation,
    ) -> Asked:
        """The base model's answers to these prompts, with their scores and kinds of errors.

        Those that this run was given once are kept, whatever a library's version is by now.

        Args:
            rows: of dev.
            plain: round 0.

        Raises:
            ConfigError: prompts are too long by what the baseline puts before them.
        """
        at, pins = At(arm=arm_of(entry.name)), BaselinePins(self.run)
        kept = self.answered(entry, plain)
        try:
            predictions, generated = self.generating.generate(base, prompts.rows, at, pinned=kept)
        except DataError as error:
            way = f"let '{entry.name}' put less before them, or take it out of baselines"
            error.hint = f"{error.hint}; or {way}" if error.hint else way
            raise
        _refuse_too_long(entry, predictions, plain.predictions)
        # Raters are asked about the answers of rounds alone.
        metrics = [one for one in self.config.metrics if not one.instance.by_people]
        measurements, digests = {}, {}
        for metric in metrics:
            name = f"score {metric.name}"
            measurements[metric.name], digests[name] = self.measuring.score(
                metric, predictions, generated, rows, at,
                pinned=pins.stored(entry.name, name) if kept else None,
            )  # fmt: skip
        of_metrics = {one.name: digests[f"score {one.name}"] for one in metrics}
        scores = self.measuring.scores(metrics, measurements, predictions, rows, of_metrics, at)
        scored = scored_rows(rows, predictions, measurements)
        labels, detected = self.detecting.detect(
            scored, (), [generated, *digests.values()], at,
            pinned=pins.stored(entry.name, DETECT) if kept else None,
        )  # fmt: skip
        keys = {PROMPTS: prompts.digest, GENERATE: generated, **digests, DETECT: detected}
        pins.keep(entry.name, keys)
        return Asked(
            prompts.told, Evaluation(predictions, measurements, scores, scored, labels, keys)
        )


def _in_family(row: Example, family: Mapping[str, str]) -> Example:
    return dataclasses.replace(row, group=family[row.id], parent=None)


def _held(data: Dataset, family: Mapping[str, str]) -> boundary.Held:
    """What no prompt may show."""
    said: dict[str, set[str]] = {}
    for row in data.split("train"):
        for turn in row.messages:
            if turn.get("role") == "user" and isinstance(turn.get("content"), str):
                said.setdefault(str(turn["content"]), set()).add(family[row.id])
    held_out = {row.prompt for split in ("dev", "test") for row in data.split(split)}
    return boundary.Held(held_out - said.keys(), said)


def _refuse_too_long(
    entry: PluginEntry, predictions: Sequence[Prediction], plain: Sequence[Prediction]
) -> None:
    """Refuse a comparison in which rows are unanswered for what the baseline itself has added."""
    before = {one.example_id for one in plain if one.finish_reason == "context"}
    long = [one.example_id for one in predictions if one.finish_reason == "context"]
    new = [name for name in long if name not in before]
    if new:
        raise ConfigError(
            f"{len(new)} of {len(predictions)} prompts are too long for the model's context by "
            f"what '{entry.name}' puts before them, first '{new[0]}'",
            where=f"baselines.{entry.index}",
            hint="shorten that (fewer examples, a shorter system turn), or take it out",
        )
