"""How probes are carried out: what is general, beside the task.

Their texts and instructions are put to the models before and after training, their rows are trained
on beside those of the task. What a probe is, its contract says (:mod:`harness.stages.probe`);
what the measurements say of a round, :mod:`harness.verdicts.forgetting`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.boundary.lending import Lent
from harness.config.plugin_entries import PluginEntry
from harness.data import replay
from harness.data.splits import rows_digest
from harness.errors import DataError, EnvironmentFailure, PluginError
from harness.kit.files import read_jsonl, write_jsonl
from harness.kit.numbers import percent
from harness.records import BASE_ARM, Checkpoint, Example, Prediction, from_json, to_json
from harness.run.artifacts import Artifact
from harness.run.at import At
from harness.run.job import ANSWERS, TEXTS
from harness.stages import probe
from harness.stages.generator import NO_LOSSES, Loss, measures_losses
from harness.steps.call import Finish, artifact_of_job, nothing_more
from harness.steps.shared import Shared

LOSSES = "losses"
INSTRUCTIONS = "instructions"
REPLAY = "replay"
TOKENS = 16
"""Of an answer to an instruction, at most."""
_OF_BASE = " base"


@dataclass(frozen=True, slots=True)
class Probed:
    """A model on general text.

    Attributes:
        losses: of each text.
        groups: of each text the name of its group.
        right: whether the answer to each instruction is right; empty where none is asked.
        kinds: of each instruction the name of its kind, empty for a general one.
        keys: stage -> artifact digest.
    """

    losses: tuple[Loss, ...]
    groups: tuple[str, ...]
    right: tuple[bool, ...]
    kinds: tuple[str, ...]
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProbedModels:
    """The base model and a round's model on the same texts and instructions."""

    before: Probed
    after: Probed

    @property
    def keys(self) -> dict[str, str]:
        """What a round rests on here: name -> digest."""
        before = {f"{name}{_OF_BASE}": pin for name, pin in self.before.keys.items()}
        return {**self.after.keys, **before}


