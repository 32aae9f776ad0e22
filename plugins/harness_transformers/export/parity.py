"""Does the export answer as what was evaluated? All prompts of dev are answered once more."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.numbers import estimate, percent
from harness.stats.decision import NO_SPREAD
from harness_transformers import encoding, loading
from harness_transformers.export.origin import Origin, plugin_files

SIDE = "exported"


@dataclass(frozen=True, slots=True)
class Parity:
    """The answers of the export beside those that were evaluated.

    Attributes:
        identical: answers that are the same, of ``n``.
        score: name of the primary score.
        difference: exported minus evaluated, positive = the export is better.
        low, high: its 95 % interval; None where there is none.
        allowed: the loss that is allowed, in units of the score.
        doubt: why the difference cannot be judged, or empty.
    """

    n: int
    identical: int
    score: str
    difference: float | None
    low: float | None
    high: float | None
    allowed: float
    doubt: str = ""

    @property
    def holds(self) -> bool:
        """Whether no answer differs, or a loss beyond what is allowed is excluded."""
        if self.identical == self.n:
            return True
        return self.low is not None and self.low > -self.allowed

    @property
    def sentence(self) -> str:
        """``38 of 40 answers to dev (95 %) are identical; difference in exact -0.01 [...]``."""
        share = f"{self.identical} of {self.n} answers to dev ({percent(self.identical / self.n)})"
        shown = estimate(self.difference, self.low, self.high, 3, plus=True)
        doubt = f" (no interval: {self.doubt})" if self.doubt else ""
        return f"{share} are identical; difference in {self.score}: {shown}{doubt}"

    def require(self, rounding: str) -> None:
        """Raises DataError where it does not hold.

        Args:
            rounding: what merging did to the update; empty of an adapter.
        """
        if self.holds:
            return
        ways = "--tolerance SHARE allows a larger loss"
        if self.doubt:
            ways = "where the difference has no interval, all answers have to be identical"
        if rounding:
            ways += ", and without --merge nothing is lost by rounding"
        raise harness.DataError(
            f"the export would not answer as the model that was evaluated: {self.sentence}; its "
            f"lower 95 % bound has to be above -{self.allowed:.4g}",
            details=[rounding] if rounding else [],
            hint=f"nothing was written; {ways}",
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
    exported: harness.Checkpoint, origin: Origin, report: harness.Report
) -> list[harness.Prediction]:
    """What the run's own generator answers to dev with the exported files.

    References are not given away. An adapter is applied beside the weights, as whoever loads it
    does, whatever the generator's ``merge`` says.
    """
    options = dict(origin.stored.config["generate"])
    name = options.pop("plugin")
    if "merge" in options:
        options["merge"] = False
    files = plugin_files(origin.stored)
    generator: Any = harness.make_plugin("generator", name, options, files)
    rows = [row.as_asked() for row in origin.stored.card.examples]
    with tempfile.TemporaryDirectory(prefix="harness-") as output:
        context = harness.Context(
            Path(output), origin.stored.seed, "generate", origin.round, report=report
        )
        return list(generator.generate(exported, rows, context))


def compare(origin: Origin, predictions: Sequence[harness.Prediction], tolerance: float) -> Parity:
    """The answers compared with those that the round was closed with.

    Args:
        predictions: one for each row of dev, in any order.
        tolerance: share of the score's range that may be lost; of a score without a greatest
            value, share of the value that was evaluated.

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
    n, allowed = len(card.examples), tolerance * _range(stored)
    if not changed:
        return Parity(n, n, stored.primary, 0.0, None, None, allowed)
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
    same = n - len(changed)
    return Parity(n, same, stored.primary, found.difference, low, high, allowed, doubt)


def _range(stored: harness.StoredRound) -> float:
    least, most = stored.primary_metric.metric.bounds
    if math.isfinite(most - least):
        return float(most - least)
    return abs(stored.scores[stored.primary].value or 1.0)
