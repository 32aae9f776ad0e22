"""Does the export answer as what was evaluated? All prompts of dev are answered once more."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.draws import spaced
from harness.kit.numbers import estimate, percent
from harness.stats.decision import rows_needed
from harness_transformers import encoding, loading
from harness_transformers.export.origin import Origin

SIDE = "exported"
ALONE = 30
"""Rows of dev that are asked one at a time."""

Answers = Mapping[str, harness.Prediction]
"""Id of a row -> its answer."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The answers of the export beside those that were evaluated; it refuses nothing.

    Attributes:
        identical: answers that are the same, of ``n``.
        score: name of the primary score.
        difference: exported minus evaluated, positive = the export is better.
        low, high: its 95 % interval; None where there is none.
        doubt: why the difference cannot be judged, or empty.
        loss: whether the export is shown to be worse.
        detectable: the difference that so many rows find with 80 % power; None where unknown.
    """

    n: int
    identical: int
    score: str
    difference: float | None
    low: float | None
    high: float | None
    doubt: str = ""
    loss: bool = False
    detectable: float | None = None

    def rows_for(self, tolerance: float) -> int | None:
        """Rows with which a loss above the tolerance would be excluded, were there none."""
        return rows_needed(self.n, tolerance, self.detectable)

    @property
    def sentence(self) -> str:
        """``38 of 40 answers to dev (95 %) are identical …; difference in exact, …``."""
        share = percent(self.identical / self.n)
        same = (
            f"{self.identical} of {self.n} answers to dev ({share}) are identical to those that "
            "were evaluated"
        )
        if self.identical == self.n:
            return same
        shown = estimate(self.difference, self.low, self.high, 3, plus=True)
        interval = "no interval" if self.low is None else "95 % interval"
        doubt = f": {self.doubt}" if self.doubt else ""
        return (
            f"{same}; difference in {self.score}, exported minus evaluated: {shown} "
            f"({interval}{doubt})"
        )


@dataclass(frozen=True, slots=True)
class Sameness:
    """The answers of an exported adapter beside those of the run's own, under like conditions.

    Both are answered with the run's ``batch_size``, or both one at a time.

    Attributes:
        n: answers to dev.
        differing: ids of rows whose answers differ.
        again: whether the run's own adapter was asked for them again, on this machine; else they
            are those that the run stored.
        alone: answers one at a time, both asked on this machine; 0 where the generator has no
            option ``batch_size``, or it is 1.
        alone_differing: ids of rows whose answers one at a time differ.
        moved: of ``alone``, those that differ from the export's answer with ``batch_size``.
    """

    n: int
    differing: Sequence[str]
    again: bool
    alone: int
    alone_differing: Sequence[str]
    moved: int

    @property
    def sentence(self) -> str:
        """What was compared on this machine, and what batches do; empty where nothing was."""
        parts = []
        if self.again:
            same = self.n - len(self.differing)
            parts.append(
                f"asked again on this machine, the run's own adapter gives {same} of {self.n} of "
                "these answers"
            )
        if self.alone:
            same = self.alone - len(self.alone_differing)
            parts.append(
                f"asked one at a time on this machine, {same} of {self.alone} answers are those of "
                f"the run's own adapter, and {self.moved} of {self.alone} differ from the answer "
                "in a batch"
            )
        return "; ".join(parts)

    def require(self) -> None:
        """Raises DataError where an answer differs."""
        rows = list(dict.fromkeys([*self.differing, *self.alone_differing]))
        if rows:
            raise harness.DataError(
                f"the exported adapter does not answer as the run's own does: {self.sentence}",
                details=rows[:5],
                hint="nothing was written; both were asked here with the same options and seed, so "
                "either the exported files are wrong, or this machine computes the same thing "
                "differently from one time to the next: run the same command again",
            )


def check_prompts(origin: Origin, folder: Path) -> None:
    """Raises DataError where the exported tokenizer builds another prompt for a row of dev."""
    from transformers import AutoTokenizer

    trained = loading.tokenizer_of(origin.tuned)
    exported = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=loading.runs_code(origin.tuned)
    )
    exported.chat_template_kwargs = trained.chat_template_kwargs
    for row in origin.stored.card.examples:
        if encoding.prompt_ids(trained, row) != encoding.prompt_ids(exported, row):
            raise harness.DataError(
                f"the exported tokenizer builds another prompt of row '{row.id}' than the one "
                "that was evaluated",
                hint="this tokenizer cannot be saved by transformers; nothing was written",
            )


def as_checkpoint(origin: Origin, folder: Path, *, merged: bool) -> harness.Checkpoint:
    """The export as a generator takes it. Of merged weights everything is read from the folder."""
    if not merged:
        return dataclasses.replace(origin.tuned, path=str(folder))
    info = {key: value for key, value in origin.tuned.info.items() if key != "chat_template"}
    # Another template than in training, which puts the system turn of the rows before a chat; the
    # prompts of dev were compared (check_prompts).
    return dataclasses.replace(
        origin.tuned, kind="base", path=str(folder), base_path=None, template=None, info=info
    )


def answers(
    checkpoint: harness.Checkpoint,
    origin: Origin,
    rows: Sequence[harness.Example],
    report: harness.Report,
    **changed: Any,
) -> Answers:
    """What the run's own generator answers with the checkpoint. References are not given away.

    An adapter is applied beside the weights, as whoever loads it does, whatever the generator's
    ``merge`` says.

    Args:
        changed: options of the generator that differ from the run's; those it has not are left out.

    Raises:
        PluginError: it does not answer each row once.
    """
    options = dict(origin.stored.config["generate"])
    name = options.pop("plugin")
    changed = {"merge": False, **changed}
    options |= {option: value for option, value in changed.items() if option in options}
    files = [Path(path) for path in origin.stored.config.get("plugins") or ()]
    generator: Any = harness.make_plugin("generator", name, options, files)
    prompts = [row.as_asked() for row in rows]
    with tempfile.TemporaryDirectory(prefix="harness-") as output:
        context = harness.Context(
            Path(output), origin.stored.seed, "generate", origin.round, report=report
        )
        predictions = list(generator.generate(checkpoint, prompts, context))
    answered = _by_id(predictions)
    if len(predictions) != len(rows) or answered.keys() != {row.id for row in rows}:
        raise harness.PluginError(
            f"it gave {len(predictions)} answers to {len(rows)} prompts, not one to each",
            where=f"generate: {name}",
        )
    return answered


def dev_answers(
    checkpoint: harness.Checkpoint, origin: Origin, dtype: str | None, report: harness.Report
) -> Answers:
    """What a checkpoint answers to dev.

    Args:
        dtype: of whole weights; None: it is an adapter, and is asked as the run's own was.
    """
    # What is finer than bf16 would be rounded to it where the run computes so.
    finer = {} if dtype in (None, "bfloat16") else {"precision": "fp32"}
    return answers(checkpoint, origin, origin.stored.card.examples, report, **finer)


def same(
    exported: harness.Checkpoint, origin: Origin, answered: Answers, report: harness.Report
) -> Sameness:
    """An exported adapter compared with the one in the run's store.

    Args:
        answered: what the export answers to dev. Where that is what the run stored, the own
            adapter is not asked for it again.
    """
    card = origin.stored.card
    ours = _by_id(card.predictions)
    again = bool(_differing(ours, answered))
    if again:  # as well by another machine, other libraries, or the option `merge`
        ours = dev_answers(origin.tuned, origin, None, report)
    own: Answers = {}
    alone: Answers = {}
    if origin.stored.config["generate"].get("batch_size", 1) != 1:
        rows = spaced(card.examples, ALONE)
        own, alone = (
            answers(checkpoint, origin, rows, report, batch_size=1)
            for checkpoint in (origin.tuned, exported)
        )
    return Sameness(
        len(answered), _differing(ours, answered), again, len(alone), _differing(own, alone),
        len(_differing(alone, answered)),
    )  # fmt: skip


def _by_id(predictions: Sequence[harness.Prediction]) -> Answers:
    return {prediction.example_id: prediction for prediction in predictions}


def _differing(some: Answers, others: Answers) -> list[str]:
    """Ids of some answers whose text is another one there."""
    return [row for row, answer in some.items() if others[row].text != answer.text]


def compare(origin: Origin, answered: Answers) -> Parity:
    """The answers to dev compared with those that the round was closed with.

    An answer that is the same keeps its measurement, so that ratings of it count.
    """
    stored = origin.stored
    entry, card = stored.primary_metric, stored.card
    differing = set(_differing(_by_id(card.predictions), answered))
    changed = [row for row in card.examples if row.id in differing]
    n = len(card.examples)
    if not changed:
        return Parity(n, n, stored.primary, 0.0, None, None)
    measured = harness.evaluate(changed, [answered[row.id] for row in changed], [entry])
    anew = {m.example_id: m for m in measured.measurements[entry.name]}
    old = card.measurements[entry.name]
    new = [anew.get(measurement.example_id, measurement) for measurement in old]
    sides = [
        harness.Scorecard(card.examples, texts, [entry], {entry.name: values}, stored.seed)
        for texts, values in (
            ([answered[row.id] for row in card.examples], new), (card.predictions, old),
        )
    ]  # fmt: skip
    comparison = harness.compare_systems({SIDE: sides[0]}, sides[1])[SIDE][stored.primary]
    same = n - len(changed)
    return Parity(
        n, same, stored.primary, comparison.difference, comparison.low, comparison.high,
        comparison.doubt, comparison.label == "regressed", comparison.detectable,
    )  # fmt: skip
