"""What else may help, tried beside the rounds: other settings, base models, more rows, other seeds.

An arm is trained on the rows of the reference round, which is the best one (round 1 where none was
kept), and differs from it in one thing. It is scored on dev and never on test, and changes no
verdict on a round.
"""

from __future__ import annotations

from collections.abc import Sequence

import harness
from harness_levers import planning
from harness_levers.advise import AdviceSection
from harness_levers.document import ShownLevers
from harness_levers.options import LeverOptions
from harness_levers.search.section import SearchSection
from harness_levers.search.tpe import Optuna
from harness_levers.section import LeversSection


class Levers(harness.Experiment):
    """Arms, base models, a curve over shares of the rows, repeated seeds, a search of settings."""

    name = "levers"
    document = ShownLevers
    reported = ("worth",)

    class Options(LeverOptions): ...

    options: LeverOptions

    def intent(self, variants: harness.Variants) -> harness.Intent:
        return planning.intent(self.options, variants)

    def left(self, run: harness.Branches) -> Sequence[harness.PlannedBranch]:
        from harness_levers.left import left

        return left(self.options, run)

    def carry_out(self, run: harness.Branches) -> harness.Outcome:
        from harness_levers.carrying_out import carry_out

        return carry_out(self.options, run)


@harness.hookimpl
def register_experiments() -> Sequence[type[harness.Experiment]]:
    return [Levers]


@harness.hookimpl
def register_searchers() -> Sequence[type[harness.Searcher]]:
    return [Optuna]


@harness.hookimpl
def register_sections() -> Sequence[type[harness.Section]]:
    return [LeversSection, SearchSection, AdviceSection]
