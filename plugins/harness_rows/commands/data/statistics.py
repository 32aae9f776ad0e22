"""What is in rows: the document behind ``harness data stats``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness import SPLITS, Example, Report
from harness_rows.commands.data import repeats
from harness_rows.commands.data.balance import Field, answers, fields
from harness_rows.commands.data.lengths import Length, Lengths, measured
from harness_rows.commands.data.opening import Opened
from harness_rows.commands.data.request import Request
from harness_rows.sampling import Spread

MOST_ANSWERS = 4
"""Frequent answers that are listed."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one split; ``split`` is empty for those without one.

    Attributes:
        prompt, answer: tokens, None where they are not known.
    """

    split: str
    rows: int
    groups: int
    prompt: Spread | None
    answer: Spread | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lengths rest on.

    Attributes:
        why: why there are none; empty where there are.
        rows: rows that were measured, of so many.
    """

    model: str
    why: str
    rows: int
    of: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows that repeat others.

    Attributes:
        exact: rows that repeat an earlier one of their side, prompt and answer.
        leaks: rows of train and pool that ask what a row of dev or test asks.
        near: rows with a near repeat, among the prompts that were compared, of so many.
        near_leaks: rows of train and pool among these that are near a row of dev or test.
        conflicts: prompts with different answers, and the rows that have them.
    """

    exact: int
    leaks: int
    near: int
    near_leaks: int
    compared: int
    of: int
    conflicts: int
    conflict_rows: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers.

    Attributes:
        kind: ``labels``, ``numbers``, ``JSON``, ``short`` or ``long``.
        distinct: how many different ones there are.
        frequent: those that more than one row has, the most frequent first.
    """

    kind: str
    distinct: int
    frequent: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is in rows.

    Attributes:
        languages: ISO 639-1 code -> share, of so many texts that were judged.
        turns: number of user turns -> rows.
    """

    data: str
    format: tuple[str, ...]
    problems: tuple[str, ...]
    rows: int
    splits: tuple[Part, ...]
    tokens: Tokens
    languages: Mapping[str, float]
    judged: int
    turns: Mapping[int, int]
    fields: tuple[Field, ...]
    repeats: Repeats
    answers: Answered


def statistics(found: Opened, request: Request, begin: Callable[[str], Report]) -> Statistics:
    """Everything that is shown of the rows; no text of a sealed test set is in it."""
    from harness_rows.initial import languages

    lengths = measured(found, request, begin)
    prompts = repeats.by_prompt(found.rows)
    report = begin("comparing prompts")
    repeated = _repeats(prompts, repeats.near_repeats(prompts, lambda n, of: report(n, of, "")))
    shares, judged = languages.look([_said(row) for row in found.rows])
    asked = Counter(sum(turn.get("role") == "user" for turn in row.messages) for row in found.rows)
    answered = _answers(found)
    labels = [answers(shown_rows(found))] if answered.kind == "labels" else []
    return Statistics(
        data=found.where,
        format=found.said,
        problems=found.problems,
        rows=len(found.rows),
        splits=tuple(_parts(found.rows, lengths)),
        tokens=Tokens(lengths.model, lengths.why, len(lengths.rows), len(found.rows)),
        languages=shares,
        judged=judged,
        turns=dict(sorted(asked.items())),
        fields=(*labels, *fields(found)),
        repeats=repeated,
        answers=answered,
    )


def _said(row: Example) -> str:
    return "\n".join([repeats.prompt_text(row), *row.references[:1]])


def _parts(rows: Sequence[Example], lengths: Lengths) -> list[Part]:
    by_split: dict[str, list[Example]] = {name: [] for name in (*SPLITS, "")}
    for row in rows:
        by_split[row.split].append(row)
    measured: dict[str, list[Length]] = {name: [] for name in by_split}
    for one in lengths.rows:
        if one.prompt:
            measured[one.row.split].append(one)
    return [
        Part(
            split, len(members), len({row.group for row in members}),
            _spread(measured[split], lambda one: one.prompt),
            _spread(measured[split], lambda one: one.answer),
        )
        for split, members in by_split.items() if members
    ]  # fmt: skip


def _spread(rows: Sequence[Length], size: Callable[[Length], int]) -> Spread | None:
    drawn = [size(one) for one in rows if one.drawn]
    return Spread.of(drawn, [size(one) for one in rows]) if drawn else None


def _repeats(prompts: Mapping[str, Sequence[Example]], near: repeats.Near) -> Repeats:
    conflicts = repeats.conflicts(prompts)
    return Repeats(
        exact=len(repeats.doubled(prompts)),
        leaks=sum(1 for _ in repeats.exact_leaks(prompts)),
        near=near.rows,
        near_leaks=len(near.leaks),
        compared=near.compared,
        of=near.of,
        conflicts=len(conflicts),
        conflict_rows=sum(len(one.rows) for one in conflicts),
    )


def shown_rows(found: Opened) -> list[Example]:
    """The rows whose texts may be shown: not those of a sealed test set."""
    return [row for row in found.rows if not found.sealed or row.split != "test"]


def _answers(found: Opened) -> Answered:
    from harness_rows.initial.answers import look

    texts = [row.references[0] for row in shown_rows(found) if row.references]
    if not texts:
        return Answered("", 0, ())
    counts = Counter(text.strip() for text in texts)
    frequent = [(text, count) for text, count in counts.most_common(MOST_ANSWERS) if count > 1]
    return Answered(look(texts).kind, len(counts), tuple(frequent))
