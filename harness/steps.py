"""The stage calls of a run, each one cached: from records to records.

The loop (``loop.py``) says *when*; this module says *how* one stage is called, what its result
depends on, and where it is kept.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.context import derive_seed
from harness.entries import Entry
from harness.errors import Cancelled, DataError, EnvironmentFailure, PluginError, Waiting
from harness.files import digest, read_json, read_jsonl, write_json, write_jsonl
from harness.filters import Gate
from harness.records import (
    BASE_ARM,
    Checkpoint,
    Dataset,
    ErrorLabel,
    Example,
    Findings,
    Growth,
    Measurement,
    Plan,
    Prediction,
    Score,
    ScoredExample,
    from_json,
    to_json,
)
from harness.rows import groups_of, rows_digest, with_valid
from harness.run import Run, entry_key
from harness.stages import Evidence

if TYPE_CHECKING:
    from harness.scoring import Entry as MetricEntry

SEEDLESS = 0
UNEXPLAINED = "unexplained"
_STOP = (Cancelled, Waiting, EnvironmentFailure, OSError)
"""What is not one plugin's failure: the run has to stop."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One checkpoint on one split.

    Attributes:
        measurements: metric entry -> one measurement per example.
        scores: score name -> score of the split.
        scored: the examples with answers and values.
        labels: kinds of errors found.
        keys: stage -> artifact digest.
    """

    predictions: tuple[Prediction, ...]
    measurements: Mapping[str, tuple[Measurement, ...]]
    scores: Mapping[str, Score]
    scored: tuple[ScoredExample, ...]
    labels: tuple[ErrorLabel, ...]
    keys: Mapping[str, str]

    @property
    def errors(self) -> dict[str, int]:
        """Category -> number of answers, the most frequent first."""
        found = Counter((label.category, label.example_id) for label in self.labels)
        kinds = Counter(category for category, _ in found)
        return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Harvest:
    """What augmentation gave after a round."""

    plan: Plan
    growth: Growth
    rows: tuple[Example, ...]


class Steps:
    """Calls stages for one run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config

    def seed(self, stage: str, round_: int) -> int:
        return derive_seed(self.config.settings.seed, stage, round_)

    # -- once per run ---------------------------------------------------------------------

    def data(self) -> Dataset:
        """The examples, with repeats of held-out rows taken out and ``valid`` cut from train.

        Raises:
            DataError: a split that is needed has no row.
        """
        entry = self.config.data
        seed = self.seed("data", 0)

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "data", 0, BASE_ARM, seed)
            rows = list(entry.instance.load(context))
            write_jsonl(folder / "output" / "examples.jsonl", map(to_json, rows))
            return context.facts

        artifact = self.run.stage("data", entry, {}, make, round_=0, arm=BASE_ARM, seed=seed)
        rows = [from_json(Example, r) for r in read_jsonl(artifact.path / "examples.jsonl")]
        return self._prepared(rows)

    def _prepared(self, rows: Sequence[Example]) -> Dataset:
        held_out = [row for row in rows if row.split in ("dev", "test")]
        gate = Gate(held_out, near=self.config.settings.filters.near)
        kept, refused = gate.screen(rows)
        for reason, count in sorted(refused.items()):
            self.note(f"{count} rows of the source were left out of train and pool: {reason}")
        kept = with_valid(kept, self.config.settings.valid, self.seed("valid", 0))
        data = Dataset((*kept, *held_out))
        for split in ("train", "dev", "test"):
            if not data.split(split):
                raise DataError(
                    f"the split '{split}' has no row", where=f"source '{self.config.data.plugin}'"
                )
        return dataclasses.replace(data, digest=rows_digest(data.examples, lineage=True))

    def base(self) -> Checkpoint:
        """The untouched model. Asked of its plugin at each start, which checks its files."""
        entry = self.config.model
        folder = self.run.fresh_folder("model")
        with self.run.guard("model", entry, 0, BASE_ARM):
            result = self.run.job(
                folder, entry, checkpoint=None, rows={}, round_=0, arm=BASE_ARM,
                seed=SEEDLESS, label="model",
            )  # fmt: skip
        write_json(self.run.base_file, result["answer"])
        self.run.watcher.stage_done("model", "model", 0.0, False)
        return from_json(Checkpoint, result["answer"])

    # -- each round -----------------------------------------------------------------------

    def train(
        self, base: Checkpoint, rows: Sequence[Example], valid: Sequence[Example],
        round_: int, arm: str,
    ) -> Checkpoint:  # fmt: skip
        """A checkpoint that learned ``rows`` from ``base``."""
        entry = self.config.train
        seed = self.seed("train", round_)
        inputs = {
            "base": base.digest,
            "train": rows_digest(rows),
            "valid": rows_digest(valid),
        }

        def make(folder: Path) -> Mapping[str, Any]:
            result = self.run.job(
                folder, entry, checkpoint=base, rows={"train": rows, "valid": valid},
                round_=round_, arm=arm, seed=seed, label=_label("train", round_, arm),
            )  # fmt: skip
            return {**result["facts"], "checkpoint": result["answer"]}

        made = self.run.stage("train", entry, inputs, make, round_=round_, arm=arm, seed=seed)
        checkpoint = from_json(Checkpoint, made.facts["checkpoint"])
        return dataclasses.replace(
            checkpoint, path=str(made.path), digest=digest([base.digest, made.digest])
        )

    def training_log(self, checkpoint: Checkpoint) -> list[Any]:
        """The trainer's loss curve, if it left one."""
        path = Path(checkpoint.path) / "log.jsonl"
        return list(read_jsonl(path)) if checkpoint.kind != "base" and path.exists() else []

    def evaluate(
        self, checkpoint: Checkpoint, rows: Sequence[Example], split: str, round_: int, arm: str,
        *, learned: Sequence[Example] = (),
    ) -> Evaluation:  # fmt: skip
        """Generate, score and label one checkpoint's answers to one split.

        Args:
            learned: the rows that the checkpoint was trained on.
        """
        predictions, generated = self._generate(checkpoint, rows, split, round_, arm)
        measurements, digests = {}, {}
        for entry in self.config.metrics:
            found, made = self.score(entry, predictions, generated, rows, split, round_, arm)
            measurements[entry.name], digests[entry.name] = found, made
        scored = _scored(rows, predictions, measurements)
        made_from = [generated, *digests.values()]
        labels = self._detect(scored, learned, made_from, split, round_, arm)
        scores = self.scores(self.config.metrics, measurements, predictions, rows)
        keys = {"generate": generated, **{f"score {n}": d for n, d in digests.items()}}
        return Evaluation(predictions, measurements, scores, scored, labels, keys)

    def _generate(
        self, checkpoint: Checkpoint, rows: Sequence[Example], split: str, round_: int, arm: str
    ) -> tuple[tuple[Prediction, ...], str]:
        entry = self.config.generate
        stage = _on(split, "generate")
        seed = self.seed(stage, round_)
        # References stay behind: a generator must not be able to look at them.
        prompts = [
            dataclasses.replace(row, references=(), meta={}, group="", place="") for row in rows
        ]
        inputs = {"checkpoint": checkpoint.digest, "prompts": rows_digest(prompts)}

        def make(folder: Path) -> Mapping[str, Any]:
            result = self.run.job(
                folder, entry, checkpoint=checkpoint, rows={"examples": prompts},
                round_=round_, arm=arm, seed=seed, label=_label(stage, round_, arm),
            )  # fmt: skip
            facts: Mapping[str, Any] = result["facts"]
            return facts

        made = self.run.stage(stage, entry, inputs, make, round_=round_, arm=arm, seed=seed)
        lines = read_jsonl(made.path / "predictions.jsonl")
        return tuple(from_json(Prediction, line) for line in lines), made.digest

    def score(
        self, entry: Entry, predictions: Sequence[Prediction], generated: str,
        rows: Sequence[Example], split: str, round_: int, arm: str,
    ) -> tuple[tuple[Measurement, ...], str]:  # fmt: skip
        """One metric's measurements of stored answers, and their digest.

        Args:
            generated: digest of the answers.
        """
        from harness import scoring

        stage = _on(split, "score")
        inputs = {"name": entry.name, "predictions": generated, "rows": rows_digest(rows)}

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, f"{stage} {entry.name}", round_, arm, SEEDLESS)
            context.progress(0, len(rows))
            pairs = list(zip(predictions, rows, strict=True))
            metric = scoring.Entry(entry.name, entry.instance)
            found = scoring.measure(metric, pairs, context.progress)
            write_jsonl(folder / "output" / "measurements.jsonl", map(to_json, found))
            return {"remarks": list(entry.instance.remarks(pairs))}

        made = self.run.stage(stage, entry, inputs, make, round_=round_, arm=arm)
        lines = read_jsonl(made.path / "measurements.jsonl")
        found = tuple(from_json(Measurement, line) for line in lines)
        self._note_unscored(entry, found, stage, round_, arm)
        for remark in made.facts["remarks"]:
            self.note(f"{_label(stage, round_, arm)}: {entry.name}: {remark}")
        return found, made.digest

    def _note_unscored(
        self, entry: Entry, found: Sequence[Measurement], stage: str, round_: int, arm: str
    ) -> None:
        failed = [m for m in found if m.error]
        if failed:
            first = failed[0]
            self.note(
                f"{_label(stage, round_, arm)}: metric '{entry.name}' ({entry.origin}) left "
                f"{len(failed)} of {len(found)} answers unscored, first '{first.example_id}': "
                f"{first.error}"
            )

    def scores(
        self,
        entries: Sequence[Entry],
        measurements: Mapping[str, Sequence[Measurement]],
        predictions: Sequence[Prediction],
        rows: Sequence[Example],
    ) -> dict[str, Score]:
        """Score name -> score of the whole split, for these metric entries."""
        from harness import scoring

        groups = groups_of(rows)
        pairs = list(zip(predictions, rows, strict=True))
        found: dict[str, Score] = {}
        for entry in entries:
            metric = scoring.Entry(entry.name, entry.instance)
            with self.run.guard("score", entry, 0, BASE_ARM):
                found |= scoring.scores(
                    metric, measurements[entry.name], groups, self.seed("scores", 0), pairs=pairs
                )
        return found

    def _detect(
        self, scored: Sequence[ScoredExample], learned: Sequence[Example], inputs: Sequence[str],
        split: str, round_: int, arm: str,
    ) -> tuple[ErrorLabel, ...]:  # fmt: skip
        """The kinds of errors of all answers; wrong ones that show none are *unexplained*."""
        stage = _on(split, "detect")
        keys = [entry_key(entry) for entry in self.config.detect]

        def make(folder: Path) -> Mapping[str, Any]:
            labels: list[ErrorLabel] = []
            failed = {}
            for entry in self.config.detect:
                try:
                    entry.instance.prepare(learned)
                    labels += [lab for row in scored for lab in entry.instance.detect(row)]
                except _STOP:
                    raise
                except Exception as error:
                    failed[entry.name] = f"{type(error).__name__}: {error}"
            write_jsonl(folder / "output" / "labels.jsonl", map(to_json, labels))
            return {"failed": failed}

        rows = rows_digest([row.example for row in scored])
        made = self.run.stage(
            stage, None,
            {"detectors": keys, "rows": rows, "from": list(inputs), "learned": rows_digest(learned)},
            make, round_=round_, arm=arm,
        )  # fmt: skip
        for name, reason in made.facts["failed"].items():
            self.note(f"{_label(stage, round_, arm)}: detector '{name}' failed: {reason}")
        lines = read_jsonl(made.path / "labels.jsonl")
        labels = tuple(from_json(ErrorLabel, line) for line in lines)
        return (*labels, *_unexplained(self.right(scored), labels))

    def analyze(
        self, evaluation: Evaluation, round_: int, arm: str, *,
        base: Evaluation | None = None, train: Sequence[Example] = (),
    ) -> Findings:  # fmt: skip
        """Where the model is weak on dev, and why; a failing analyzer is noted, the rest stands.

        Args:
            base: the untouched model on the same rows; None in round 0.
            train: the rows that the round's model has learned.
        """
        name = self.config.settings.primary
        evidence = Evidence(
            evaluation.scored, name, evaluation.scores[name].higher_is_better, evaluation.labels,
            self.right(evaluation.scored), base.scored if base else (), tuple(train),
            self.seed("halves", 0),
        )  # fmt: skip
        seed = self.seed("analyze", round_)
        keys = [entry_key(entry) for entry in self.config.analyze]
        inputs = {
            "analyzers": keys, "score": name, "from": dict(evaluation.keys),
            "higher": evidence.higher_is_better, "right": dict(evidence.right),
            "base": dict(base.keys) if base else {}, "train": rows_digest(train),
            "rows": rows_digest([row.example for row in evaluation.scored]),
            "labels": digest([to_json(label) for label in evaluation.labels]),
        }  # fmt: skip

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "analyze", round_, arm, seed)
            findings = Findings()
            for entry in self.config.analyze:
                try:
                    findings = _joined(findings, entry.instance.analyze(evidence, context))
                except _STOP:
                    raise
                except Exception as error:
                    failed = Findings(failed={entry.name: f"{type(error).__name__}: {error}"})
                    findings = _joined(findings, failed)
            write_json(folder / "output" / "findings.json", to_json(findings))
            return {"failed": dict(findings.failed)}

        made = self.run.stage("analyze", None, inputs, make, round_=round_, arm=arm, seed=seed)
        findings = from_json(Findings, read_json(made.path / "findings.json"))
        for failed, reason in findings.failed.items():
            self.note(f"{_label('analyze', round_, arm)}: analyzer '{failed}' failed: {reason}")
        return findings

    def augment(
        self, data: Dataset, train: Sequence[Example], findings: Findings,
        budgets: Mapping[str, int], strategy: str, round_: int, arm: str,
    ) -> Harvest:  # fmt: skip
        """Plan under each augmenter's budget, and take rows through the gate.

        Args:
            train: the rows to grow from.
            budgets: augment entry -> rows wanted.
            strategy: the planner's.
        """
        seed = self.seed("augment", round_)
        settings = self.config.settings
        inputs = {
            "data": data.digest, "train": rows_digest(train, lineage=True),
            "findings": digest(to_json(findings.slices)), "budgets": dict(budgets),
            "strategy": strategy, "explore": settings.plan.explore,
            "near": settings.filters.near,
            "augmenters": [entry_key(entry) for entry in self.config.augment],
        }  # fmt: skip

        def make(folder: Path) -> Mapping[str, Any]:
            context = self.run.context(folder, "augment", round_, arm, seed)
            plan, growth, rows = self._collect(data, train, findings, budgets, strategy, context)
            write_jsonl(folder / "output" / "rows.jsonl", map(to_json, rows))
            write_json(folder / "output" / "plan.json", to_json(plan))
            return {"growth": to_json(growth)}

        made = self.run.stage("augment", None, inputs, make, round_=round_, arm=arm, seed=seed)
        return Harvest(
            from_json(Plan, read_json(made.path / "plan.json")),
            from_json(Growth, made.facts["growth"]),
            tuple(from_json(Example, row) for row in read_jsonl(made.path / "rows.jsonl")),
        )

    def _collect(
        self, data: Dataset, train: Sequence[Example], findings: Findings,
        budgets: Mapping[str, int], strategy: str, context: Any,
    ) -> tuple[Plan, Growth, tuple[Example, ...]]:  # fmt: skip
        from harness import augmentation
        from harness.planner import plan

        explore = self.config.settings.plan.explore
        entries = [
            augmentation.Entry(
                entry.name,
                entry.instance,
                plan(
                    findings, budgets.get(entry.name, 0), strategy, explore, context.seed,
                    entry.instance.remedy,
                ),
            )
            for entry in self.config.augment
        ]  # fmt: skip
        taken = {row.id for row in train}
        pool = [row for row in data.split("pool") if row.id not in taken]
        held_out = [*data.split("dev"), *data.split("test")]
        # Rows of valid count as trained on: a copy of one in train would spoil its loss.
        gate = Gate(
            held_out, [*train, *data.split("valid")], known=pool,
            near=self.config.settings.filters.near,
        )  # fmt: skip
        rows, growth = augmentation.collect(entries, Dataset((*train, *pool)), gate, context)
        items = tuple(item for entry in entries for item in entry.plan.items if item.rows)
        return Plan(strategy, items), growth, rows

    def metric_entries(self) -> list[MetricEntry]:
        """The run's metrics, as the scoring takes them."""
        from harness.scoring import Entry as MetricEntry

        return [MetricEntry(entry.name, entry.instance) for entry in self.config.metrics]

    def right(self, scored: Sequence[ScoredExample]) -> dict[str, bool | None]:
        """Example id -> whether its answer counts as right by the primary score."""
        from harness import scoring

        name, metric = self.config.settings.primary, self.primary_entry().metric
        return {
            row.example.id: scoring.right(metric, row.values.get(name)) for row in scored
        }

    def primary_entry(self) -> MetricEntry:
        """The metric entry that gives the primary score."""
        name = self.config.settings.primary
        return next(entry for entry in self.metric_entries() if name in entry.score_names)

    def note(self, sentence: str) -> None:
        """Something the report and the person at the terminal should know, once."""
        if sentence not in self.run.notes:
            self.run.notes.append(sentence)
            self.run.watcher.say(f"note: {sentence}")


