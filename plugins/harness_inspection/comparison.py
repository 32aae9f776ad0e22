"""Two rounds side by side: scores, answers, words, configuration, training data."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness import MetricEntry, Scorecard
from harness.kit.yaml_file import flattened
from harness_inspection.sides import Side

SCHEMA = "harness.compare/2"


@dataclasses.dataclass(frozen=True, slots=True)
class ComparedRound:
    """What the document says of one of the two.

    Attributes:
        verdict: its label, against what it was given, and its sentence.
    """

    run: str
    round: int
    kept: bool
    chosen: bool
    train_rows: int
    verdict: RoundVerdict


@dataclasses.dataclass(frozen=True, slots=True)
class RoundVerdict:
    label: str
    against: str
    sentence: str


@dataclasses.dataclass(frozen=True, slots=True)
class TurnedAnswer:
    """A row of dev that is right in one and wrong in the other, with both scores."""

    id: str
    a: float | None
    b: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedSetting:
    """A key of the configuration, flattened; None where one side has no such key."""

    key: str
    a: Any
    b: Any


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedData:
    """What of the training rows differs, by id and by what they say."""

    rows_a: int
    rows_b: int
    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]
    added_by: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRounds:
    """A ``harness.compare/2`` document.

    Attributes:
        metrics: score name -> its :class:`harness.Comparison`, with both values.
        sentence: what these rows can show of the primary score, or empty.
        fixed, broken: None where right does not mean the same in both, as ``changes_doubt`` says.
    """

    schema: str = SCHEMA
    a: ComparedRound
    b: ComparedRound
    primary: str
    n: int
    groups: int
    only_a: int
    only_b: int
    metrics: Mapping[str, Mapping[str, Any]]
    not_comparable: Mapping[str, str]
    sentence: str
    fixed: Sequence[TurnedAnswer] | None
    broken: Sequence[TurnedAnswer] | None
    changes_doubt: str | None
    same_answer: int
    config: Sequence[ChangedSetting]
    data: ChangedData


@dataclasses.dataclass(frozen=True, slots=True)
class Shared:
    """One of the two rounds, on the rows of dev that both answered.

    Attributes:
        right: example id -> whether its answer counts as right.
    """

    round: harness.StoredRound
    card: Scorecard
    right: Mapping[str, bool | None]

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows of its dev."""
        return len(self.card.examples) == len(self.round.card.examples)

    def values(self, score: str) -> dict[str, float | None]:
        """Example id -> its answer's own value."""
        [entry] = (entry for entry in self.card.metrics if score in entry.score_names)
        return {m.example_id: m.values.get(score) for m in self.card.measurements[entry.name]}

    @property
    def texts(self) -> dict[str, str]:
        """Example id -> its answer."""
        return {answer.example_id: answer.text for answer in self.card.predictions}

    def by(self, entry: MetricEntry, measured_as: str) -> Scorecard:
        """The same by one metric, from the measurements of an entry of that name."""
        measurements = {entry.name: self.card.measurements[measured_as]}
        return dataclasses.replace(self.card, metrics=[entry], measurements=measurements)

    def measured(self, entry: MetricEntry) -> Shared:
        """The same with answers measured anew by one of its metrics."""
        card = harness.evaluate(self.card.examples, self.card.predictions, [entry], workers=1)
        new = card.measurements[entry.name]
        measurements = {**self.card.measurements, entry.name: new}
        right, primary = self.right, self.round.primary
        if primary in entry.score_names:
            right = {m.example_id: self.round.is_right(m.values.get(primary)) for m in new}
        card = dataclasses.replace(self.card, measurements=measurements)
        return dataclasses.replace(self, card=card, right=right)


def compare(a: Side, b: Side, before: Shared, after: Shared) -> ComparedRounds:
    """Is ``b`` better than ``a``? On the rows that both answered, as :func:`shared` finds them."""
    n = len(after.card.examples)
    metrics, incomparable, power = _metrics(before, after)
    doubt, texts = _other_right(a.round, b.round), before.texts
    return ComparedRounds(
        a=_named(a),
        b=_named(b),
        primary=b.round.primary,
        n=n,
        groups=len(set(after.card.groups.values())),
        only_a=len(a.round.card.examples) - n,
        only_b=len(b.round.card.examples) - n,
        metrics=metrics,
        not_comparable=incomparable,
        sentence=power,
        fixed=None if doubt else _turned(before, after, True),
        broken=None if doubt else _turned(before, after, False),
        changes_doubt=doubt or None,
        same_answer=sum(texts[name] == text for name, text in after.texts.items()),
        config=_config(a.round.config, b.round.config),
        data=_data(a.round.train, b.round.train),
    )


def _named(side: Side) -> ComparedRound:
    result = side.round.result
    verdict = RoundVerdict(result.verdict.label, result.verdict.against, result.verdict.words)
    chosen = side.kept and result.round > 0
    rows = len(side.round.train)
    return ComparedRound(side.round.run, result.round, side.kept, chosen, rows, verdict)


def shared(a: harness.StoredRound, b: harness.StoredRound) -> tuple[Shared, Shared]:
    """Both on the rows of dev that both answered, with what raters of both answers say.

    These are of equal id, conversation and references.

    Raises:
        DataError: there is no such row.
    """
    asked = {row.id: (row.messages, row.references) for row in a.card.examples}
    rows = {
        row.id: row
        for row in b.card.examples
        if asked.get(row.id) == (row.messages, row.references)
    }
    if not rows:
        raise harness.DataError(
            "the two have no row of dev in common",
            where=f"{a.run} and {b.run}",
            hint="compare runs of the same data",
        )
    sides = tuple(Shared(side, _part(side.card, rows), side.right) for side in (a, b))
    return _rated_together(sides[0], sides[1])


