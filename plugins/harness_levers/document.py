"""What summary.json tells of what was tried beside the rounds, and how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from annotated_types import Ge

import harness
from harness import Summary
from harness.kit.documents import as_document, finite, shown
from harness.kit.text import one_line
from harness.records.summary import ShownArm
from harness_levers.records import Curve, Method, Name, Ranking

NAME = 80
"""Characters of a key of the config."""
Count = Annotated[int, Ge(0)]
Seconds = Annotated[float, Ge(0)]
Judged: TypeAlias = tuple[ShownArm, harness.Verdict]
"""An arm that was compared, and its verdict."""


@dataclass(frozen=True, slots=True)
class OwnTraining:
    """The reference round's own training, as of an arm.

    Attributes:
        rows: that it was trained on.
        seconds: of training and answers.
        tokens, memory, parameters: as of an arm.
        seconds_by_stage: the same by stage.
    """

    rows: Count
    seconds: Seconds
    tokens: Count | None
    memory: Count | None
    parameters: Count | None
    seconds_by_stage: Mapping[str, Seconds]


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """One trial of a search.

    Attributes:
        number: 0 is the run's own settings.
        values: dotted key -> value; `null` where it is not set.
        folds: what each part gave.
        course: validation losses after a quarter, half and three quarters of its training, where
            trials are compared within it.
        value: mean of the folds, `null` unless it is done.
        state: `pruned` was ended early, `open` is not finished.
        seconds: of its trainings and answers.
        failed: why it has no value.
    """

    number: Count
    values: Mapping[Name, float | str | None]
    folds: tuple[float | None, ...]
    course: tuple[float | None, ...]
    value: float | None
    state: harness.TrialState
    seconds: float | None
    failed: str | None


@dataclass(frozen=True, slots=True)
class ShownSearch:
    """A search of settings.

    Attributes:
        by: `loss`, or the name of a score.
        higher_is_better: of that.
        folds: 1: the rows of valid were held out.
        rows: held out in all.
        planned: trials.
        ended: whether it has.
        trials: in the order in which they were begun.
        best: the number of the trial with the best value.
        arm: the arm by which it meets the reference; `null` where the run's own settings are the
            best or the search has not ended.
        seconds: of all trials.
        sentence: all of it in words.
    """

    by: Name
    higher_is_better: bool
    folds: Annotated[int, Ge(1)]
    rows: Count
    planned: Annotated[int, Ge(2)]
    ended: bool
    trials: tuple[ShownTrial, ...]
    best: Count | None
    arm: Name | None
    seconds: Seconds
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownLevers:
    """What was tried beside the rounds; each part is `null` where it was not asked for.

    Attributes:
        sentences: the conclusions.
        reference: the round that arms are compared with.
        worth: the gain that would matter, as the config names it.
        own: the training of that round.
        curve: what more rows are worth.
        models: base models after the same training.
        method: the training over seeds.
        search: of settings.
    """

    sentences: tuple[str, ...]
    reference: Annotated[int, Ge(1)]
    worth: float | None
    own: OwnTraining
    curve: Curve | None
    models: Ranking | None
    method: Method | None
    search: ShownSearch | None


def levers_of(document: Summary) -> ShownLevers | None:
    """What a run's summary or analysis tells of what was tried; None where nothing was.

    Raises:
        DataError: it is of another version, or damaged.
    """
    part = document.experiments.get("levers")
    try:
        return None if part is None else harness.from_json(ShownLevers, part)
    except (TypeError, AttributeError) as problem:  # other fields; no mapping where one should be
        raise harness.DataError(
            f"what was tried beside the rounds cannot be read: {one_line(str(problem), 200)}",
            where="experiments.levers",
            hint="run the same `harness iterate` again, or install a newer harness",
        ) from None


def compared(document: Summary) -> list[Judged]:
    """The arms that were compared with the reference."""
    return [(arm, arm.verdict) for arm in document.arms if arm.verdict]


def document(
    reference: int,
    worth: float | None,
    own: harness.BranchTraining,
    curve: Curve | None = None,
    ranking: Ranking | None = None,
    method: Method | None = None,
    search: ShownSearch | None = None,
) -> ShownLevers:
    """All that was tried.

    Args:
        reference: the round that arms differ from in one thing.
        worth: the gain that would matter, as the config names it.
        own: what the training of that round was and cost.
    """
    conclusions = (
        curve.sentence if curve else "", ranking.sentence if ranking else "",
        method.verdict.words if method else "",
    )  # fmt: skip
    return ShownLevers(
        sentences=tuple(filter(None, conclusions)),
        reference=reference,
        worth=worth,
        own=as_document(
            OwnTraining,
            own,
            seconds=round(sum(own.seconds.values()), 3),
            seconds_by_stage=own.seconds,
        ),
        curve=as_document(Curve, curve),
        models=as_document(Ranking, ranking),
        method=as_document(Method, method),
        search=search,
    )


def shown_trial(trial: harness.Trial) -> ShownTrial:
    """A trial of a search."""
    values = {one_line(key, NAME): _value(value) for key, value in trial.values.items()}
    return as_document(ShownTrial, trial, values=values)


def _value(value: Any) -> str | float | None:
    """A setting: a number as it is, none where it is not set, all else as text."""
    if value is None:
        return None
    number = None if isinstance(value, bool) else finite(value)
    return shown(value) if number is None else number
