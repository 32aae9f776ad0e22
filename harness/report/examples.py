"""Answers of the best round: the worst, and the largest gains, each with those of all rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.report.queries import BETTER, CAUSES, EXAMPLES, NOT_BETTER
from harness.store.writing import Asking

LIMIT = 200
GAINS = 3
TEXT_LIMIT = 2_000

Document = dict[str, Any]


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
