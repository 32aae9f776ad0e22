"""Does the export answer as what was evaluated? All prompts of dev are answered once more."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.numbers import estimate, percent
from harness.stats.decision import NO_SPREAD
from harness_transformers import encoding, loading
from harness_transformers.export.origin import Origin, plugin_files

SIDE = "exported"
ALONE = 30
"""Rows of dev that are asked one at a time."""

Answers = Mapping[str, str]
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
    """

    n: int
    identical: int
    score: str
    difference: float | None
    low: float | None
    high: float | None
    doubt: str = ""

    @property
    def sentence(self) -> str:
        """``38 of 40 answers to dev (95 %) are identical; difference in exact -0.01 [...]``."""
        share = f"{self.identical} of {self.n} answers to dev ({percent(self.identical / self.n)})"
        shown = estimate(self.difference, self.low, self.high, 3, plus=True)
        doubt = f" (no interval: {self.doubt})" if self.doubt else ""
        return f"{share} are identical; difference in {self.score}: {shown}{doubt}"


@dataclass(frozen=True, slots=True)
class Sameness:
    """The answers of an exported adapter beside those of the run's own, under like conditions.

    Both are answered by this machine, in one type, and both in batches or both one at a time.

    Attributes:
        n: answers in batches.
        differing: ids of rows whose answers in batches differ.
        alone: answers one at a time; 0 where the generator has no option ``batch_size``.
        alone_differing: ids of rows whose answers one at a time differ.
        moved: of ``alone``, those that differ from the export's own answer in a batch.
    """

    n: int
    differing: Sequence[str]
    alone: int
    alone_differing: Sequence[str]
    moved: int

    @property
    def sentence(self) -> str:
        """What was compared with the adapter of the run, and what batches do."""
        n = self.n - len(self.differing)
        told = f"as the run's own adapter answers here: {n} of {self.n} in batches"
        if not self.alone:
            return told
        same = self.alone - len(self.alone_differing)
        return (
            f"{told}, {same} of {self.alone} one at a time; {self.moved} of these {self.alone} "
            "differ from the answer in a batch"
        )

    def require(self) -> None:
        """Raises DataError where an answer differs."""
        rows = list(dict.fromkeys([*self.differing, *self.alone_differing]))
        if rows:
            raise harness.DataError(
                "the exported adapter does not answer as the run's own does on this machine: "
                f"{self.sentence}",
                details=rows[:5],
                hint="nothing was written; both were asked in the same way, so the exported "
                "files are not those of the run",
            )


def check_prompts(origin: Origin, folder: Path) -> None:
    """Raises DataError where the exported tokenizer builds another prompt for a row of dev."""
    from transformers import AutoTokenizer

    trained = loading.tokenizer_of(origin.tuned)
    exported = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=bool(origin.tuned.info.get("trust_remote_code"))
    )
    exported.chat_template_kwargs = trained.chat_template_kwargs
    for row in origin.stored.card.examples:
        if encoding.prompt_ids(trained, row) != encoding.prompt_ids(exported, row):
            raise harness.DataError(
                f"the exported tokenizer builds another prompt of row '{row.id}' than the one "
                "that was evaluated",
                hint="this tokenizer cannot be saved by transformers; nothing was written",
            )


def answers(
    checkpoint: harness.Checkpoint,
    origin: Origin,
    rows: Sequence[harness.Example],
    report: harness.Report,
    **changed: Any,
) -> list[harness.Prediction]:
    """What the run's own generator answers with the checkpoint. References are not given away.

    An adapter is applied beside the weights, as whoever loads it does, whatever the generator's
    ``merge`` says.

    Args:
        changed: options of the generator that differ from the run's; those it has not are left out.
    """
    generator = generator_of(origin, merge=False, **changed)
    with tempfile.TemporaryDirectory(prefix="harness-") as output:
        context = harness.Context(
            Path(output), origin.stored.seed, "generate", origin.round, report=report
        )
        return list(generator.generate(checkpoint, [row.as_asked() for row in rows], context))


def generator_of(origin: Origin, **changed: Any) -> Any:
    """The run's generator; options that it does not have are left out."""
    options = dict(origin.stored.config["generate"])
    changed = {name: value for name, value in changed.items() if name in options}
    name = options.pop("plugin")
    return harness.make_plugin(
        "generator", name, {**options, **changed}, plugin_files(origin.stored)
    )


def same(
    exported: harness.Checkpoint,
    origin: Origin,
    batches: Sequence[harness.Prediction],
    report: harness.Report,
) -> Sameness:
    """An exported adapter compared with the one in the run's store.

    Args:
        batches: what the export answers to dev. Where that is what the run stored, the own
            adapter is not asked for it again.
    """
    card = origin.stored.card
    rows = card.examples[:: -(-len(card.examples) // ALONE)]
    ours, theirs = _texts(card.predictions), _texts(batches)
    if ours != theirs:  # as well by another machine, other libraries, or the option `merge`
        ours = _texts(answers(origin.tuned, origin, card.examples, report))
    own: Answers = {}
    alone: Answers = {}
    if "batch_size" in origin.stored.config["generate"]:
        own, alone = (
            _texts(answers(checkpoint, origin, rows, report, batch_size=1))
            for checkpoint in (origin.tuned, exported)
        )
    return Sameness(
        len(theirs), _differing(ours, theirs), len(alone), _differing(own, alone),
        len(_differing(alone, theirs)),
    )  # fmt: skip


def _texts(predictions: Sequence[harness.Prediction]) -> Answers:
    return {prediction.example_id: prediction.text for prediction in predictions}


def _differing(some: Answers, others: Answers) -> list[str]:
    return [row for row, text in some.items() if others.get(row) != text]


def compare(origin: Origin, predictions: Sequence[harness.Prediction]) -> Parity:
    """The answers compared with those that the round was closed with.

    Args:
        predictions: one for each row of dev, in any order.

    An answer that is the same keeps its measurement, so that ratings of it count.
    """
    stored = origin.stored
    entry, card = stored.primary_metric, stored.card
    by_id = {prediction.example_id: prediction for prediction in predictions}
    if by_id.keys() != {row.id for row in card.examples}:
        raise harness.DataError("the generator has not answered each row of dev once")
    changed = [
        row for row, old in zip(card.examples, card.predictions, strict=True)
        if by_id[row.id].text != old.text
    ]  # fmt: skip
    n = len(card.examples)
    if not changed:
        return Parity(n, n, stored.primary, 0.0, None, None)
    measured = harness.evaluate(changed, [by_id[row.id] for row in changed], [entry])
    anew = {m.example_id: m for m in measured.measurements[entry.name]}
    old = card.measurements[entry.name]
    new = [anew.get(measurement.example_id, measurement) for measurement in old]
    sides = [
        harness.Scorecard(card.examples, answered, [entry], {entry.name: values}, stored.seed)
        for answered, values in (
            ([by_id[row.id] for row in card.examples], new), (card.predictions, old),
        )
    ]  # fmt: skip
    found = harness.compare({SIDE: sides[0]}, sides[1])[SIDE][stored.primary]
    low, high, doubt = found.low, found.high, found.doubt
    if doubt == NO_SPREAD:  # all rows changed alike, or none did
        low, high, doubt = found.difference, found.difference, ""
    return Parity(n, n - len(changed), stored.primary, found.difference, low, high, doubt)
