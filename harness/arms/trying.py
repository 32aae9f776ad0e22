"""The trainings beside the rounds: each one made or found again, and scored on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.config.arms import config_of, seed_of
from harness.data.families import families
from harness.data.splits import rows_digest
from harness.engine.arm_journal import ArmJournal
from harness.engine.arm_run import Titled
from harness.engine.history import History
from harness.engine.pins import GENERATE, ROWS, TRAIN
from harness.engine.steps import At, Evaluation, Steps
from harness.errors import DataError, HarnessError, InputChanged, Waiting
from harness.kit.files import digest
from harness.loop import rounds
from harness.records import BASE_ARM, Checkpoint, Example
from harness.records.arms import Arm, Tried


class Trying:
    """Carries trainings out, one after the other.

    Attributes:
        reference: the round from which each differs in one thing.
        failures: what went wrong, in the order of the arms.
    """

    def __init__(self, steps: Steps, history: History, reference: int, journal: ArmJournal) -> None:
        self.steps, self.history, self.journal = steps, history, journal
        self.reference = reference
        self.failures: list[HarnessError] = []
        self._compared = False

    def tried(self, arm: Arm, seed: int) -> Tried:
        """One training of an arm, whose answers are put into the history.

        What fails costs this training alone; it is tried again by the next command.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
        """
        known = self.journal.tried(arm, seed)
        try:
            evaluation, tried = self._carried_out(arm, seed, known)
        except (Waiting, InputChanged):
            raise
        except HarnessError as error:
            if not self.steps.run.writes:  # whoever only looks does without the answers
                return known or Tried(arm.name, seed, 0, failed="it was not trained")
            self.failures.append(error)
            self.steps.run.watcher.say(f"warning: {_named(arm, seed)} failed: {error.what}")
            return known or Tried(arm.name, seed, 0, failed=error.what)
        self.history.arms_answered[arm.name, seed] = evaluation
        if known is None:
            self.journal.keep(arm, tried)
            self._say(arm, tried)
        return known or tried

    def own(self) -> Tried:
        """The training of the reference round itself, with what it cost."""
        result = self.history.results[BASE_ARM, self.reference]
        store, keys = self.steps.run.artifacts, result.keys
        made = {name: store.with_digest(name, keys[name]) for name in (TRAIN, GENERATE)}
        seconds = {name: found.seconds for name, found in made.items() if found is not None}
        facts = _facts(self.steps, keys[TRAIN])
        return Tried(
            f"round {self.reference}", 0, result.train_rows, result.scores, seconds,
            facts.get("tokens"), facts.get("memory"), facts.get("parameters"), keys,
        )  # fmt: skip

    def _carried_out(self, arm: Arm, seed: int, known: Tried | None) -> tuple[Evaluation, Tried]:
        history = self.history
        if known is None and not self._compared:
            reference = history.evaluations[BASE_ARM, self.reference]
            self.steps.same_machine(reference, self.reference)
            self._compared = True
        nested = self.steps.within(config_of(self.steps.config, arm, seed))
        if arm.kind == "loop":
            return self._looped(nested, arm, seed)
        pinned: Mapping[str, str] = known.keys if known else {}
        at = At(self.reference, _named(arm, seed))
        rows = self._rows(arm, seed)
        nested.check_pin(ROWS, rows_digest(rows), pinned, at)
        base = base_for(self.steps, nested, arm.changed)
        valid, dev = history.data.split("valid"), history.data.split("dev")
        checkpoint = nested.train(base, rows, valid, at, pinned=pinned.get(TRAIN))
        evaluation = nested.evaluate(checkpoint, dev, at, learned=rows, pinned=pinned)
        self.steps.caller.made_with |= nested.caller.made_with
        keys = {
            **evaluation.keys,
            TRAIN: nested.run.made[at.arm, at.round, TRAIN],
            ROWS: rows_digest(rows),
        }
        seconds = {name: nested.run.seconds.get(name, 0.0) for name in (TRAIN, GENERATE)}
        facts = _facts(nested, keys[TRAIN])
        tried = Tried(
            arm.name, seed, len(rows), evaluation.scores, seconds,
            facts.get("tokens"), facts.get("memory"), facts.get("parameters"), keys,
        )  # fmt: skip
        return evaluation, tried

    def _looped(self, nested: Steps, arm: Arm, seed: int) -> tuple[Evaluation, Tried]:
        """The whole loop with another seed: the answers of its best round."""
        history = History()
        nested.run.watcher = Titled(nested.run.watcher, _named(arm, seed))
        for _ in rounds(nested, history, test=False):
            pass
        self.steps.caller.made_with |= nested.caller.made_with
        best = history.evaluations[BASE_ARM, history.kept]
        rows = len(history.arms[BASE_ARM].train[history.kept])
        return best, Tried(
            arm.name, seed, rows, best.scores, dict(nested.run.seconds), keys=best.keys
        )

    def _rows(self, arm: Arm, seed: int) -> Sequence[Example]:
        rows = self.history.arms[BASE_ARM].train[self.reference]
        return share_of(rows, arm.share, seed_of(self.steps.config, seed))

    def _say(self, arm: Arm, tried: Tried) -> None:
        primary = self.steps.config.settings.primary
        reference = self.history.evaluations[BASE_ARM, self.reference]
        values = [scores[primary].value for scores in (tried.scores, reference.scores)]
        shown = ["no value" if value is None else f"{value:.4g}" for value in values]
        self.steps.run.watcher.say(
            f"{_named(arm, tried.seed)}: {primary} {shown[0]} on dev; round {self.reference} has "
            f"{shown[1]}"
        )


def base_for(steps: Steps, nested: Steps, changed: Mapping[str, Any]) -> Checkpoint:
    """The run's own base model, unless a training has another one or loads it otherwise."""
    own = steps.base()
    if any(key.split(".")[0] in ("model", "train") for key in changed):
        return nested.base()
    return own


def _facts(nested: Steps, made: str) -> Mapping[str, int]:
    """What the trainer has noted of its cost."""
    artifact = nested.run.artifacts.with_digest(TRAIN, made)
    facts = {} if artifact is None else artifact.facts
    return {
        name: facts[name]
        for name in ("tokens", "memory", "parameters")
        if type(facts.get(name)) is int
    }


def _named(arm: Arm, seed: int) -> str:
    return arm.name if arm.seeds == 1 else f"{arm.name}, seed {seed + 1}"


def share_of(rows: Sequence[Example], share: float, seed: int) -> tuple[Example, ...]:
    """A share of the rows, by whole families; a smaller share is part of a larger one.

    Args:
        share: of their number; above 0, at most 1.
        seed: of the order in which families are drawn.

    Raises:
        DataError: not one family is small enough.
    """
    if share == 1:
        return tuple(rows)
    family = families(rows)
    members: dict[str, list[Example]] = {}
    for row in rows:
        members.setdefault(family[row.id], []).append(row)
    chosen: set[str] = set()
    wanted = share * len(rows)
    for name in sorted(members, key=lambda name: digest([seed, name])):
        chosen |= {row.id for row in members[name]}
        if len(chosen) >= wanted:
            break
    if len(chosen) == len(rows):
        raise DataError(
            f"{100 * share:g} % of {len(rows)} training rows cannot be taken: their groups are too "
            "large",
            where="curve",
            hint="larger shares, or rows in more groups",
        )
    return tuple(row for row in rows if row.id in chosen)
