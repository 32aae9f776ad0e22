"""How long prompts and answers are: in tokens of the model that is to be trained, else in words."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import harness
from harness import Example
from harness_rows.commands.progress import counting
from harness_rows.proposals import words
from harness_rows.sampling import Spread, evenly, is_long, longest, shortened

SAMPLE = 1_000
"""Rows that are measured, evenly spaced; beside them the longest ones."""
LONGEST = 50
TOKENS_A_WORD = 2.5
"""What a word is taken for where there is no tokenizer: more than any common language needs."""
FAR = 2.0
"""The longest answer is taken for an exception from this multiple of the 99 % quantile."""
LEAST = 100
"""Rows from which there is a 99 % quantile: that of fewer is the longest of them."""
LIMITLESS = 1 << 20
"""Tokens of a row for a trainer that is to cut nothing."""
ROOM = 1.1
"""Part by which the limits exceed what was measured."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of rows.

    Attributes:
        unit: what is counted.
        whole: of prompt and answer together, with what the chat template adds.
        context: most tokens that the model takes; None where that is not known.
        why: why words are counted and not tokens; empty for tokens.
        rows: rows that were measured.
        general: the longest of the general rows that `replay` trains on beside these, as ``whole``.
        shortened: rows, of all, that are shortened to be measured.
    """

    unit: Literal["tokens", "words"]
    prompt: Spread
    answer: Spread
    whole: Spread
    rows: int
    general: int
    context: int | None = None
    why: str = ""
    shortened: int = 0

    @property
    def far(self) -> bool:
        """Whether the longest answer is an exception that no limit should follow."""
        return self.rows >= LEAST and self.answer.longest > FAR * self.answer.rare

    @property
    def max_new_tokens(self) -> int:
        """Room for the longest answer, or for 99 % where that one is far from all others."""
        return self._limit(self.answer.rare if self.far else self.answer.longest, 8)

    @property
    def max_length(self) -> int:
        """Room for the longest row, a general one too, within the model's context."""
        return self._within(max(self.whole.longest, self.general))

    @property
    def own_length(self) -> int:
        """The same for rows of the task alone."""
        return self._within(self.whole.longest)

    @property
    def cut(self) -> bool:
        """Whether the longest row does not fit the model."""
        return self.context is not None and max(self.whole.longest, self.general) > self.context

    def _within(self, longest: float) -> int:
        wanted = self._limit(longest, 64)
        return min(wanted, self.context) if self.context else wanted

    def _limit(self, length: float, step: int) -> int:
        scale = 1.0 if self.unit == "tokens" else TOKENS_A_WORD
        return max(step, math.ceil(length * scale * ROOM / step) * step)


def measure(
    rows: Sequence[Example], model: harness.Model, begin: Callable[[str], harness.Report]
) -> Lengths:
    """Lengths of the rows, of a sample where there are many.

    Args:
        model: the base model. It is not fetched for this: where it is not on this machine, words
            are counted.
        begin: a piece of work begins; gives what its progress is told.
    """
    probe: Any = harness.make_plugin("probe", "general", {})
    general = list(probe.rows())
    short = [*map(shortened, rows)]
    sample = evenly(short, SAMPLE)
    drawn = {row.id for row in sample}
    others = [row for row in short if row.id not in drawn]
    by_answers = longest(others, LONGEST, lambda row: len(row.references[0]))
    more = {row.id: row for row in [*longest(others, LONGEST), *by_answers]}.values()
    measured = [*sample, *more, *general]
    why, renderings = "the model is not on this machine yet", list[harness.Rendered]()
    try:
        if model.at_hand():
            renderings = _rendered(measured, model, begin)
            refused = next((of.problem for of in renderings if not of.tokens), "")
            why = f"the chat template refuses rows: {refused}" if refused else ""
    except (harness.ConfigError, harness.EnvironmentFailure, harness.PluginError) as error:
        why = f"the model cannot be used: {error.placed}"
    except ModuleNotFoundError as error:
        why = f"the package {error.name} is not installed"
    if why:
        prompts = [sum(words(m.get("content") or "") for m in row.messages) for row in measured]
        answers = [words(row.references[0]) for row in measured]
    else:
        answers = [sum(of.trained) for of in renderings]
        prompts = [len(of.tokens) - sum(of.trained) for of in renderings]
    whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    own = len(whole) - len(general)
    prompt, answer, both = (
        Spread.of(lengths[: len(sample)], lengths[:own]) for lengths in (prompts, answers, whole)
    )
    return Lengths(
        unit="words" if why else "tokens",
        prompt=prompt,
        answer=answer,
        whole=both,
        rows=len(sample),
        general=round(max(whole[own:])),
        context=None if why else renderings[0].context,
        why=why,
        shortened=sum(map(is_long, rows)),
    )


def _rendered(
    rows: Sequence[Example], model: harness.Model, begin: Callable[[str], harness.Report]
) -> list[harness.Rendered]:
    report = counting(begin, "the tokenizer", "lengths")
    trainer: Any = harness.make_plugin("trainer", "lora", {"max_length": LIMITLESS})
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        context = harness.Context(Path(folder), report=report)
        return list(trainer.rendered(model.fetch(context), rows, context))
