"""How much of what training changed is in merged weights.

Asked are the log-probabilities of tokens of dev, those of a row's reference or else of what was
answered: they see a wrong scale at once, where answers and scores may stay as they are.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import harness
from harness.kit.draws import spaced
from harness_transformers import adapters, allocation, encoding, loading, textlosses
from harness_transformers.chats import Chats
from harness_transformers.encoding import Encoded
from harness_transformers.export.origin import Origin

ROWS = 200
"""Rows of dev that are read at most."""
NOISE = 1e-3
"""Root mean square over tokens of the changes of log-probabilities, in nats, up to which they are
rounding."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What merged weights of a type have to keep to.

    Attributes:
        low, high: of the slope.
        rest: most of the rest.
        noise: root mean square over tokens, in nats, up to which differences are rounding.
    """

    low: float
    high: float
    rest: float
    noise: float = NOISE

    @property
    def needed(self) -> str:
        """The limits in words."""
        slope = f"the slope has to be from {self.low:g} to {self.high:g}"
        return f"{slope}, the rest at most {self.rest:g}"


LIMITS = {
    "float32": Limits(0.97, 1.03, 0.01),
    "float16": Limits(0.9, 1.03, 0.03),
    "bfloat16": Limits(0.5, 1.1, 0.12),
}
"""By type, around faithful merges as ``benchmarks/parity.py`` measured them.

