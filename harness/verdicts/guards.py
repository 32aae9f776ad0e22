"""Guards: scores, or slices of dev, that a round must not make significantly worse.

A guard is *broken* (the loss is significant), *held* (and then the largest loss that is not
excluded is known, unless no row differs), or *cannot be judged*. Each is judged against the best
round and against round 0, so that losses too small to be seen from round to round cannot add up
unseen. All these comparisons of a round are one family: one-sided tests at 5 % together, by Holm's
method. The rule for people: ``docs/verdicts.md``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.config.aims import Guard
from harness.errors import DataError, near
from harness.kit.features import prompt_features
from harness.records import Example, GuardResult, Measurement, Remark, Verdict
from harness.scoring import Groups, MetricEntry
from harness.stats.decision import ALPHA, NO_SPREAD, usable
from harness.verdicts import forgetting, rule
from harness.verdicts.pairs import complete_pairs
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent, support

Measured = Mapping[str, Sequence[Measurement]]
"""Metric entry -> measurements of the same rows."""

_NEVER = "this metric has no statistics that add up over rows"


@dataclass(frozen=True, slots=True)
class _Case:
    """One guard against one earlier round.

    Attributes:
        alone: the verdict at 5 %, as if it were the only comparison.
        doubt: why it cannot be judged, or an empty string.
    """

    score: DecidingScore
    new: Sequence[Measurement]
    old: Sequence[Measurement]
    against: str
    alone: Verdict
    doubt: str

    @property
    def alike(self) -> bool:
        """Whether no row differs, of a score for which that gives no bound."""
        return self.alone.difference == self.alone.low == self.alone.high == 0

    def at(self, alpha: float) -> Verdict:
        """The verdict at this level."""
        if alpha == ALPHA:
            return self.alone
        return rule.judge(self.score, self.new, self.old, alpha=alpha, against=self.against)


def judge(
    guards: Sequence[Guard | forgetting.Case],
    entries: Sequence[MetricEntry],
    primary: str,
    rows: Sequence[Example],
    new: Measured,
    earlier: Mapping[str, Measured],
    groups: Groups,
    *,
    seed: int,
) -> tuple[GuardResult, ...]:
    """The state of each guard after a round.

    Args:
        guards: those on what probes ask with what was measured (:func:`forgetting.with_measured`).
        entries: the run's metrics; each guard's score is one of theirs.
        new: measurements of the round.
        earlier: name of a round -> its measurements; the best round first, then round 0 if that
            is another one.
    """
    cases: list[list[_Case | forgetting.Case]] = []
    for guard in guards:
        if isinstance(guard, forgetting.Case):
            cases.append([guard])
            continue
        name = guard.score or primary
        score = DecidingScore(_entry(entries, name), name, groups, seed)
        covered = {row.id for row in rows if guard.covers(row)}
        cases.append([_case(score, covered, new, *round_) for round_ in earlier.items()])
    verdicts = iter(_holm([case for of_guard in cases for case in of_guard]))
    results = []
    for guard, of_guard in zip(guards, cases, strict=True):
        of_this = [next(verdicts) for _ in of_guard]
        if isinstance(guard, forgetting.Case):
            results.append(forgetting.guarded(guard, of_this[0]))
        else:
            of_scores = [case for case in of_guard if isinstance(case, _Case)]
            results.append(_result(guard, primary, of_scores, of_this))
    return tuple(results)


def _holm(cases: Sequence[_Case | forgetting.Case]) -> list[Verdict]:
    """Each comparison's verdict, *regressed* where Holm's method calls a loss.

    The method steps down: with m comparisons of which r are called already, the others are
    judged at 5 % / (m - r), until none is called. Those that cannot be judged do not count.
    """
    called: dict[int, Verdict] = {}
    family = [place for place, case in enumerate(cases) if not case.doubt]
    judged: dict[int, Verdict] = {}
    while open_ := [place for place in family if place not in called]:
        alpha = ALPHA / len(open_)
        judged = {place: cases[place].at(alpha) for place in open_}
        lost = {place: each for place, each in judged.items() if each.label == "regressed"}
        called |= lost
        if not lost:
            break
    # Those that are not called have the verdicts of the last step, at its level.
    rest = {place: case.alone for place, case in enumerate(cases) if case.doubt}
    every = judged | called | rest
    return [every[place] for place in range(len(cases))]


def refuse(verdict: Verdict, guards: Iterable[GuardResult]) -> tuple[Remark, ...]:
    """What is remarked on the round's verdict where a guard refuses it."""
    against = [guard for guard in guards if guard.refuses]
    if not against or verdict.label != "improved":
        return ()
    broken = [guard for guard in against if guard.state == "broken"]
    why = "a guard is broken" if broken else "a guard that is required cannot be judged"
    reasons = "; ".join(f"{guard.name}: {guard.sentence}" for guard in broken or against)
    return (Remark("guards", f"Not the best round, since {why}: {reasons}"),)