def _part(card: Scorecard, rows: Mapping[str, harness.Example]) -> Scorecard:
    """The answers to these rows, which are in the groups that they have here."""
    part = card.part(rows.keys())
    return dataclasses.replace(part, examples=[rows[row.id] for row in part.examples])


def _rated_together(a: Shared, b: Shared) -> tuple[Shared, Shared]:
    """The two, with what those people said who have rated both answers in one batch."""
    pairs_a, pairs_b = (
        list(zip(side.card.predictions, side.card.examples, strict=True)) for side in (a, b)
    )
    names = {entry.name for entry in a.card.metrics}
    for entry in b.card.metrics:
        if entry.metric.by_people and entry.name in names:
            a = a.measured(MetricEntry(entry.name, entry.metric.beside(pairs_a, pairs_b)))
            b = b.measured(MetricEntry(entry.name, entry.metric.beside(pairs_b, pairs_a)))
    return a, b


def _metrics(a: Shared, b: Shared) -> tuple[dict[str, Any], dict[str, str], str]:
    """Score name -> its comparison, score name -> why there is none, and what these rows can show
    of the primary score; empty where nothing can be concluded of it.

    Draws are those of ``harness score``: the same rows have the same interval.
    """
    comparisons: dict[str, Any] = {}
    incomparable: dict[str, str] = {}
    power = ""
    theirs = {name: entry for entry in a.card.metrics for name in entry.score_names}
    for entry in b.card.metrics:
        other = theirs.get(entry.score_names[0])
        reason = _difference(a, b, entry, other)
        if other is None or reason:
            incomparable |= dict.fromkeys(entry.score_names, reason)
            continue
        old, new = a.by(entry, other.name), b.by(entry, entry.name)
        compared = harness.compare_systems({"b": new}, old)["b"]
        primary = compared.get(b.round.primary)
        if primary and not primary.doubt:
            power = primary.power_and_need(primary.name)
        before, after = _scores(a, other), _scores(b, entry)
        comparisons |= {
            name: {
                "a": before[name].value,
                "b": after[name].value,
                **{key: fact for key, fact in harness.to_json(comparison).items() if key != "name"},
                "sentence": comparison.sentence,
                "higher_is_better": after[name].higher_is_better,
                "signature": after[name].signature,
                "caveat": after[name].caveat,
            }
            for name, comparison in compared.items()
        }
    ours = {name for entry in b.card.metrics for name in entry.score_names}
    incomparable |= {name: "only A has it" for name in theirs if name not in ours}
    return comparisons, incomparable, power


def _difference(a: Shared, b: Shared, entry: MetricEntry, other: MetricEntry | None) -> str:
    """Why the scores of an entry cannot be compared, or an empty string."""
    if other is None:
        return "only B has it"
    if entry.score_names != other.score_names:
        return "the entries give other scores"
    for name in entry.score_names:
        of_a, of_b = (side.round.scores[name].signature for side in (a, b))
        if of_a != of_b:
            return f"other signatures: {of_a} and {of_b}"
    return ""


def _scores(side: Shared, entry: MetricEntry) -> Mapping[str, harness.Score]:
    """The side's scores on the shared rows; those of the run where these are all."""
    return side.round.scores if side.is_whole else side.by(entry, entry.name).scores


def _turned(a: Shared, b: Shared, right: bool) -> list[TurnedAnswer]:
    """Rows that are right in ``b`` alone, or wrong in it alone; the widest apart first."""
    before, after = a.values(a.round.primary), b.values(b.round.primary)
    names = [name for name in after if a.right[name] is (not right) and b.right[name] is right]
    names.sort(key=lambda name: (-abs((after[name] or 0) - (before[name] or 0)), name))
    return [TurnedAnswer(name, before[name], after[name]) for name in names]


def _other_right(a: harness.StoredRound, b: harness.StoredRound) -> str:
    """Why an answer that is right in one need not be so in the other, or an empty string."""
    if a.primary != b.primary:
        return f"A is decided by {a.primary}, B by {b.primary}"
    of_a, of_b = (side.scores[side.primary].signature for side in (a, b))
    if of_a != of_b:
        return f"{b.primary} has other signatures: {of_a} and {of_b}"
    if a.right_at is None and b.right_at is None:
        return f"{b.primary} has no pass threshold (set its right_at)"
    if a.right_at != b.right_at:
        old, new = ("none" if at is None else f"{at:g}" for at in (a.right_at, b.right_at))
        return f"{b.primary} has different pass thresholds: right_at {old} in A, {new} in B"
    return ""


def _config(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[ChangedSetting]:
    before, after = dict(flattened(a)), dict(flattened(b))
    return [
        ChangedSetting(key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def _data(a: Sequence[harness.Example], b: Sequence[harness.Example]) -> ChangedData:
    before, after = ({row.id: (row.messages, row.references) for row in side} for side in (a, b))
    added = [row for row in b if row.id not in before]
    makers = Counter((row.origin or {}).get("by") or "the source" for row in added)
    return ChangedData(
        len(a),
        len(b),
        added=[row.id for row in added],
        removed=[name for name in before if name not in after],
        changed=[name for name in after if name in before and before[name] != after[name]],
        added_by=dict(makers.most_common()),
    )