class GeneralTexts:
    """Losses on general texts, and answers to general instructions."""

    def __init__(self, steps: Shared, *, wanted: bool = True) -> None:
        """Nothing is measured where it is not wanted."""
        self.steps, self.wanted = steps, wanted
        self.run, self.config = steps.run, steps.config

    def beside(
        self, base: Checkpoint, trained: Checkpoint, at: At, pinned: Mapping[str, str]
    ) -> dict[tuple[str, int], ProbedModels]:
        """Arm and round -> both models' losses and answers; nothing where they cannot be had.

        They are no result of the run: what fails here ends with a note. The main arm alone is
        looked at.

        Args:
            pinned: what the round was closed with; it is found by that after an upgrade, too.
        """
        if not (self.wanted and self.config.entries["probes"]) or at.arm != BASE_ARM:
            return {}
        of_base = {
            name.removesuffix(_OF_BASE): pin
            for name, pin in pinned.items() if name.endswith(_OF_BASE)
        }  # fmt: skip
        before = self._measured(base, At(), of_base)
        after = before and self._measured(trained, at, pinned)
        return {(at.arm, at.round): ProbedModels(before, after)} if before and after else {}

    def _measured(self, checkpoint: Checkpoint, at: At, pinned: Mapping[str, str]) -> Probed | None:
        """One model; None, with a note, where it cannot be measured."""
        entry = self.config.generate
        if not measures_losses(entry.instance):
            self.steps.note(f"{NO_LOSSES.format(entry.plugin)} (probes: [] asks for none)")
            return None
        try:
            return self._probed(checkpoint, at, pinned)
        except (PluginError, DataError, EnvironmentFailure) as error:
            if self.run.writes:  # whoever only looks has measured nothing, and says nothing
                text = f"general text is not measured: {error.placed}"
                self.steps.note(f"{at.label(LOSSES)}: {text}")
            return None

    def _probed(self, checkpoint: Checkpoint, at: At, pinned: Mapping[str, str]) -> Probed:
        losses = self._losses(checkpoint, at, pinned)
        keys, judged = {LOSSES: losses.digest}, []
        brief = self._brief
        if brief is not None and self._instructions:
            answers = self._answers(checkpoint, brief, at, pinned)
            keys[INSTRUCTIONS] = answers.digest
            judged = list(read_jsonl(answers.path / "right.jsonl"))
        read = list(read_jsonl(losses.path / "losses.jsonl"))
        return Probed(
            tuple((loss, tokens) for loss, tokens, _ in read),
            tuple(group for _, _, group in read),
            tuple(line["right"] for line in judged),
            tuple(line.get("kind", "") for line in judged),
            keys,
        )

    @cached_property
    def _texts(self) -> list[Example]:
        """The texts of all probes, each as the one turn of a row.

        Raises:
            PluginError: a probe gives something else than it should.
        """
        texts: list[Example] = []
        for entry in self.config.entries["probes"]:
            with self.run.guard(LOSSES, entry):
                for text, group in probe.texts_of(entry.instance):
                    turn, own = {"role": "user", "content": text}, f"{entry.name}: {group}"
                    name = f"text {len(texts)}"
                    texts.append(Example(name, (turn,), group=own if group else ""))
        return texts

    @cached_property
    def _instructions(self) -> list[tuple[PluginEntry, Example]]:
        """The instructions of all probes, each with its probe.

        Raises:
            PluginError: a probe gives something else than it should.
        """
        instructions: list[tuple[PluginEntry, Example]] = []
        for entry in self.config.entries["probes"]:
            with self.run.guard(LOSSES, entry):
                rows = probe.instructions_of(entry.instance)
            instructions += [(entry, row) for row in rows]
        return instructions

    @cached_property
    def _brief(self) -> PluginEntry | None:
        """The generator for short answers, as an entry of the config."""
        entry = self.config.generate
        with self.run.guard(INSTRUCTIONS, entry):
            generator = entry.instance.brief(TOKENS)
        return None if generator is None else dataclasses.replace(entry, instance=generator)

    def _losses(self, checkpoint: Checkpoint, at: At, pinned: Mapping[str, str]) -> Artifact:
        texts = self._texts
        inputs = {"checkpoint": checkpoint.digest, TEXTS: rows_digest(texts)}
        return self._job(LOSSES, self.config.generate, checkpoint, {TEXTS: texts}, inputs, at,
                         pinned)  # fmt: skip

    def _answers(
        self, checkpoint: Checkpoint, brief: PluginEntry, at: At, pinned: Mapping[str, str]
    ) -> Artifact:
        instructions = self._instructions
        prompts = [  # under names of their own: two probes may have an instruction of one name
            dataclasses.replace(row.as_asked(), id=f"{entry.name} {row.id}", split="dev")
            for entry, row in instructions
        ]
        inputs = {
            "checkpoint": checkpoint.digest,
            "prompts": rows_digest(prompts),
            "asked": rows_digest([row for _, row in instructions]),
            "probes": [self.run.key_of(entry) for entry in self.config.entries["probes"]],
        }

        def judged(folder: Path, answer: Mapping[str, Any]) -> Mapping[str, Any]:
            lines = read_jsonl(folder / "output" / ANSWERS)
            answers = [from_json(Prediction, line) for line in lines]
            pairs = zip(instructions, answers, strict=True)
            right = [
                {
                    "id": answer.example_id,
                    "right": self._right(entry, row, answer.text),
                    **({"kind": row.group} if row.group else {}),
                }
                for (entry, row), answer in pairs
            ]
            write_jsonl(folder / "output" / "right.jsonl", right)
            return {}

        rows = {"examples": prompts}
        return self._job(INSTRUCTIONS, brief, checkpoint, rows, inputs, at, pinned, judged)

    def _right(self, entry: PluginEntry, row: Example, answer: str) -> bool:
        with self.run.guard(INSTRUCTIONS, entry, lent=Lent((row,))):
            return probe.is_right(entry.instance, row, answer)

    def _job(
        self,
        stage: str,
        entry: PluginEntry,
        checkpoint: Checkpoint,
        rows: Mapping[str, Sequence[Example]],
        inputs: Mapping[str, Any],
        at: At,
        pinned: Mapping[str, str],
        finish: Finish = nothing_more,
    ) -> Artifact:
        """What the generator's job leaves, from the store where it is there."""
        pin = pinned.get(stage)
        stored = self.run.artifacts.with_digest(stage, pin) if pin else None
        return artifact_of_job(
            self.steps, stage, entry, at, inputs, checkpoint=checkpoint, rows=rows, finish=finish,
            seed=self.steps.seed(stage, 0),  # of no round: both sides are asked alike
            pinned=stored.digest if stored else None,
        )  # fmt: skip