def _scored(
    rows: Sequence[Example],
    predictions: Sequence[Prediction],
    measurements: Mapping[str, Sequence[Measurement]],
) -> tuple[ScoredExample, ...]:
    values: list[dict[str, float | None]] = [{} for _ in rows]
    for found in measurements.values():
        names = sorted({name for m in found for name in m.values})
        for place, measurement in enumerate(found):
            values[place] |= {name: measurement.values.get(name) for name in names}
    return tuple(
        ScoredExample(row, prediction, own)
        for row, prediction, own in zip(rows, predictions, values, strict=True)
    )


def _unexplained(
    right: Mapping[str, bool | None], labels: Sequence[ErrorLabel]
) -> Iterator[ErrorLabel]:
    """Wrong answers that no detector had anything to say of."""
    known = {label.example_id for label in labels}
    for name, is_right in right.items():
        if is_right is False and name not in known:
            yield ErrorLabel(name, UNEXPLAINED, found_by="harness")


def _joined(first: Findings, second: Any) -> Findings:
    if not isinstance(second, Findings):
        raise PluginError(f"an analyzer returned {type(second).__name__}, not Findings")
    return Findings(
        (*first.slices, *second.slices),
        (*first.diagnoses, *second.diagnoses),
        (*first.notes, *second.notes),
        {**first.failed, **second.failed},
    )


def _on(split: str, stage: str) -> str:
    return stage if split == "dev" else f"{stage} {split}"


def _label(stage: str, round_: int, arm: str) -> str:
    return f"round {round_}: {stage}" + ("" if arm == BASE_ARM else f" ({arm})")
