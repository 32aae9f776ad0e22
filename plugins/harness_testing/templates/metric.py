"""The metric ``sample``."""

from __future__ import annotations

import harness
from harness import Example, Prediction


class Sample(harness.Metric):
    """Share of a reference's words that the answer contains (the best reference)."""

    name = "sample"
    revision = 1  # raise it whenever the same options give other numbers
    bounds = (0.0, 1.0)
    right_at = 0.5  # from this value on an answer counts as right

    class Options(harness.Options):
        ignore_case: bool = True

    def measure(self, prediction: Prediction, example: Example) -> float | None:
        """The best share; None (not scored) for an example without references."""
        if not example.references:
            return None
        words = self._words(prediction.text)
        return max(share(self._words(text), words) for text in example.references)

    def _words(self, text: str) -> set[str]:
        return set((text.casefold() if self.options.ignore_case else text).split())


def share(wanted: set[str], said: set[str]) -> float:
    """Share of ``wanted`` in ``said``; if nothing is wanted, 1 if nothing is said."""
    if not wanted:
        return float(not said)
    return len(wanted & said) / len(wanted)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Sample]
