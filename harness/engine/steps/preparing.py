"""The calls that make what is evaluated: data, the untouched model, and trained checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.boundary import results
from harness.config.effects import shortages
from harness.config.sourcing import counted
from harness.data import correction_file
from harness.data.corrections import Corrected, corrected
from harness.data.splits import rows_digest, with_valid
from harness.engine.pins import DATA, EXAMPLES, MODEL
from harness.engine.steps.calls import SEEDLESS, label
from harness.engine.steps.gating import Gating
from harness.errors import DataError
from harness.kit.files import digest, read_json, read_jsonl, write_bytes, write_json, write_jsonl
from harness.records import BASE_ARM, Checkpoint, Dataset, Example, from_json, to_json

CORRECTIONS = "corrections.jsonl"
"""The run's own copy of the accepted corrections: their file grows with the next batch."""


ONE_SIDED = "one-sided references"
"""Stands beside every score of a run whose references grew from one round's answers."""


def _leaning(made: Corrected, name: str) -> str:
    return (
        f"{made.one_sided} of {made.references} corrected references of {name} are not from "
        "batches that showed the answers of two rounds blindly: they lie nearer to the answers "
        "that were corrected, so scores and verdicts lean towards that round "
        "(harness rate create --round A --vs B)"
    )


class Preparing(Gating):
    """Data and checkpoints."""

    def data(self) -> Dataset:
        """The examples: dev with accepted corrections, repeats of held-out rows taken out, and
        ``valid`` cut from train.

        Raises:
            DataError: a split that is needed has no row, or a correction does not fit its row.
        """
        entry = self.config.data
        seed = self.seed("data", 0)

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "data", 0, BASE_ARM, seed)
            rows = []
            given = results.examples(entry.instance.load(context))
            for row in counted(given, entry, self.run.watcher.say, self.run.calls.heard):
                rows.append(row)
                context.check()
            write_jsonl(folder / "output" / "examples.jsonl", map(to_json, rows))
            return context.facts

        pinned = self.pins(0, BASE_ARM)
        artifact = self.run.stage(
            "data", entry, {}, make, round_=0, arm=BASE_ARM, seed=seed, pinned=pinned.get(DATA)
        )
        rows = [from_json(Example, r) for r in read_jsonl(artifact.path / "examples.jsonl")]
        data = self._prepared(self._corrected(rows))
        self.same(EXAMPLES, data.digest, pinned, 0, BASE_ARM)
        return data

    def _corrected(self, rows: Sequence[Example]) -> Sequence[Example]:
        """The rows, those of dev with the references that people typed and the team accepted.

        The file's content is part of the run's name, so the copy of a run is what it began with.
        """
        given = self.config.corrections
        if given is None:
            return rows

        copy = self.run.folder / CORRECTIONS
        data = correction_file.content(copy if copy.is_file() else given)
        made = corrected(rows, correction_file.parsed(data, str(given)), str(given))
        if self.run.writes and self.run.folder.is_dir() and not copy.is_file():
            write_bytes(copy, data)
        if made.references:
            plural = "reference" if made.references == 1 else "references"
            self.note(f"dev has {made.references} corrected {plural} from {given.name}")
        if made.one_sided:
            self.doubt = ONE_SIDED
            self.note(_leaning(made, given.name))
        elif made.references:
            shown = " and ".join(map(str, made.rounds))
            self.note(
                f"the corrected references were typed at answers of rounds {shown}: a comparison "
                "with any other round leans towards these"
            )
        return made.rows

    def _prepared(self, rows: Sequence[Example]) -> Dataset:
        held_out = [row for row in rows if row.split in ("dev", "test")]
        kept = with_valid(self.screen(rows), self.config.settings.valid, self.seed("valid", 0))
        data = Dataset((*kept, *held_out))
        for split in ("train", "dev", "test"):
            if not data.split(split):
                raise DataError(
                    f"the split '{split}' has no row", where=f"source '{self.config.data.plugin}'"
                )
        settings, augment = self.config.settings, self.config.augment
        for place, message, _ in shortages(settings, augment, data.counts):
            self.note(f"{'.'.join(map(str, place))}: {message}")
        return dataclasses.replace(data, digest=rows_digest(data.examples, lineage=True))

    def base(self) -> Checkpoint:
        """The untouched model, as training loads it.

        Asked of its plugin at each start, which checks its files.
        """
        entry = self.config.model
        folder, begun = self.run.fresh_folder("model"), self._begun()
        with self.run.guard("model", entry, 0, BASE_ARM):
            result = self.run.job(
                folder, entry, checkpoint=begun, rows={}, round_=0, arm=BASE_ARM,
                seed=SEEDLESS, label="model",
            )  # fmt: skip
        base = from_json(Checkpoint, result["answer"])
        if begun is None or base.digest != begun.digest:  # else it was given back, as trained
            base = self._as_trained(base)
        self.same(MODEL, base.digest, self.pins(0, BASE_ARM), 0, BASE_ARM)
        write_json(self.run.base_file, to_json(base))
        self.remarks(result["facts"])
        self.run.watcher.stage_done("model", "model", 0.0, False)
        return base

    def _begun(self) -> Checkpoint | None:
        """The model that this run began with, if it has begun."""
        try:
            return from_json(Checkpoint, read_json(self.run.base_file))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _as_trained(self, base: Checkpoint) -> Checkpoint:
        """The model with what the trainer says of loading it, part of what it is."""
        loading = dict(self.config.train.instance.loading())
        if not loading:
            return base
        info = {**base.info, **loading}
        return dataclasses.replace(base, info=info, digest=digest([base.digest, loading]))

    def train(
        self, base: Checkpoint, rows: Sequence[Example], valid: Sequence[Example],
        round_: int, arm: str, *, pinned: str | None = None,
    ) -> Checkpoint:  # fmt: skip
        """A checkpoint that learned ``rows`` from ``base``.

        Args:
            pinned: digest of the artifact that a closed round was given.
        """
        entry = self.config.train
        seed = self.seed("train", round_)
        inputs = {
            "base": base.digest,
            "train": rows_digest(rows),
            "valid": rows_digest(valid),
            "environment": dict(self.run.environment(entry)),
        }

        def make(folder: Path) -> Mapping[str, Any]:
            result = self.run.job(
                folder, entry, checkpoint=base, rows={"train": rows, "valid": valid},
                round_=round_, arm=arm, seed=seed, label=label("train", round_, arm),
            )  # fmt: skip
            answer, output = result["answer"], folder / "output"
            if not any(output.iterdir()):
                # A prompt, or a model at a service: only the answer tells it from another one.
                told = {name: answer.get(name) for name in ("kind", "name", "template", "info")}
                write_json(output / "checkpoint.json", told)
            return {**result["facts"], "checkpoint": answer}

        made = self.run.stage(
            "train", entry, inputs, make, round_=round_, arm=arm, seed=seed, pinned=pinned
        )
        self.remarks(made.facts)
        checkpoint = from_json(Checkpoint, made.facts["checkpoint"])
        return dataclasses.replace(
            checkpoint, path=str(made.path), digest=digest([base.digest, made.digest])
        )

    def training_log(self, checkpoint: Checkpoint) -> list[Any]:
        """The trainer's loss curve, if it left one."""
        if checkpoint.kind == "base":
            return []
        return list(results.training_log(Path(checkpoint.path) / "log.jsonl"))
