"""Answers as examples: for the analysis from the database, and a few for the summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.database.writing import Asking
from harness.kit.documents import as_document, finite
from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.records import ErrorLabel, ScoredExample
from harness.records.summary import LONGEST_TEXT, ShownExample
from harness.report.queries import BETTER, CAUSES, EXAMPLES, NOT_BETTER
from harness.report.reading import Document

LIMIT = 200
GAINS = 3
TEXT_LIMIT = 2_000


def chosen(ask: Asking, limit: int) -> list[Document]:
    """At most ``limit`` dev examples, wrong answers first, the worst first."""
    return _asked(ask, EXAMPLES, limit)


def better(ask: Asking) -> list[Document]:
    """Some of the answers that got better since the base model, the largest gain first."""
    return _asked(ask, BETTER, GAINS)


def not_better(ask: Asking) -> Document | None:
    """The worst of the answers that did not get better; None where there is none."""
    return next(iter(_asked(ask, NOT_BETTER, 1)), None)


def _asked(ask: Asking, query: str, limit: int) -> list[Document]:
    answers = ask(query.format(limit=int(limit))).rows
    causes = {row[0]: row[1:] for row in ask(CAUSES).rows}
    best = ask("SELECT kept_round FROM runs").rows[0][0]
    by_id: dict[str, list[Sequence[Any]]] = {}
    for row in answers:
        by_id.setdefault(row[1], []).append(row)
    return [_example(rows, causes.get(name), best) for name, rows in by_id.items()]


def _example(rows: list[Sequence[Any]], cause: Sequence[Any] | None, best: int) -> Document:
    _, name, source, prompt, references, course, *_ = rows[0]
    answers = [_answer(row) for row in rows]
    now = next((answer for answer in answers if answer["round"] == best), answers[-1])
    return {
        "id": one_line(name, 200),
        "place": one_line(source or "", 200),
        "prompt": plain(prompt or "", TEXT_LIMIT),
        "reference": plain(closest(references or (), now["text"]), TEXT_LIMIT),
        "references": [plain(text, TEXT_LIMIT) for text in references or ()],
        "answer": now["text"],
        "score": now["score"],
        "finish_reason": now["finish_reason"],
        "errors": now["errors"],
        "course": course or "",
        "answers": answers,
        "cause": _cause(cause),
    }


def _answer(row: Sequence[Any]) -> Document:
    *_, number, text, finish_reason, value, is_right, categories = row
    return {
        "round": number,
        "text": plain(text or "", TEXT_LIMIT),
        "score": value,
        "right": is_right,
        "finish_reason": one_line(finish_reason or "", 40),
        "errors": [one_line(kind, 80) for kind in categories or ()],
    }


def _cause(cause: Sequence[Any] | None) -> Document | None:
    if cause is None:
        return None
    name, evidence, remedy, rows = cause
    return {
        "cause": one_line(name, 80),
        "evidence": one_line(evidence or "", 600),
        "remedy": one_line(remedy or "", 300),
        "train_rows": [one_line(row, 200) for row in rows or ()],
    }


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
    example, answer = row.example, row.prediction
    return as_document(
        ShownExample,
        example,
        prompt=plain(example.prompt, LONGEST_TEXT),
        reference=plain(closest(example.references, answer.text), LONGEST_TEXT),
        answer=plain(answer.text, LONGEST_TEXT),
        score=finite(row.values[score]),
        finish_reason=one_line(answer.finish_reason, 40),
        errors=tuple(one_line(kind, 80) for kind in dict.fromkeys(kinds)),
    )
