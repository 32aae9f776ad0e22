"""What a command line requires of a comparison, so that a script need not read its document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import typer
from rich.console import Console
from rich.text import Text

from harness.errors import EXIT_OK, EXIT_REQUIREMENT, UsageError
from harness.kit.junit import Case
from harness.kit.text import one_line

IMPROVED = "improved"

Require = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        "--require",
        metavar=IMPROVED,
        help="exit 1 unless the verdict is 'improved' (of a run: that on test)",
    ),
]
MinGain = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--min-gain",
        metavar="GAIN",
        help="exit 1 unless the interval lies above this gain; below 0, a loss that is excluded",
    ),
]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What has to hold for exit code 0.

    Attributes:
        label: what the comparison has to say, or None.
        min_gain: above which the lower end of its interval has to lie, or None.
    """

    label: str | None
    min_gain: float | None

    def __bool__(self) -> bool:
        return self.label is not None or self.min_gain is not None

    def check(self) -> None:
        """Raises UsageError for what cannot be meant."""
        if self.label not in (None, IMPROVED):
            raise UsageError(f"--require takes '{IMPROVED}', not '{self.label}'")
        if self.min_gain is not None and not math.isfinite(self.min_gain):
            raise UsageError(f"--min-gain takes a number, not {self.min_gain}")

    def exit_code(self, score: str, comparison: Mapping[str, Any] | None, doubt: str = "") -> int:
        """0, or 1 with the reason on standard error.

        Args:
            comparison: its ``label``, ``low`` and ``doubt``; None where there is none.
            doubt: why there is none.
        """
        reason = self.unmet(comparison, doubt)
        if not reason:
            return EXIT_OK
        line = Text(one_line(f"not as required: {score}: {reason}", 600), style="yellow")
        Console(stderr=True).print(line, highlight=False)
        return EXIT_REQUIREMENT

    def case(self, score: str, comparison: Mapping[str, Any] | None, doubt: str = "") -> Case:
        """The same as a test of a JUnit file; where nothing is required, *regressed* alone fails.

        Args:
            comparison: with its ``sentence``, too.
        """
        reason = self.unmet(comparison, doubt)
        if comparison is None or comparison["doubt"]:
            why = doubt if comparison is None else str(comparison["doubt"])
            return Case(score, "error" if self else "skipped", why)
        sentence = str(comparison["sentence"])
        if reason or (not self and comparison["label"] == "regressed"):
            return Case(score, "failure", sentence, reason)
        return Case(score, "passed", sentence)

    def unmet(self, comparison: Mapping[str, Any] | None, doubt: str = "") -> str:
        """Why it does not hold, or an empty text. Arguments as of :meth:`exit_code`."""
        if not self:
            return ""
        if comparison is None or comparison["doubt"]:
            return doubt if comparison is None else str(comparison["doubt"])
        if self.label is not None and comparison["label"] != self.label:
            return f"{comparison['label']}, where --require asks for {self.label}"
        low = comparison["low"]
        if self.min_gain is not None and not self._gained(low, comparison["label"]):
            end = "no interval" if low is None else f"the interval begins at {low:+.4g}"
            return f"{end}, where --min-gain asks for more than {self.min_gain:+g}"
        return ""

    def _gained(self, low: float | None, label: str) -> bool:
        if low is None or self.min_gain is None:
            return False
        # An exact test may exclude 0 where no bound lies above it; then the label says so.
        return low > self.min_gain or (low == self.min_gain == 0 and label == IMPROVED)