def check(
    guards: Sequence[Guard],
    entries: Sequence[MetricEntry],
    primary: str,
    rows: Sequence[Example],
    groups: Groups,
    origins: Mapping[str, str],
) -> list[str]:
    """What is known of the guards before anything is trained: those that cannot be judged.

    Args:
        rows: of dev.
        origins: dotted key of the config -> its place.

    Raises:
        DataError: a guard covers no row of dev.
    """
    sentences = []
    for index, guard in enumerate(guards):
        if guard.beside_task:
            continue
        covered = [row for row in rows if guard.covers(row)]
        if not covered:
            key = f"guard.{index}.where"
            where = origins.get(key) or origins.get(f"guard.{index}") or key
            what = f"{key}: no row of dev has {guard.conditions}{_known(guard, rows)}"
            hint = "name a feature and a value that rows of dev have, or take the guard out"
            raise DataError(what, where=where, hint=hint)
        entry = _entry(entries, guard.score or primary)
        doubt = usable([groups[row.id] for row in covered]) if entry.metric.additive else _NEVER
        if doubt:
            strict = guard.required or guard.max_loss is not None
            then = "no round can become the best round" if strict else "it protects nothing"
            sentences.append(
                f"the guard {guard.name(primary)} cannot be judged, so {then}: {doubt}"
            )
    return sentences


def _known(guard: Guard, rows: Sequence[Example]) -> str:
    """The feature or the value that was perhaps meant."""
    features = [prompt_features(row) for row in rows]
    for key, value in (guard.where or {}).items():
        values = sorted({str(of_row[key]) for of_row in features if key in of_row})
        if not values:
            known = sorted({name for of_row in features for name in of_row})
            return f"; there is no feature '{key}'{near(key, known)}"
        if str(value) not in values:
            return f"; {key} is {', '.join(values[:8])}{near(str(value), values)}"
    return ""


def _entry(entries: Sequence[MetricEntry], score: str) -> MetricEntry:
    return next(entry for entry in entries if score in entry.score_names)


def _case(
    score: DecidingScore, covered: Collection[str], new: Measured, against: str, old: Measured
) -> _Case:
    """One guard, which covers these rows, against one earlier round."""
    here, there = (
        [row for row in side[score.entry.name] if row.example_id in covered] for side in (new, old)
    )
    alone = rule.judge(score, here, there, alpha=ALPHA, against=against)
    doubt = ""
    if alone.low is None:
        doubt = complete_pairs(score.entry, here, there, score.groups).doubt or NO_SPREAD
    return _Case(score, here, there, against, alone, doubt)


def _result(
    guard: Guard, primary: str, cases: Sequence[_Case], verdicts: Sequence[Verdict]
) -> GuardResult:
    """One guard from its comparisons, the one with the best round first."""
    start = verdicts[1] if len(verdicts) > 1 else None
    result = GuardResult(
        guard.name(primary),
        verdicts[0],
        "cannot be judged",
        start,
        None,
        "",
        required=guard.required,
        max_loss=guard.max_loss,
        refuses=guard.required or guard.max_loss is not None,
    )
    broken = [verdict for verdict in verdicts if verdict.label == "regressed"]
    if broken:
        sentence = " ".join(verdict.sentence for verdict in broken)
        return dataclasses.replace(result, state="broken", sentence=sentence, refuses=True)
    doubtful = next((case for case in cases if case.doubt), None)
    if doubtful is not None:
        sentence = f"Cannot be judged against {doubtful.against}: {doubtful.doubt}."
        return dataclasses.replace(result, sentence=sentence)
    alike = next((case for case in cases if case.alike), None)
    if alike is not None:
        size = support(alike.alone.n, alike.alone.groups)
        why = f"no row differs from {alike.against}, which excludes no loss ({size})"
        if guard.max_loss is not None:
            return dataclasses.replace(result, sentence=f"Cannot be judged: {why}.")
        return dataclasses.replace(result, state="held", sentence=f"Held: {why}.", refuses=False)
    case = min(cases, key=lambda case: case.alone.low or 0.0)
    worst = case.alone
    loss = max(0.0, -(worst.low or 0.0))
    show = number(case.score.entry)
    if loss > 0:
        excluded = f"a loss of up to {show(loss)} against {case.against} is not excluded"
    else:
        excluded = "any loss is excluded"
    at = f"{percent(1 - ALPHA)} confidence ({support(worst.n, worst.groups)})"
    if guard.max_loss is not None and loss >= guard.max_loss:
        sentence = (
            f"Cannot be called held: {excluded} at {at}, and max_loss is {show(guard.max_loss)}."
        )
        return dataclasses.replace(result, largest_loss=loss, sentence=sentence)
    return dataclasses.replace(
        result,
        state="held",
        largest_loss=loss,
        sentence=f"Held: {excluded} at {at}.",
        refuses=False,
    )
