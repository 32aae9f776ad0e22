"""Answers as examples: for the analysis from the database, and a few for the summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.database.writing import Asking
from harness.kit.documents import as_document, finite
from harness.kit.shown_calls import readable, readable_pair
from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.records import ErrorLabel, ScoredExample
from harness.records.analysis import AnalysedExample, RoundAnswer, ShownCause
from harness.records.summary import LONGEST_TEXT, ShownExample
from harness.report.queries import CAUSES


def asked(ask: Asking, query: str) -> tuple[AnalysedExample, ...]:
    """The dev rows that a query chooses, each with the answers of all rounds."""
    answers = ask(query).rows
    causes = {row[0]: row[1:] for row in ask(CAUSES).rows}
    best = ask("SELECT kept_round FROM runs").rows[0][0]
    by_id: dict[str, list[Sequence[Any]]] = {}
    for row in answers:
        by_id.setdefault(row[1], []).append(row)
    return tuple(_example(rows, causes.get(name), best) for name, rows in by_id.items())


def _example(rows: list[Sequence[Any]], cause: Sequence[Any] | None, best: int) -> AnalysedExample:
    _, name, source, prompt, references, course, *_ = rows[0]
    answers = tuple(map(_answer, rows))
    now = next((answer for answer in answers if answer.round == best), answers[-1])
    reference, answer = readable_pair(closest(references or (), now.text), now.text)
    return AnalysedExample(
        id=one_line(name, 200),
        place=one_line(source or "", 200),
        prompt=plain(prompt or "", LONGEST_TEXT),
        reference=plain(reference, LONGEST_TEXT),
        answer=plain(answer, LONGEST_TEXT),
        score=now.score,
        finish_reason=now.finish_reason,
        errors=now.errors,
        references=tuple(plain(readable(text), LONGEST_TEXT) for text in references or ()),
        course=course or "",
        answers=tuple(map(_readable, answers)),
        cause=None if cause is None else _cause(*cause),
    )


def _answer(row: Sequence[Any]) -> RoundAnswer:
    *_, number, text, finish_reason, value, is_right, categories = row
    kinds = tuple(one_line(kind, 80) for kind in categories or ())
    reason = one_line(finish_reason or "", 40)
    return RoundAnswer(number, plain(text or "", LONGEST_TEXT), value, is_right, reason, kinds)


def _readable(answer: RoundAnswer) -> RoundAnswer:
    return replace(answer, text=plain(readable(answer.text), LONGEST_TEXT))


def _cause(name: str, evidence: str, remedy: str, rows: Sequence[str]) -> ShownCause:
    train_rows = tuple(one_line(row, 200) for row in rows or ())
    return ShownCause(
        one_line(name, 80), one_line(evidence or "", 600), one_line(remedy or "", 300), train_rows
    )


# -- for the summary -------------------------------------------------------------------------------


def instructive(
    scored: Sequence[ScoredExample],
    labels: Sequence[ErrorLabel],
    *,
    score: str,
    higher_is_better: bool,
    count: int = 6,
) -> tuple[ShownExample, ...]:
    """A few of the worst dev examples, first one of each kind of error and each group.

    Rows of the test split are never taken. Ties go by id, so the choice is repeatable.
    """
    kinds: dict[str, list[str]] = {}
    for label in labels:
        kinds.setdefault(label.example_id, []).append(label.category)

    def badness(row: ScoredExample) -> tuple[float, str]:
        value = row.values[score] or 0.0
        return (value if higher_is_better else -value), row.example.id

    usable = (
        row
        for row in scored
        if row.example.split != "test" and finite(row.values.get(score)) is not None
    )
    ranked = sorted(usable, key=badness)
    chosen: list[ScoredExample] = []
    seen: set[str] = set()
    later: list[ScoredExample] = []
    for row in ranked:
        traits = {f"error {kind}" for kind in kinds.get(row.example.id, [])[:1]} or {"no error"}
        traits |= {f"group {row.example.group}"} if row.example.group else set()
        (later if traits & seen else chosen).append(row)
        seen |= traits
    best = sorted([*chosen[:count], *later[: max(0, count - len(chosen))]], key=badness)
    return tuple(_shown_example(row, kinds.get(row.example.id, []), score) for row in best)


def _shown_example(row: ScoredExample, kinds: Sequence[str], score: str) -> ShownExample:
    example, said = row.example, row.prediction.text
    reference, answer = readable_pair(closest(example.references, said), said)
    return as_document(
        ShownExample,
        example,
        prompt=plain(example.prompt, LONGEST_TEXT),
        reference=plain(reference, LONGEST_TEXT),
        answer=plain(answer, LONGEST_TEXT),
        score=finite(row.values[score]),
        finish_reason=one_line(row.prediction.finish_reason, 40),
        errors=tuple(one_line(kind, 80) for kind in dict.fromkeys(kinds)),
    )
