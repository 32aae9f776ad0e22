"""``tool-call``: calls of tools, as a metric and as error categories."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

import harness
from harness import ErrorLabel, ScoredExample
from harness_calls.reading import Attempt

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness_calls.comparing import Comparison, SameText

    Floats = npt.NDArray[np.float64]

Pairs = Sequence[tuple[harness.Prediction, harness.Example]]


class CallOptions(harness.Options):
    """How texts in arguments are compared."""

    text: harness.Named[harness.Metric] | None = Field(
        default=None,
        description="a metric by whose pass threshold two texts in arguments are the same: "
        "`{plugin: token-f1, right_at: 0.8}`; by default they must be equal",
    )


class ByCalls:
    """A plugin that compares the calls of an answer with those of the references."""

    options: Any

    @functools.cached_property
    def _same(self) -> SameText:
        from harness_calls.comparing import by_metric, equal

        return equal if self.options.text is None else by_metric(self.options.text.plugin)

    def _compared(self, attempt: Attempt, example: harness.Example) -> Comparison:
        from harness_calls.comparing import compare

        return compare(attempt, example, self._same)


class ToolCall(ByCalls, harness.Metric):
    """Share of answers that make the calls of a reference, and no other, 0 to 1.

    Where a reference makes no call, the answer must make none. The order of calls does not count.
    Arguments are compared by the JSON Schema of the tool: one that is left out has its default.
    Three parts are scores of their own: right functions, right arguments of these, and calls in
    the form of the model. An example without tools is not scored.
    """

    name = "tool-call"

    class Options(CallOptions):
        right_at: float = Field(
            default=1.0, ge=0, le=1, description="own value from which an answer passes"
        )

    options: Options

    def score_names(self) -> Sequence[str]:
        return (self.name, f"{self.name}-name", f"{self.name}-arguments", f"{self.name}-form")

    def signature(self) -> str:
        """How texts are compared, by the signature of the metric that is named for it."""
        text = self.options.text
        texts = "exact" if text is None else f"[{text.plugin.signature()}]>={_threshold(text)}"
        return f"tool-call|order:no|defaults:schema|text:{texts}|rev:{self.revision}"

    def measure(
        self, prediction: harness.Prediction, example: harness.Example
    ) -> Sequence[float] | None:
        """Counts of the reference that fits best; None without tools or references.

        Returns:
            1 if all is right; twice the functions that are right, and the calls of both sides;
            arguments of these that are right, and all of them; calls in the model's form, and all.
        """
        if not example.tools or not example.references:
            return None
        attempt = Attempt.of(prediction.text, example)
        compared = self._compared(attempt, example)
        matched = compared.matched
        return (
            float(compared.right),
            2.0 * len(matched),
            float(
                sum((pair.wanted is not None) + (pair.given is not None) for pair in compared.pairs)
            ),
            float(sum(pair.right for pair in matched)),
            float(sum(pair.arguments for pair in matched)),
            float(attempt.formed),
            float(attempt.formed + attempt.malformed),
        )

    def aggregate(self, sums: Floats, weights: Floats) -> Floats:
        """``(..., 7)`` sums to ``(..., 4)`` scores.

        The share of right answers; F1 of functions; shares of arguments and of calls. A part of
        which there is nothing is NaN.
        """
        import numpy as np

        parts = sums[..., 1::2] / sums[..., 2::2]
        return np.concatenate([sums[..., :1] / weights[..., None], parts], axis=-1)

    def unscorable(
        self, rows: Sequence[harness.Example], report: harness.Report
    ) -> Mapping[str, Sequence[str]]:
        """Rows without tools."""
        bare = [row.id for row in rows if not row.tools]
        return {"the row has no tools": bare} if bare else {}

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """How many answers have calls that no program would run, and how many rows no tools."""
        sentences = []
        asked = [(answer, row) for answer, row in pairs if row.tools]
        if len(asked) < len(pairs):
            bare = len(pairs) - len(asked)
            sentences.append(f"{bare} of {len(pairs)} rows have no tools; they are not scored.")
        malformed = sum(Attempt.of(answer.text, row).malformed > 0 for answer, row in asked)
        if malformed:
            sentences.append(
                f"{malformed} of {len(asked)} answers have a call that is not in the form of the "
                "model, and count as wrong; its function and arguments are scored where they can "
                "be read."
            )
        return sentences


class ToolCallDetector(ByCalls, harness.Detector):
    """What is wrong with the calls of an answer, by the reference and the JSON Schema of the tool.

    Rows without tools get no label.
    """

    name = "tool-call"

    class Options(CallOptions):
        pass

    options: Options

    def categories(self) -> Mapping[str, str]:
        return {
            "text instead of a call": "a call is wanted, and the answer makes none",
            "call instead of text": "no call is wanted, and the answer makes one",
            "malformed call": "a call is not in the form of the model, or is no JSON",
            "unknown tool": "a function is called that is none of the row's tools",
            "wrong tool": "another of the row's tools is called than the reference calls",
            "missing call": "fewer calls are made than the reference makes",
            "extra call": "more calls are made than the reference makes",
            "missing argument": "an argument of the reference is not given, and is not the default",
            "invented argument": "an argument is given that the reference does not have, and it is "
            "not the default",
            "argument of wrong type": "an argument has a type that the tool's JSON Schema does not "
            "allow",
            "wrong argument": "an argument has another value than in the reference",
        }

    def malformed(self) -> Sequence[str]:
        return ("malformed call",)

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """One label for each kind, with all that shows it."""
        example = scored.example
        if not example.tools or not example.references:
            return
        from harness_calls.comparing import problems

        attempt = Attempt.of(scored.prediction.text, example)
        compared = self._compared(attempt, example)
        evidence: dict[str, list[str]] = {}
        for category, what in problems(compared, attempt, example.tools):
            evidence.setdefault(category, []).append(what)
        for category, pieces in evidence.items():
            yield ErrorLabel(example.id, category, "; ".join(pieces), self.name)


def _threshold(text: harness.Named[harness.Metric]) -> str:
    from harness_calls.comparing import threshold

    return f"{threshold(text.plugin):g}"


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [ToolCall]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [ToolCallDetector]
