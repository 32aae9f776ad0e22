"""Other settings and other base models: what arms have shown, and what asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import harness
from harness.kit.documents import unlabelled
from harness.records.analysis import CauseCount
from harness.records.summary import ShownArm
from harness_levers.advise.options import Option
from harness_levers.advise.run import Run, apart
from harness_levers.document import Judged, ShownSearch
from harness_levers.planning import SEARCH

CAPACITY, LEAST_SHARE = "capacity", 0.3
"""A cause of failing answers, and the share of them from which on it asks for another model."""
TRIALS = 8
"""Trials of the search that is proposed."""
SEEDS, MOST_SEEDS = 5, 100
"""Fewest seeds that carry a verdict, and the most that a config may ask for."""
IN_THE_CONFIG = "set this in the config, and take out the arm or the search that tried it"
AS_ARM = "seeds repeat `arms` and `models`: name the winner of the search as an arm"


def settings(run: Run) -> Iterator[Option]:
    """Settings that were tried, else how to find some."""
    judged = run.judged("settings")
    yield from _of_arms(run, "settings", judged)
    if run.levers is not None and run.levers.search is not None:
        yield from _unended(run, run.levers.search)
        return
    if any(verdict.label == "improved" for _, verdict in judged):
        return
    course = run.course("still learning", "unstable")
    signs = [text for text in (course.sentence, course.advice) if text] if course else []
    key, rate = _rate(run)
    if key:
        over = f"{{{key}: {{low: {rate / 10:.1g}, high: {rate * 10:.1g}, log: true}}}}"
        command = run.command(f"search={{trials: {TRIALS}, over: {over}}}")
    else:
        command = run.command("arms=[{name: NAME, set: {train.OPTION: VALUE}}]")
    yield Option(
        lever="settings", state="open",
        action="try other settings " + ("(learning rate, epochs)" if key else "of the trainer"),
        evidence=(*signs, _tried(judged)),
        seconds=(TRIALS if key else 1) * run.seconds_of_one, command=command,
        urgency=2 * bool(signs) + (not run.kept and not judged) - bool(judged and not signs),
    )  # fmt: skip


def _tried(judged: Sequence[Judged]) -> str:
    """``one other setting was tried, and is excluded``."""
    if not judged:
        return "no other settings were tried"
    all_excluded = all(map(_excluded, judged))
    if len(judged) == 1:
        outcome = "excluded" if all_excluded else "not shown to be better"
        return f"one other setting was tried, and is {outcome}"
    outcome = "all are excluded" if all_excluded else "none is shown to be better"
    return f"{len(judged)} other settings were tried, and {outcome}"


def _unended(run: Run, search: ShownSearch) -> Iterator[Option]:
    """A search that was interrupted, or whose trials failed."""
    if search.ended:
        return
    done, planned = len(search.trials), search.planned
    yield Option(
        lever="settings", state="open", action="go on with the search of settings",
        evidence=(f"the search has not ended: {done} of {planned} trials are there",),
        seconds=max(0, planned - done) * run.seconds_of_one, command=run.command(again=["search"]),
    )  # fmt: skip


def _rate(run: Run) -> tuple[str, float]:
    """Key and value of the first trainer's learning rate; an empty key where none has one."""
    trainers = harness.trainers_in(run.document.settings)
    for place, trainer in enumerate(trainers):
        rate = trainer.get("learning_rate")
        if isinstance(rate, (int, float)) and rate > 0:
            key = f"train.{place}" if len(trainers) > 1 else "train"
            return f"{key}.learning_rate", float(rate)
    return "", 0.0


def models(run: Run) -> Iterator[Option]:
    """Base models that were tried, else why one should be."""
    judged = run.judged("model")
    yield from _of_arms(run, "model", judged)
    if judged:
        return
    rows = run.document.rows(CauseCount)
    taught = sum(row.answers for row in rows if row.cause == CAPACITY)
    signs = []
    if run.failing and taught / run.failing >= LEAST_SHARE:
        signs.append(
            f"of {run.failing} failing answers, {taught} are of a kind that train teaches: more of "
            "these rows will hardly help"
        )
    yield Option(
        lever="model", state="open", action="compare another base model",
        evidence=(*signs, "no other base model was tried"), seconds=3 * run.seconds_of_one,
        command=run.command("models=[{source: local, path: FOLDER}]"), urgency=bool(signs),
    )  # fmt: skip


