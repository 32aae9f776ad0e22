"""The detector ``basic``: kinds of errors that can be seen without judgement."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import harness
from harness import ErrorLabel, Example, ScoredExample
from harness.kit.text import one_line
from harness_detectors.options import BasicOptions, Category

if TYPE_CHECKING:
    from harness_detectors.rules import Rules

CATEGORIES: tuple[str, ...] = get_args(Category)

MALFORMED: tuple[Category, ...] = ("wrong format", "cut off", "copy of the prompt")
_EVIDENCE = 160


class Basic(harness.Detector):
    """Names what rules can see of one answer; several kinds may hold.

    A wrong fact or a wrong tone is not among them. *low overlap* is said only where no other
    kind holds, and an empty answer has no other category.
    """

    name = "basic"
    revision = 5
    libraries = ("py3langid", "rapidfuzz")

    class Options(BasicOptions): ...

    def prepare(self, train: Sequence[Example]) -> None:
        """Learn which answers the model was trained on, for near copies."""
        self._rules.prepare(train)

    def categories(self) -> Mapping[str, str]:
        """The kinds that are looked for, each with its definition in one line."""
        return self._rules.definitions

    def malformed(self) -> Sequence[str]:
        return [name for name in MALFORMED if name not in self.options.skip]

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """Every kind of error that the answer shows, each with its evidence."""
        return [
            ErrorLabel(scored.example.id, category, one_line(evidence, _EVIDENCE), self.name)
            for category, evidence in self._rules.errors_in(scored)
        ]

    @functools.cached_property
    def _rules(self) -> Rules:
        # Some thirty patterns with the letters of all scripts: only a run that answers needs them.
        from harness_detectors.rules import Rules

        return Rules(self.options)
