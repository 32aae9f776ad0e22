"""One run, its arms and its baselines, as the document of all runs holds them.

The fields are keys of the document. Texts are cut, since whoever edited a summary by hand was bound
by no length.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from annotated_types import MaxLen

import harness
from harness import Summary
from harness.kit.documents import as_document, as_json, finite
from harness.kit.text import one_line
from harness.records.summary import Scores, ShownArm, ShownBaseline, ShownModel, ShownTest

LONGEST_TEXT = 2_000
"""Characters of a text."""
Text = Annotated[str, MaxLen(LONGEST_TEXT)]

Config = Mapping[str, Any]
"""Flattened: dotted key -> value."""
Change = TypedDict("Change", {"key": str, "from": Any, "to": Any})
"""A key of the config, and its values."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score; without bounds where no interval is known."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class ScoreOnDev(Score):
    """The best round's, ranked within its group."""

    group: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison said."""

    label: Text
    sentence: Text
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ScoreOnTest(Score):
    """The best round's on test."""

    verdict: Text
    sentence: Text
    opening: int
    bound: Text
    group: Text


@dataclass(frozen=True, slots=True)
class BestPrompt:
    """What the best round was compared with on the rows of the headline."""

    name: Text
    split: Text
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Forgetting:
    """The best round's model (the latest's, where none improved) beside the task."""

    difference: float | None
    low: float | None
    high: float | None
    asked: int
    right_before: int
    right_after: int
    forgot: Text


@dataclass(frozen=True, slots=True)
class Arm:
    """A branch of the run, trained beside the rounds."""

    name: Text
    kind: Text
    what: Text
    changed: Sequence[Change]
    share: float | None
    train_rows: int
    trainings: int
    dev: Score | None
    against: Text
    verdict: Verdict | None
    worth: Text | None
    seconds: float
    tokens: int | None
    memory: int | None
    failed: Text | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The base model under another prompt; its verdict is that of the best round against it."""

    name: Text
    what: Text
    dev: Score | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run."""

    run: Text
    started: Text | None
    finished: Text | None
    model: Text
    primary: Text
    caveat: Text
    higher_is_better: bool
    rounds: int
    planned: float | None
    best: int
    train_rows: int
    dev: ScoreOnDev
    verdicts: Sequence[str]
    test: ScoreOnTest | None
    sealed: Text | None
    best_prompt: BestPrompt | None
    beats_prompts: bool | None
    forgetting: Forgetting | None
    seconds: float
    tokens: int | None
    memory: int | None
    arms: Sequence[Arm]
    levers: Sequence[str]
    baselines: Sequence[Baseline]
    against: Text | None
    changed: Sequence[Change] | None


def run_entry(
    summary: Summary, config: Config, groups: Mapping[str, str], against: str | None,
    changed: Sequence[Change] | None,
) -> RunEntry:  # fmt: skip
    """A run's entry.

    Args:
        config: the run's; empty where it is not known.
        groups: split -> the group of the run's score.
        against: the run that it is set against.
        changed: the keys in which the two differ; None where the config is not known.
    """
    primary, best, best_prompt = summary.primary, summary.best, summary.best_prompt
    score = best.scores[primary]
    asked: Sequence[ShownBaseline | ShownModel] = (*summary.baselines, *summary.models)
    return RunEntry(
        run=summary.run,
        started=_cut(summary.dates.started),
        finished=_cut(summary.dates.finished),
        model=_cut(summary.model.base),
        primary=_cut(primary),
        caveat=_cut(score.caveat),
        higher_is_better=score.higher_is_better,
        rounds=len(summary.rounds) - 1,
        planned=finite(summary.settings.get("rounds")),
        best=summary.kept_round,
        train_rows=best.train_rows,
        dev=as_document(ScoreOnDev, score, group=groups["dev"]),
        verdicts=[each.verdict.label for each in summary.rounds],
        test=_test(summary.test, primary, groups["test"]) if summary.test else None,
        sealed=_cut(summary.sealed.sentence) if summary.sealed else None,
        best_prompt=(
            as_document(BestPrompt, best_prompt, verdict=_verdict(best_prompt.verdict))
            if best_prompt
            else None
        ),
        beats_prompts=summary.beats_prompts,
        forgetting=_forgetting(summary),
        seconds=sum(summary.seconds.values(), 0.0),
        tokens=None,  # a run's rounds do not say
        memory=None,
        arms=[_arm(arm, primary, config) for arm in summary.arms],
        levers=[
            _cut(sentence)
            for experiment in summary.experiments.values()
            for sentence in experiment.get("sentences", ())
        ],
        baselines=[
            as_document(
                Baseline,
                baseline,
                dev=_primary(baseline.scores, primary),
                verdict=_verdict(baseline.verdict),
            )
            for baseline in asked
        ],
        against=against,
        changed=changed,
    )


def _verdict(verdict: harness.Verdict) -> Verdict:
    return as_document(Verdict, verdict, sentence=_cut(verdict.words))


def _cut(value: Any) -> Any:
    return one_line(value, LONGEST_TEXT) if isinstance(value, str) else value


def _test(test: ShownTest, primary: str, group: str) -> ScoreOnTest:
    verdict, opening = test.verdict, test.looks
    return as_document(
        ScoreOnTest, test.kept[primary], verdict=verdict.label,
        sentence=_cut(verdict.words), opening=opening, bound=harness.opening_bound(opening),
        group=group,
    )  # fmt: skip


def _forgetting(summary: Summary) -> Forgetting | None:
    measured = summary.rounds[summary.kept_round or -1].forgetting
    if measured is None:
        return None
    answers = measured.instructions
    return as_document(
        Forgetting, measured, asked=answers.asked, right_before=answers.right_before,
        right_after=answers.right_after,
        forgot=_cut(summary.forgot.sentence) if summary.forgot else "",
    )  # fmt: skip


def _primary(scores: Scores, primary: str) -> Score | None:
    return as_document(Score, scores[primary]) if primary in scores else None


def _arm(arm: ShownArm, primary: str, config: Config) -> Arm:
    return as_document(
        Arm,
        arm,
        changed=[
            Change({"key": _cut(key), "from": as_json(_before(key, config)), "to": value})
            for key, value in arm.changed.items()
        ],
        train_rows=arm.rows,
        trainings=len(arm.trainings),
        dev=_mean(arm, primary),
        verdict=_verdict(arm.verdict) if arm.verdict else None,
    )


def _mean(arm: ShownArm, primary: str) -> Score | None:
    """An arm's score; of several trainings their mean, whose interval over rows is not known."""
    first = _primary(arm.scores, primary)
    measured = [training.values.get(primary) for training in arm.trainings]
    values = [value for value in measured if value is not None]
    if first is None or len(values) < 2:
        return first
    return dataclasses.replace(first, value=sum(values) / len(values), low=None, high=None)


def _before(key: str, config: Config) -> Any:
    """The run's own value of a key, or all that stands below it; None where there is neither."""
    below = {name: value for name, value in config.items() if name.startswith(f"{key}.")}
    return config.get(key, {name[len(key) + 1 :]: value for name, value in below.items()} or None)