def _of_arms(run: Run, lever: str, judged: Sequence[Judged]) -> Iterator[Option]:
    """The best arm that is better, and those that are not worth it."""
    better = [each for each in judged if each[1].label == "improved"]
    if better:
        best, verdict = max(better, key=lambda each: each[1].difference or 0.0)
        yield Option(
            lever=lever, state="shown",
            action=f"take over the arm '{best.name}': {best.what}",
            evidence=(unlabelled(verdict.words, verdict.label), IN_THE_CONFIG),
            gain=verdict.difference, low=verdict.low, high=verdict.high,
            seconds=run.seconds_of_one,
        )  # fmt: skip
    for arm, verdict in judged:
        if _excluded((arm, verdict)):
            yield Option(
                lever=lever, state="excluded", action=f"the arm '{arm.name}': {arm.what}",
                evidence=(verdict.words,),
            )  # fmt: skip


def _excluded(judged: Judged) -> bool:
    return _little(judged) or judged[1].label == "regressed"


def _little(judged: Judged) -> bool:
    """Whether its gain is shown to be less than would matter."""
    arm, verdict = judged
    return arm.worth == "no" and apart(verdict.low, verdict.high)


# -- arms that are not decided --------------------------------------------------------------------


def seeds(run: Run) -> Iterator[Option]:
    """More seeds for all arms of which it is not known whether they are better."""
    undecided = [*_undecided(run.judged("settings")), *_undecided(run.judged("model"))]
    if not undecided:
        return
    arms, verdicts = [arm for arm, _ in undecided], [verdict for _, verdict in undecided]
    most = max(map(_seeds, arms))
    count = SEEDS if most < SEEDS else min(2 * most, MOST_SEEDS)
    by_search = any(arm.name == SEARCH for arm in arms)
    gains = [gain for verdict in verdicts if (gain := verdict.difference) is not None]
    names = [f"'{arm.name}'" for arm in arms]
    evidence = [unlabelled(verdict.words, verdict.label) for verdict in verdicts]
    subject, of_one = f"the arm {names[0]}", verdicts[0]
    if len(arms) > 1:
        subject = f"one of the arms {', '.join(names)}"
        evidence = [f"{name}: {text}" for name, text in zip(names, evidence, strict=True)]
        # The arms have no gain in common.
        of_one = replace(of_one, difference=None, low=None, high=None)
    yield Option(
        lever="model" if arms[0].kind == "model" else "settings", state="open",
        action=f"find out with more seeds whether {subject} is better",
        evidence=(*evidence, AS_ARM) if by_search else tuple(evidence),
        gain=of_one.difference, low=of_one.low, high=of_one.high,
        seconds=_further(run, count) * run.seconds_of_one,
        command="" if by_search else run.command(f"seeds={count}", again=["arms", "models"]),
        urgency=max(gains, default=0.0) > 0,
    )  # fmt: skip


def _undecided(judged: Sequence[Judged]) -> list[Judged]:
    """Those that may be better, where none is shown to be."""
    if any(verdict.label == "improved" for _, verdict in judged):
        return []
    return [each for each in judged if each[1].label == "no evidence" and not _little(each)]


def _seeds(arm: ShownArm) -> int:
    return len(arm.trainings)


def _further(run: Run, count: int) -> int:
    """Trainings of the reference and of every arm of the config that so many seeds add."""
    repeated = [arm for arm in run.document.arms if arm.kind in ("settings", "model")]
    own = next((_seeds(arm) for arm in run.document.arms if arm.kind == "seed"), 1)
    return sum(max(0, count - have) for have in (own, *map(_seeds, repeated)))