In float16, and much more in bf16, a faithful merge of a smaller update has a smaller slope, so that
the slope cannot tell a small update from a wrong scale: ``weights.strange`` does.
"""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Changes of log-probabilities: the export's beside those by training.

    Attributes:
        tokens: how many were read.
        slope: of the export's changes on those by training, through 0: 1 is all of the training.
            None where training changed nothing.
        rest: root mean square of what the slope leaves over, as a share of that of the changes by
            training: 0 is nothing. None as well.
        stray: root mean square over tokens of the export's changes less those by training, in nats.
        limits: of the export's type.
    """

    tokens: int
    slope: float | None
    rest: float | None
    stray: float
    limits: Limits

    @property
    def holds(self) -> bool:
        """Whether the export is what training made."""
        if self.slope is None or self.rest is None:
            return self.stray <= self.limits.noise
        limits = self.limits
        return limits.low <= self.slope <= limits.high and self.rest <= limits.rest

    @property
    def faults(self) -> list[str]:
        """Why the export is not what training made; empty where it is."""
        if self.holds:
            return []
        return [f"the log-probabilities are not those after training ({self.limits.needed})"]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the figures are and mean."""
        if self.slope is None or self.rest is None:
            return (
                f"training changed the log-probabilities of {self.tokens} tokens of dev by no more "
                f"than rounding does, and the export's differ by {self.stray:.2g} nats from those "
                "after training (root mean squares over the tokens)",
            )
        return (
            f"slope {self.slope:.3f}: so much of what training changed in the log-probabilities "
            f"of {self.tokens} tokens of dev is in the export (1 is all of it)",
            f"rest {self.rest:.3f}: what the export changed in them beside that, as a share of "
            "what training changed (root mean squares over the tokens; 0 is nothing)",
        )

    def require(self, rounding: str, ways: str) -> None:
        """Raises DataError where it does not hold.

        Args:
            rounding: what merging did to the update.
            ways: what else can be done.
        """
        if self.holds:
            return
        limits = self.limits
        needed = f"at most {limits.noise:g} nats are rounding"
        if self.slope is not None:
            needed = limits.needed
        raise harness.DataError(
            "the merged weights are not what was evaluated",
            details=[*self.sentences, needed, rounding],
            hint=f"nothing was written; {ways}",
        )


def transfer(
    base: Sequence[float], tuned: Sequence[float], exported: Sequence[float], limits: Limits
) -> Transfer:
    """The export's changes on those by training, by least squares through 0.

    Args:
        base, tuned, exported: log-probabilities of the same tokens, in nats.
    """
    learned = [after - before for after, before in zip(tuned, base, strict=True)]
    changed = [after - before for after, before in zip(exported, base, strict=True)]
    n = len(learned)
    whole = math.fsum(x * x for x in learned)
    stray = math.fsum((y - x) ** 2 for x, y in zip(learned, changed, strict=True))
    apart = math.sqrt(stray / n) if n else 0.0
    if whole <= n * limits.noise**2:
        return Transfer(n, None, None, apart, limits)
    slope = math.fsum(x * y for x, y in zip(learned, changed, strict=True)) / whole
    rest = math.fsum((y - slope * x) ** 2 for x, y in zip(learned, changed, strict=True))
    return Transfer(n, slope, math.sqrt(rest / whole), apart, limits)


def measured(
    exported: harness.Checkpoint, origin: Origin, limits: Limits, report: harness.Report
) -> Transfer:
    """The transfer from a run's adapter to merged weights, on rows of dev.

    Args:
        limits: those of the merged weights' type.

    Raises:
        DataError: no row of dev has a reference or an answer that can be read, or the exported
            tokenizer builds them otherwise.
    """
    texts = answered(origin)
    rows = encoded(origin.tuned, texts)
    if not rows:
        raise harness.DataError(
            "no row of dev has a reference or an answer, so merged weights cannot be checked",
            hint="leave --merge out: the adapter is exported as it is",
        )
    if encoded(exported, texts) != rows:
        raise harness.DataError(
            "the exported tokenizer builds other answers than the one that was evaluated",
            hint="this tokenizer cannot be saved by transformers; nothing was written",
        )
    checkpoints = (loading.without_adapter(origin.tuned), origin.tuned, exported)
    base, tuned, merged = sides(checkpoints, rows, report)
    return transfer(base, tuned, merged, limits)


def sides(
    checkpoints: Sequence[harness.Checkpoint], rows: Sequence[Encoded], report: harness.Report
) -> list[list[float]]:
    """Log-probabilities of the same tokens by each checkpoint's model.

    All is computed in float32, whatever the type of the weights, by one model after the other:
    that takes four bytes of memory for each weight.
    """
    with allocation.kept(), tempfile.TemporaryDirectory(prefix="harness-") as output:
        context = harness.Context(Path(output), 0, "generate", report=report)
        return [side(checkpoint, rows, context) for checkpoint in checkpoints]


def side(
    checkpoint: harness.Checkpoint, rows: Sequence[Encoded], context: harness.Context
) -> list[float]:
    """Log-probabilities by a checkpoint's model, which is gone from memory afterwards."""
    model = adapters.ready(checkpoint, torch.float32, context, merge=False)
    return [value for row in of_tokens(model, checkpoint, rows, context) for value in row]


def answered(origin: Origin) -> list[harness.Example]:
    """Rows of dev, spread over it, each with one answer: its reference, else what was answered."""
    card = origin.stored.card
    pairs = zip(card.examples, card.predictions, strict=True)
    texts = [
        (row, row.references[0] if row.references else prediction.text) for row, prediction in pairs
    ]
    rows = [dataclasses.replace(row, references=(text,)) for row, text in texts if text.strip()]
    return spaced(rows, ROWS)


def encoded(checkpoint: harness.Checkpoint, rows: Sequence[harness.Example]) -> list[Encoded]:
    """Each row with its first reference as the checkpoint's tokenizer builds it.

    Rows that are longer than the model's context are left out.
    """
    chats = Chats.of(checkpoint)
    longest = chats.context or sys.maxsize
    lines = [encoding.encode(chats.tokenizer, row, longest, all_turns=False) for row in rows]
    return [line for line in lines if not line.truncated]


def of_tokens(
    model: Any, checkpoint: harness.Checkpoint, rows: Sequence[Encoded], context: harness.Context
) -> list[list[float]]:
    """Log-probability of each learned token, in nats, row by row.

    Args:
        model: the checkpoint's, on its device.
    """
    losses = textlosses.by_token(model, checkpoint, rows, context)
    return [[-loss for loss in row] for row in losses]