class GeneralRows:
    """General rows: they are trained on, and are no rows of the task anywhere else."""

    def __init__(self, steps: Shared) -> None:
        self.steps = steps

    def replayed(self, rows: Sequence[Example]) -> tuple[Example, ...]:
        """The general rows that a training on these rows of the task learns, too.

        Raises:
            PluginError: a probe gives no rows that could be used.
        """
        share = self.steps.config.settings.replay
        count = replay.wanted(len(rows), share)
        if not count:
            return ()
        screened = self._screened
        if len(screened) < count:
            real = percent(len(screened) / (len(rows) + len(screened)))
            self.steps.note(
                f"replay: {share:g} asks for {count} general rows beside {len(rows)} of the task, "
                f"and there are {len(screened)}: they are {real} of what is trained on"
            )
        return screened[:count]

    def due(self, rows: int) -> Sequence[Example]:
        """The general rows that belong beside so many rows of the task, before the gate has seen
        them: for each that it refuses a later one takes its place."""
        count = replay.wanted(rows, self.steps.config.settings.replay)
        return replay.ordered(self._proposed, self.steps.seed(REPLAY, 0))[:count] if count else ()

    @cached_property
    def _proposed(self) -> Sequence[Example]:
        probes = self.steps.config.entries["probes"]
        return [row for entry in probes for row in self._rows_of(entry)]

    @cached_property
    def _screened(self) -> tuple[Example, ...]:
        """The general rows that pass the gate, as proposed rows do: in the order of their use."""
        run, at, data = self.steps.run, At(), self.steps.data()
        seed, proposed = self.steps.seed(REPLAY, 0), self._proposed
        inputs = {
            "rows": rows_digest(proposed),
            "data": data.digest,
            "gate": self.steps.gating.key,
        }

        def make(folder: Path) -> Mapping[str, Any]:
            gate = self.steps.gating.gate(data, data.split("train"), proposed)
            passed, refused = [], Counter[str]()
            for row in replay.ordered(proposed, seed):
                reason = gate.refuse(row)
                if reason is None:
                    gate.accept(row)
                    passed.append(row)
                else:
                    refused[reason] += 1
            write_jsonl(folder / "output" / "rows.jsonl", map(to_json, passed))
            return {"refused": dict(sorted(refused.items()))}

        artifact = run.stage(REPLAY, None, inputs, make, at, seed=seed)
        for reason, count in artifact.facts["refused"].items():
            left_out = f"{count} of {len(proposed)} general rows were left out"
            self.steps.note(f"replay: {left_out}: {reason}")
        return artifact.records(Example, "rows.jsonl")

    def _rows_of(self, entry: PluginEntry) -> list[Example]:
        """The rows of a probe, under names that no row of the task has, and marked."""
        with self.steps.run.guard(REPLAY, entry):
            rows = probe.rows_of(entry.instance)
        return [
            dataclasses.replace(
                row, id=f"{entry.name} {row.id}", split="train", group=f"{entry.name} {row.id}",
                meta={**row.meta, REPLAY: entry.name}, parent=None,
                origin={"by": entry.name, "as": REPLAY},
            )
            for row in rows
        ]  # fmt: skip
