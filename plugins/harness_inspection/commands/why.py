"""Show one row: its answers in all rounds, and why they fail."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit import terms
from harness.kit.blocks import table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json, RunName
from harness.kit.text import one_line, plain, titled
from harness_inspection.commands.printing import train_rows, write_json

if TYPE_CHECKING:
    from harness_inspection.database import RunDatabase
    from harness_inspection.row import ExplainedRow, RowAnswer, RowError


app = typer.Typer()

STYLES = {"same": "", "missing": "red strike", "extra": "green", "rest": "dim"}
MARKS = {"missing": ("[-", "-]"), "extra": ("{+", "+}")}
"""Around words where there is no colour."""
TURNS = 20


@app.command()
def why(
    name: Annotated[str, typer.Argument(metavar="ID", help="of a row, as harness errors lists it")],
    run: RunName = None,
    open_test: Annotated[
        bool,
        typer.Option(
            "--open-test", help="read the sealed test set; counts as a test-set evaluation"
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show one row: its answers in all rounds, and why they fail."""
    from harness_inspection.database import RunDatabase
    from harness_inspection.row import why as explained

    folder = harness.current_reports(run)
    with RunDatabase.opened(folder) as database:
        document = explained(database, *_allowed(folder, database, name, open_test))
    if as_json:
        write_json(document)
        return
    _show(document, Console(), run)


def _allowed(folder: Path, database: RunDatabase, name: str, open_test: bool) -> tuple[str, str]:
    """The row's id and split, once it is sure that it may be looked at."""
    from harness_inspection import sealed
    from harness_inspection.row import shown_as, split_of, unknown

    split = split_of(database, name)
    if split is None:
        if sealed.holds(folder.name, name):
            raise sealed.not_opened(database.run) if open_test else sealed.refused()
        meant = shown_as(database, name)
        split = split_of(database, meant) if meant is not None else None
        if meant is None or split is None:
            raise unknown(database, name)
        name = meant
    if split == "test":
        if not open_test:
            raise sealed.refused()
        harness.open_run(folder.name).count_look("looked at by harness why")
    return name, split


def _show(document: ExplainedRow, console: Console, run: str | None) -> None:
    _show_head(document, console)
    _show_texts(document, console)
    if document.answers:
        _show_answers(document, console)
        _show_scores(document, console)
    _show_causes(document, console)
    _show_nearest(document, console)
    _show_slices(document, console)
    _show_origin(document, console)
    console.print()
    tables.next_command(console, _next(document, run))


def _show_head(document: ExplainedRow, console: Console) -> None:
    facts = [
        document.split,
        f"group {document.group}" if document.group else "",
        document.place,
    ]
    rest = ", ".join(one_line(fact, 120) for fact in facts if fact)
    title = Text.assemble((one_line(document.id, tables.ID_LIMIT), "bold"), (f"  {rest}", "dim"))
    console.print(title, highlight=False, soft_wrap=True)
    if document.course:
        course = document.course
        marks = [
            f"{number} {terms.shown('key', 'right' if right else 'wrong')}"
            for number, right in zip(course.rounds, course.rights, strict=True)
        ]
        tables.note(console, f"{terms.shown('course', course.kind)} (round {', '.join(marks)})")
    if document.meta:
        pairs = [f"{key} = {value}" for key, value in document.meta.items()]
        tables.note(console, one_line(", ".join(pairs), 400), "dim")


def _show_texts(document: ExplainedRow, console: Console) -> None:
    turns = document.messages
    left_out = max(0, len(turns) - TURNS)
    for turn in turns[left_out:]:
        role = str(turn.get("role", "?")) if isinstance(turn, dict) else "?"
        title = "prompt" if role == "user" and len(turns) == 1 else role
        tables.head(console, one_line(title, 40))
        tables.block(console, _content(turn))
    several = len(document.references) > 1
    for place, text in enumerate(document.references, start=1):
        tables.head(console, f"reference {place}" if several else "reference")
        tables.block(console, text, "green")


def _content(turn: Any) -> str:
    content = turn.get("content") if isinstance(turn, dict) else turn
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _show_answers(document: ExplainedRow, console: Console) -> None:
    coloured = console.is_terminal and not console.no_color
    console.print()
    legend = _marked([("same", ": "), ("missing", "lacking "), ("extra", "more")], coloured)
    console.print(Text.assemble(("answers against the reference", "bold"), legend), highlight=False)
    first_round: dict[str, int] = {}
    for answer in document.answers:
        tables.note(console, _verdict(document, answer), "bold")
        first = first_round.setdefault(answer.text, answer.round)
        if first != answer.round:
            tables.block(console, f"the same answer as in round {first}", "dim")
            continue
        pieces = answer.differences or [("same", answer.text)]
        tables.block(console, _marked(pieces, coloured))
        if pieces[-1][0] == "rest":
            tables.block(console, "(the rest was not compared)", "dim")


def _titled(document: ExplainedRow, score: str) -> str:
    return titled(one_line(score, tables.ID_LIMIT), document.caveats.get(score))


def _verdict(document: ExplainedRow, answer: RowAnswer) -> str:
    best = " (best round)" if answer.round == document.kept_round else ""
    judged = {True: "pass", False: "fail", None: "cannot be judged"}[answer.right]
    parts = [judged, f"{_titled(document, document.primary)} {tables.value(answer.score)}"]
    parts += [tables.listed(dict.fromkeys(_category(e) for e in answer.errors))]
    if answer.finish_reason == "length":
        parts.append("truncated at max_new_tokens")
    sample = f", sample {answer.sample}" if answer.sample else ""
    return f"round {answer.round}{best}{sample}: " + ", ".join(part for part in parts if part)


