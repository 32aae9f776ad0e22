"""What is known of a row, as blocks: for a terminal, a page and a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.kit import terms
from harness.kit.blocks import Block, Bullets, Heading, Note, Paragraph, Passage, table
from harness.kit.shown_calls import readable, readable_turn
from harness.kit.terminal.tables import ID_LIMIT, listed, value
from harness.kit.text import one_line, plain, titled
from harness.kit.worddiff import Kind
from harness_inspection.lineage import table_of_rows
from harness_inspection.row import ExplainedRow, RowAnswer, RowCause, RowError, RowOrigin

TEXT = 20_000
"""Characters of a text."""
TURNS, REFERENCES, ANSWERS, ROWS = 20, 20, 60, 20
"""Turns of the conversation, references, answers and training rows at most; all are in the document
(``harness why ID --json``)."""
MOST = 10
"""Slices, and answers whose cause names the row."""
_LEGEND: tuple[tuple[Kind, str], ...] = (
    ("same", "marked: "), ("missing", "lacking"), ("same", ", "), ("extra", "more"),
)  # fmt: skip


def blocks_of(document: ExplainedRow) -> Iterator[Block]:
    """All that the document says, its texts cut where they are too long to be read."""
    yield from _head(document)
    yield from _texts(document)
    if document.answers:
        yield from _answers(document)
        yield from _scores(document)
    yield from _causes(document)
    yield from _nearest(document)
    yield from _slices(document)
    if document.origin:
        yield from _origin(document.origin)
    yield from _named_by(document)


def _head(document: ExplainedRow) -> Iterator[Block]:
    facts = [document.split, f"group {document.group}" if document.group else "", document.place]
    remark = ", ".join(one_line(fact, 120) for fact in facts if fact)
    yield Heading(one_line(document.id, ID_LIMIT), remark)
    if document.course:
        course = document.course
        marks = ", ".join(
            f"{number} {terms.shown('key', 'right' if right else 'wrong')}"
            for number, right in zip(course.rounds, course.rights, strict=True)
        )
        yield Paragraph(f"(round {marks})", lead=terms.shown("course", course.kind))
    if document.meta:
        pairs = (f"{key} = {value_}" for key, value_ in document.meta.items())
        yield Note(one_line(", ".join(pairs), 400))


def _texts(document: ExplainedRow) -> Iterator[Block]:
    turns = document.messages
    left_out = max(0, len(turns) - TURNS)
    if left_out:
        yield Note(f"the first {left_out:,} turns are left out")
    for turn in turns[left_out:]:
        role = str(turn.get("role", "?")) if isinstance(turn, dict) else "?"
        title = "prompt" if role == "user" and len(turns) == 1 else one_line(role, 40)
        yield _passage(title, readable_turn(turn) if isinstance(turn, dict) else str(turn))
    several = len(document.references) > 1
    for place, text in enumerate(document.references[:REFERENCES], start=1):
        yield _passage(f"reference {place}" if several else "reference", readable(text))
    yield from _more(len(document.references) - REFERENCES, "references")


def _passage(title: str, text: str) -> Passage:
    return Passage((("same", plain(text, TEXT)),), title)


def _more(count: int, what: str) -> Iterator[Block]:
    if count > 0:
        yield Note(f"and {count:,} more {what}")


def _answers(document: ExplainedRow) -> Iterator[Block]:
    """Each answer with the words marked that differ from its reference; the same one once."""
    marked = any(answer.differences for answer in document.answers)
    yield Heading("Answers against the reference" if marked else "Answers")
    if marked:
        yield Passage(_LEGEND)
    first_round: dict[str, int] = {}
    for answer in document.answers[:ANSWERS]:
        title, remark = _verdict(document, answer), _facts(document, answer)
        first = first_round.setdefault(answer.text, answer.round)
        if first != answer.round:
            yield Paragraph(f"{remark}: the same answer as in round {first}", lead=title)
            continue
        pieces = tuple(_cut(answer.differences or [("same", readable(answer.text))]))
        rest = " (the rest was not compared)" if pieces and pieces[-1][0] == "rest" else ""
        yield Passage(pieces, title, remark + rest)
    yield from _more(len(document.answers) - ANSWERS, "answers")


def _cut(pieces: Any) -> Iterator[tuple[Kind, str]]:
    room = TEXT
    for kind, text in pieces:
        yield kind, plain(text, max(room, 1))
        room -= len(text)
        if room <= 0:
            return


def _verdict(document: ExplainedRow, answer: RowAnswer) -> str:
    best = " (best round)" if answer.round == document.kept_round else ""
    sample = f", sample {answer.sample}" if answer.sample else ""
    judged = {True: "pass", False: "fail", None: "cannot be judged"}[answer.right]
    return f"round {answer.round}{best}{sample}: {judged}"


def _facts(document: ExplainedRow, answer: RowAnswer) -> str:
    """The primary score, error categories, and whether it was cut short."""
    parts = [f"{_titled(document, document.primary)} {value(answer.score)}"]
    parts += [listed(dict.fromkeys(_category(error) for error in answer.errors))]
    if answer.finish_reason == "length":
        parts.append("truncated at max_new_tokens")
    return one_line(", ".join(part for part in parts if part), 600)


def _titled(document: ExplainedRow, score: str) -> str:
    return titled(one_line(score, ID_LIMIT), document.caveats.get(score))


def _category(error: RowError) -> str:
    return terms.shown("category", error.category)


def _scores(document: ExplainedRow) -> Iterator[Block]:
    """The scores of each round, why some are missing, and the error categories with evidence."""
    names = dict.fromkeys(name for answer in document.answers for name in answer.scores)
    rounds = {
        f"round {answer.round}": {name: score.value for name, score in answer.scores.items()}
        for answer in document.answers
    }
    yield Heading("Scores")
    rows = (
        (_titled(document, name), *(value(scores.get(name)) for scores in rounds.values()))
        for name in names
    )
    yield table(["score", *rounds], rows, right=rounds, caption="scores of each round")
    failed = {s.error: name for a in document.answers for name, s in a.scores.items() if s.error}
    for error, name in failed.items():
        yield Note(one_line(f"not scored by {name}: {error}", 600))
    for label, numbers in _labels(document).items():
        yield Note(f"{label}: round {', '.join(map(str, numbers))}")


def _labels(document: ExplainedRow) -> Mapping[str, list[int]]:
    """Category with evidence and detector -> the rounds whose answers show it."""
    labels: dict[str, list[int]] = {}
    for answer in document.answers:
        for error in answer.errors:
            evidence = f" '{one_line(error.evidence, 200)}'" if error.evidence else ""
            label = one_line(f"{_category(error)}{evidence} ({error.found_by})", 600)
            labels.setdefault(label, []).append(answer.round)
    return labels


def _causes(document: ExplainedRow) -> Iterator[Block]:
    """The cause in the best round, or in the last that has one, whole; those of others by name."""
    causes = document.causes
    if not causes:
        return
    cause = next((c for c in causes if c.round == document.kept_round), causes[-1])
    best = " (best round)" if cause.round == document.kept_round else ""
    yield Heading("Likeliest cause", f"in round {cause.round}{best}")
    name = one_line(terms.shown("cause", cause.cause), 200)
    yield Paragraph(one_line(cause.evidence or "", 1_000), lead=name)
    if cause.remedy:
        yield Paragraph(one_line(cause.remedy, 600), lead="suggested action:")
    others: dict[str, list[str]] = {}
    for other in causes:
        if other is not cause:
            others.setdefault(terms.shown("cause", other.cause), []).append(str(other.round))
    if others:
        before = "; ".join(f"{name} in round {', '.join(in_)}" for name, in_ in others.items())
        yield Note(one_line(f"otherwise {before}", 600))
    yield from _rows_of(cause, {row.id for row in document.nearest})


def _rows_of(cause: RowCause, near: set[str]) -> Iterator[Block]:
    """The training rows that a cause names, but for those that stand among the nearest."""
    further = [row for row in cause.train_rows if row.id not in near]
    if further:
        yield table_of_rows(further[:ROWS])
        yield from _more(len(further) - ROWS, "training rows")


def _nearest(document: ExplainedRow) -> Iterator[Block]:
    near = document.nearest
    if near:
        first = document.kept_round == 0
        learned = "that round 1 learns from" if first else "of the best round"
        yield Heading("Nearest training rows", learned)
        yield table_of_rows(near, "similarity", [f"{row.similarity:.2f}" for row in near])


def _slices(document: ExplainedRow) -> Iterator[Block]:
    if document.split != "dev":
        return
    yield Heading("Training rows added for its slices")
    planned = [entry for entry in document.slices if entry.asked]
    if not planned:
        yield Paragraph("none")
        return
    items = []
    for entry in planned:
        gap = "" if entry.gap is None else f", gap {value(entry.gap)}"
        done = f"{entry.asked} rows planned, {entry.added} added"
        remedy = f" ({entry.remedy})" if entry.remedy else ""
        where = f"after round {entry.round}: {entry.slice} ({entry.n} rows{gap})"
        items.append(Paragraph(one_line(f"{where}: {done}{remedy}", 600)))
    yield Bullets(tuple(items[:ROWS]))
    yield from _more(len(items) - ROWS, "slices")


def _origin(origin: RowOrigin) -> Iterator[Block]:
    yield Heading("How it came into the training data")
    line = f"after round {origin.round}, by {origin.made_by}, for "
    line += f"'{origin.slice}'" if origin.slice else "no slice: from everywhere"
    if origin.parent:
        line += f", made from {origin.parent}"
        if origin.parent_place not in (None, "", origin.parent):
            line += f" ({origin.parent_place})"
    yield Paragraph(one_line(line, 600))
    made = origin.made if isinstance(origin.made, dict) else {}
    for name, of_it in list(made.items())[:ROWS]:
        pairs = of_it.items() if isinstance(of_it, dict) else ((None, of_it),)
        words = ", ".join(f"{key}: {text}" if key else str(text) for key, text in pairs)
        yield Paragraph(one_line(words, 600), lead=f"{one_line(name, 80)}:")


def _named_by(document: ExplainedRow) -> Iterator[Block]:
    if document.named_by:
        yield Heading("Answers whose cause names it")
        named = (
            one_line(f"{answer.id}, round {answer.round}: {answer.cause}", 600)
            for answer in document.named_by[:MOST]
        )
        yield Bullets(tuple(map(Paragraph, named)))
        yield from _more(len(document.named_by) - MOST, "answers")
