"""What several sections print of the document: names of rounds and scores, marks, changes."""

from __future__ import annotations

from harness import Analysis, Verdict
from harness.kit.numbers import interval, number, signed
from harness.kit.text import one_line
from harness.records.summary import UNSCORED, MainRound, ShownForgetting, ShownScore


def chosen_mark(document: Analysis, entry: MainRound, before: str = ", ") -> str:
    """The mark of scores on dev that led to the choice of this round, or nothing."""
    choice = document.chosen
    return before + one_line(choice.mark, 60) if choice and choice.round == entry.round else ""


def shown_rounds(document: Analysis, most: int) -> list[MainRound]:
    """At most so many rounds: the base model, the best one, then the latest."""
    rounds = list(document.rounds)
    wanted = {0, document.kept_round}
    for entry in reversed(rounds):
        if len(wanted) < most:
            wanted.add(entry.round)
    return [entry for entry in rounds if entry.round in wanted]


def round_name(number: int, document: Analysis) -> str:
    """``round 2``, with a mark if it is the best one."""
    return f"{number}{' ●' if number == document.kept_round else ''}"


def score_names(document: Analysis) -> list[str]:
    """All scores, the primary one first."""
    names = {name: None for entry in document.rounds for name in entry.scores}
    primary = document.primary
    return [*([primary] if primary in names else []), *(n for n in names if n != primary)]


def bounds_level(document: Analysis) -> str:
    """``each bound at 98.3 %``, or nothing before the first comparison."""
    verdict = document.rounds[-1].verdict
    if verdict.low is None or verdict.level is None:
        return ""
    percent = f"{100 * verdict.level:.1f}".removesuffix(".0")
    return f"each bound at {percent} %"


def score_cells(score: ShownScore | None, digits: int) -> tuple[str, str]:
    """A score and its interval, as two cells of a table."""
    score = score or UNSCORED
    return number(score.value, digits), interval(score.low, score.high, digits)


def change_cells(change: Verdict | ShownForgetting, digits: int = 3) -> tuple[str, str]:
    """A difference and its bounds, as two cells of a table."""
    bounds = interval(change.low, change.high, digits, plus=True)
    return signed(change.difference, digits), bounds


def course(before: float | None, now: float | None, digits: int) -> str:
    """``0.121 → 0.453``."""
    return f"{number(before, digits)} → {number(now, digits)}"