def _marked(pieces: Sequence[Sequence[str]], coloured: bool) -> Text:
    """The pieces of an answer, marked by colour or by signs, cut where they are too long."""
    shown, room = Text(), tables.BLOCK_LIMIT
    for kind, raw in pieces:
        text = plain(raw, max(room, 1))
        room -= len(text)
        word = text.rstrip()
        if kind in MARKS and word[:1].isalnum() and shown and not shown.plain[-1].isspace():
            shown += Text(" ")
        left, right = ("", "") if coloured else MARKS.get(kind, ("", ""))
        shown += Text(f"{left}{word}{right}", style=STYLES[kind]) if word else Text()
        shown += Text(text[len(word) :])
        if room <= 0:
            break
    return shown


def _show_scores(document: ExplainedRow, console: Console) -> None:
    names = list(dict.fromkeys(name for a in document.answers for name in a.scores))
    rounds = {
        f"round {answer.round}": {name: score.value for name, score in answer.scores.items()}
        for answer in document.answers
    }
    console.print()
    rows = (
        (_titled(document, name), *(tables.value(scores.get(name)) for scores in rounds.values()))
        for name in names
    )
    draw_rows(table(["score", *rounds], rows, right=rounds), console)
    failed = {s.error: n for a in document.answers for n, s in a.scores.items() if s.error}
    for error, name in failed.items():
        tables.note(console, f"not scored by {name}: {error}", "yellow")
    for label, numbers in _labels(document).items():
        tables.note(console, f"{label}: round {', '.join(map(str, numbers))}", "dim")


def _category(error: RowError) -> str:
    return terms.shown("category", error.category)


def _labels(document: ExplainedRow) -> dict[str, list[int]]:
    """Category with evidence and detector -> the rounds whose answers show it."""
    labels: dict[str, list[int]] = {}
    for answer in document.answers:
        for error in answer.errors:
            evidence = f" '{one_line(error.evidence, 200)}'" if error.evidence else ""
            label = f"{_category(error)}{evidence} ({error.found_by})"
            labels.setdefault(label, []).append(answer.round)
    return labels


def _show_causes(document: ExplainedRow, console: Console) -> None:
    """The cause in the best round, or in the last that has one, whole; those of others by name."""
    causes = document.causes
    if not causes:
        return
    cause = next((c for c in causes if c.round == document.kept_round), causes[-1])
    best = " (best round)" if cause.round == document.kept_round else ""
    name = terms.shown("cause", cause.cause)
    tables.head(console, f"likeliest cause in round {cause.round}{best}: {name}")
    tables.block(console, one_line(cause.evidence or "", 1_000))
    tables.block(console, one_line(f"suggested action: {cause.remedy}", 600))
    others: dict[str, list[str]] = {}
    for other in causes:
        if other is not cause:
            others.setdefault(terms.shown("cause", other.cause), []).append(str(other.round))
    if others:
        before = "; ".join(f"{name} in round {', '.join(in_)}" for name, in_ in others.items())
        tables.block(console, one_line(f"otherwise {before}", 600), "dim")
    near = {row.id for row in document.nearest}
    if further := [row for row in cause.train_rows if row.id not in near]:
        draw_rows(train_rows(further), console)


def _show_nearest(document: ExplainedRow, console: Console) -> None:
    near = document.nearest
    if not near:
        return
    before = "that round 1 learns from" if document.kept_round == 0 else "of the best round"
    tables.head(console, f"nearest training rows {before}")
    draw_rows(train_rows(near, "similarity", [f"{row.similarity:.2f}" for row in near]), console)


def _show_slices(document: ExplainedRow, console: Console) -> None:
    if document.split != "dev":
        return
    tables.head(console, "training rows added for its slices")
    planned = [entry for entry in document.slices if entry.asked]
    if not planned:
        tables.block(console, "none")
    for entry in planned:
        gap = "" if entry.gap is None else f", gap {tables.value(entry.gap)}"
        done = f"{entry.asked} rows planned, {entry.added} added"
        remedy = f" ({entry.remedy})" if entry.remedy else ""
        where = f"after round {entry.round}: {entry.slice} ({entry.n} rows{gap})"
        line = f"{where}: {done}{remedy}"
        tables.block(console, one_line(line, 600))


def _show_origin(document: ExplainedRow, console: Console) -> None:
    origin = document.origin
    if origin:
        tables.head(console, "how it came into the training data")
        line = f"after round {origin.round}, by {origin.made_by}, for "
        line += f"'{origin.slice}'" if origin.slice else "no slice: from everywhere"
        if origin.parent:
            line += f", made from {origin.parent}"
            if origin.parent_place not in (None, "", origin.parent):
                line += f" ({origin.parent_place})"
        tables.block(console, one_line(line, 600))
        for name, value in (origin.made or {}).items():
            pairs = value.items() if isinstance(value, dict) else ((None, value),)
            words = ", ".join(f"{key}: {of}" if key else str(of) for key, of in pairs)
            tables.block(console, one_line(f"{name}: {words}", 600))
    if document.named_by:
        tables.head(console, "answers whose cause names it")
        for answer in document.named_by[:10]:
            tables.block(console, one_line(f"{answer.id}, round {answer.round}: {answer.cause}"))


def _next(document: ExplainedRow, run: str | None) -> str:
    named = [run] if run else []
    causes = [c.cause for c in document.causes if c.round == document.kept_round]
    best = [a for a in document.answers if a.round == document.kept_round]
    categories = [e.category for answer in best for e in answer.errors]
    if causes:
        return shlex.join(["harness", "errors", *named, "--cause", causes[0]])
    if categories and document.split == "dev":
        return shlex.join(["harness", "errors", *named, "--category", categories[0]])
    return shlex.join(["harness", "errors", *named])
