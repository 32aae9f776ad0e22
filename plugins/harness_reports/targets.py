"""What was weak, what was added there, and how the next round did there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness import Analysis
from harness.records.analysis import AddedRows, TargetScore
from harness.records.summary import MainRound, ShownSlice
from harness_reports import findings

EVERYWHERE = "everywhere"
Rounds = Mapping[int, MainRound]


@dataclass(frozen=True, slots=True)
class Target:
    """Rows that were added after a round for one slice, or from all data.

    Attributes:
        after: the round after which they were added; the one behind it learned them.
        source: the round whose answers were looked at: the best one where ``after`` regressed.
        slice: in words; empty for rows from all data.
        rows: added.
        planned: rows that the plan asked for; what a slice's supply could not give was asked for
            again from all data.
        n: dev rows of the slice, of all of dev for rows from all data; None where not known.
        before, now: mean primary score of these dev rows in ``source``, and in the next round.
        label: the verdict of the next round.
    """

    after: int
    source: int
    slice: str
    rows: int
    planned: int
    n: int | None
    before: float | None
    now: float | None
    label: str


def targets(document: Analysis) -> list[Target]:
    """Of each round whose added rows were trained on, the latest first; slices before all data.

    What was added after the last round no model has learned.
    """
    rounds = {entry.round: entry for entry in document.rounds}
    added: list[Target] = []
    for number in sorted(rounds, reverse=True):
        if number + 1 in rounds and rounds[number].added:
            added += _of_round(document, number, rounds)
    return added


def by_gain(document: Analysis) -> list[Target]:
    """The same, the largest gain of the primary score first, and what has none last."""
    sign = 1.0 if findings.higher_is_better(document) else -1.0

    def loss(target: Target) -> float:
        if target.before is None or target.now is None:
            return math.inf
        return sign * (target.before - target.now)

    return sorted(targets(document), key=loss)


@dataclass(frozen=True, slots=True)
class Missed:
    """A slice that underperformed by more than chance and that no row, or no more, was added for.

    Attributes:
        after: the round after which rows were added for others, or none at all.
        slice: in words.
        why: in words, for within brackets.
        by_rows: whether rows of its kind could be added, if there were any.
        had_rows: whether rows were added for it after an earlier round.
    """

    after: int
    slice: str
    why: str
    by_rows: bool
    had_rows: bool


def missed(document: Analysis) -> list[Missed]:
    """Of each round that another one follows, the latest first; each slice once.

    Without the slices that rows were added for after a later round.
    """
    rounds = {entry.round: entry for entry in document.rounds}
    learned: dict[str, int] = {}
    for target in targets(document):
        learned.setdefault(target.slice, target.after)
    misses: dict[str, Missed] = {}
    for after in sorted(rounds, reverse=True):
        entry = rounds[after]
        if after + 1 not in rounds or not (entry.added or entry.plan):
            continue
        for piece in rounds[_source(after, rounds)].slices:
            name = piece.slice
            if not findings.holds(piece) or name in misses or learned.get(name, -1) >= after:
                continue
            had_rows = name in learned
            why = _why_missed(document, entry, piece, had_rows)
            misses[name] = Missed(after, name, why, piece.from_prompt, had_rows)
    return list(misses.values())


def _why_missed(document: Analysis, entry: MainRound, piece: ShownSlice, had_rows: bool) -> str:
    if not piece.from_prompt:
        return "only its answers show it, not its prompts"
    if entry.strategy == "random":
        return "plan.strategy random looks at no slice"
    asked = sum(item.rows for item in entry.plan if item.slice == piece.slice)
    if not asked:
        return "none was planned for it"
    names = [str(noun.get("plugin") or "") for noun in document.settings.get("augment") or ()]
    if names == ["pool"]:
        reason = f"the pool has none of its kind{' left' if had_rows else ''}"
    else:
        noun = "augmenters" if len(names) != 1 else "augmenter"
        reason = " ".join(filter(None, (f"the {noun}", ", ".join(names), "gave none")))
    accepted = " that passes the filters" if entry.refused else ""
    return (
        f"{rows_words(asked)} {'was' if asked == 1 else 'were'} asked for, and {reason}{accepted}"
    )


def rows_words(count: int) -> str:
    """``1 row``, ``40 rows``."""
    return "1 row" if count == 1 else f"{count} rows"


def _of_round(document: Analysis, after: int, rounds: Rounds) -> Iterator[Target]:
    source, following = _source(after, rounds), rounds[after + 1]
    label = following.verdict.label
    by_slice, planned = came(document, rounds[after]), _planned(rounds[after])
    courses = _courses(document, after)
    source_slices, next_slices = (
        {piece.slice: piece for piece in entry.slices} for entry in (rounds[source], following)
    )
    for name, rows in sorted(by_slice.items(), key=lambda item: (not item[0], -item[1], item[0])):
        if name:
            course, piece = courses.get(name, {}), source_slices.get(name)
            known = (piece.score, piece.n) if piece else (None, None)
            before, n = course.get(source, known)
            # Without the table of courses, the slice may have been found again.
            again = next_slices.get(name)
            now = course.get(after + 1, (again.score if again else None, None))[0]
        else:
            before, n = _primary(document, rounds[source])
            now, _ = _primary(document, following)
        yield Target(after, source, name, rows, planned.get(name, 0), n, before, now, label)


def _source(after: int, rounds: Rounds) -> int:
    """The round that the plan after this one was made from."""
    if rounds[after].verdict.label != "regressed":
        return after
    return max((number for number, e in rounds.items() if number < after and e.kept), default=0)


def came(document: Analysis, entry: MainRound) -> dict[str, int]:
    """Slice (empty: all data) -> rows added; by the plan where the table is not there."""
    counts: dict[str, int] = {}
    rows = [row for row in document.rows(AddedRows) if row.round == entry.round]
    if sum(row.rows for row in rows) == entry.added:
        for row in rows:
            counts[row.slice or ""] = counts.get(row.slice or "", 0) + row.rows
        return counts
    return _planned(entry)


def _planned(entry: MainRound) -> dict[str, int]:
    """Slice (empty: all data) -> rows that the plan after this round asked for."""
    counts: dict[str, int] = {}
    for item in entry.plan:
        name = "" if item.slice == EVERYWHERE else item.slice
        counts[name] = counts.get(name, 0) + item.rows
    return counts


def _courses(document: Analysis, after: int) -> dict[str, dict[int, tuple[float | None, int]]]:
    """Slice -> round -> mean score and rows."""
    courses: dict[str, dict[int, tuple[float | None, int]]] = {}
    for row in document.rows(TargetScore):
        if row.round == after:
            courses.setdefault(row.slice, {})[row.answered] = (row.score, row.n)
    return courses


def _primary(document: Analysis, entry: MainRound) -> tuple[float | None, int | None]:
    score = entry.scores.get(document.primary)
    return (score.value, score.n) if score else (None, None)
