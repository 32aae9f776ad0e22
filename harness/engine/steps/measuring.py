"""The calls that get answers and measure them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import Entry
from harness.context import silent
from harness.data.splits import groups_of, rows_digest
from harness.engine.steps.calls import SEEDLESS, Calls, label, on
from harness.errors import Waiting
from harness.kit.files import read_jsonl, write_jsonl
from harness.records import (
    BASE_ARM,
    Checkpoint,
    Example,
    Measurement,
    Prediction,
    Score,
    from_json,
    to_json,
)
from harness.stages import Metric


class Measuring(Calls):
    """Answers, and what the metrics say of them."""

    def _measured(
        self, predictions: Sequence[Prediction], generated: str, rows: Sequence[Example],
        split: str, round_: int, arm: str, pinned: Mapping[str, str],
    ) -> tuple[dict[str, tuple[Measurement, ...]], dict[str, str]]:  # fmt: skip
        """Every metric's measurements and their digests, by entry.

        Raises:
            Waiting: metrics wait for people; all others have been measured by then.
        """
        measurements, digests = {}, {}
        waiting: list[Waiting] = []
        for entry in self.config.metrics:
            try:
                found, made = self.score(
                    entry, predictions, generated, rows, split, round_, arm,
                    pinned=pinned.get(f"score {entry.name}"),
                )  # fmt: skip
            except Waiting as wait:
                waiting.append(wait)
                continue
            measurements[entry.name], digests[entry.name] = found, made
        if waiting:
            commands = [command for wait in waiting for command in wait.commands]
            raise Waiting("; ".join(wait.what for wait in waiting), commands)
        return measurements, digests

    def _asked(
        self, wait: Waiting, generated: str, round_: int, arm: str, against: int | None
    ) -> Waiting:
        """What people are asked, with this round in it; its answers are kept for them.

        A round that will be compared is rated together with the other one, blindly.
        """
        self.run.wait(arm, round_, generated)
        versus = "" if against is None else f" --vs {against}"
        named = {" [--vs KEPT]": versus, "ROUND": str(round_), "RUN": self.run.name}
        commands = []
        for command in wait.commands:
            for name, value in named.items():
                command = command.replace(name, value)
            commands.append(command)
        return Waiting(f"{label('score', round_, arm)}: {wait.what}", commands)

    def generate(
        self, checkpoint: Checkpoint, rows: Sequence[Example], split: str, round_: int, arm: str,
        *, pinned: str | None = None,
    ) -> tuple[tuple[Prediction, ...], str]:  # fmt: skip
        """A checkpoint's answers to rows, whose references it never sees, and their digest.

        Args:
            pinned: digest of the answers that a closed round was given.
        """
        entry = self.config.generate
        stage = on(split, "generate")
        seed = self.seed(stage, round_)
        # References stay behind: a generator must not be able to look at them.
        prompts = [
            dataclasses.replace(row, references=(), meta={}, group="", place="") for row in rows
        ]
        made_with = self.run.made_with(entry)
        inputs = {
            "checkpoint": checkpoint.digest, "prompts": rows_digest(prompts),
            "environment": made_with["environment"],
        }  # fmt: skip

        def make(folder: Path) -> Mapping[str, Any]:
            result = self.run.job(
                folder, entry, checkpoint=checkpoint, rows={"examples": prompts},
                round_=round_, arm=arm, seed=seed, label=label(stage, round_, arm),
            )  # fmt: skip
            return {**result["facts"], "made_with": made_with}

        made = self.run.stage(
            stage, entry, inputs, make, round_=round_, arm=arm, seed=seed, pinned=pinned
        )
        self.remarks(made.facts)
        self.made_with[made.digest] = made.facts.get("made_with")
        lines = read_jsonl(made.path / "predictions.jsonl")
        return tuple(from_json(Prediction, line) for line in lines), made.digest

    def score(
        self, entry: Entry, predictions: Sequence[Prediction], generated: str,
        rows: Sequence[Example], split: str, round_: int, arm: str,
        *, pinned: str | None = None,
    ) -> tuple[tuple[Measurement, ...], str]:  # fmt: skip
        """One metric's measurements of stored answers, and their digest.

        Args:
            generated: digest of the answers.
            pinned: digest of the measurements that a closed round was given.
        """
        from harness import scoring

        stage = on(split, "score")
        inputs = {"name": entry.name, "predictions": generated, "rows": rows_digest(rows)}

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, f"{stage} {entry.name}", round_, arm, SEEDLESS)
            context.progress(0, len(rows))
            pairs = list(zip(predictions, rows, strict=True))
            metric = scoring.Entry(entry.name, entry.instance)
            scoring.ready(entry.instance, pairs, context.progress)
            found = scoring.measure(metric, pairs, context.progress)
            write_jsonl(folder / "output" / "measurements.jsonl", map(to_json, found))
            return {
                "remarks": metric.remarks(pairs), "signature": metric.signature(),
                "made_with": {"libraries": dict(self.run.versions(entry))},
            }  # fmt: skip

        made = self.run.stage(stage, entry, inputs, make, round_=round_, arm=arm, pinned=pinned)
        lines = read_jsonl(made.path / "measurements.jsonl")
        found = tuple(from_json(Measurement, line) for line in lines)
        self.made_with[made.digest] = made.facts.get("made_with")
        self.signatures[made.digest] = made.facts.get("signature")
        self._note_unscored(entry, found, stage, round_, arm)
        for remark in made.facts["remarks"]:
            self.note(f"{label(stage, round_, arm)}: {entry.name}: {remark}")
        return found, made.digest

    def _beside(
        self, entry: Entry, metric: Metric, pairs: Sequence[tuple[Prediction, Example]],
        round_: int, arm: str,
    ) -> tuple[Measurement, ...]:  # fmt: skip
        """What ``entry.instance.beside(others)`` says of answers; never kept, for people go on."""
        from harness import scoring

        with self.run.guard("score", entry, round_, arm):
            scoring.ready(metric, pairs, silent)
            # In this process: another one would make the metric from its options alone.
            found = scoring.measure(scoring.Entry(entry.name, metric), pairs, workers=1)
        return tuple(found)

    def _note_unscored(
        self, entry: Entry, found: Sequence[Measurement], stage: str, round_: int, arm: str
    ) -> None:
        failed = [m for m in found if m.error]
        if failed:
            first = failed[0]
            self.note(
                f"{label(stage, round_, arm)}: metric '{entry.name}' ({entry.origin}) left "
                f"{len(failed)} of {len(found)} answers unscored, first '{first.example_id}': "
                f"{first.error}"
            )

    def scores(
        self,
        entries: Sequence[Entry],
        measurements: Mapping[str, Sequence[Measurement]],
        predictions: Sequence[Prediction],
        rows: Sequence[Example],
        digests: Mapping[str, str],
        round_: int,
        arm: str = BASE_ARM,
    ) -> dict[str, Score]:
        """Score name -> score of the whole split, for these metric entries.

        Args:
            digests: metric entry -> digest of its measurements, whose signature was kept.
        """
        from harness import scoring

        groups = groups_of(rows)
        pairs = list(zip(predictions, rows, strict=True))
        found: dict[str, Score] = {}
        for entry in entries:
            metric = scoring.Entry(entry.name, entry.instance, self.doubt)
            with self.run.guard("score", entry, round_, arm):
                found |= scoring.scores(
                    metric, measurements[entry.name], groups, self.seed("scores", 0), pairs=pairs,
                    signature=self.signatures.get(digests[entry.name]),
                )  # fmt: skip
        return found
