"""Rendered rows for a terminal: colours where it has them, marks around what is trained elsewhere.

Whatever stands in a row is shown as text: control and direction characters by their numbers, and
what no terminal understands as a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.kit.terminal import tables
from harness.kit.text import one_line, plain
from harness_rows.commands.data.printing import set_in

MARKS = (("[[", "]]"), ("⟦", "⟧"), ("<<<", ">>>"), ("{{{", "}}}"), ("«««", "»»»"))
"""Pairs that stand around what is trained; the first that no row shown has in it."""
CUT_HERE = "|cut here|"
LONGEST = 1_600
"""Characters of a stretch of text before its middle is left out."""
KEPT = 600
"""Characters that are shown then, at its front and at its end."""
SPECIAL = re.compile(r"<[^<>\s]{1,60}>|\[/?[A-Z_]{2,20}\]")
"""What special tokens look like."""
TRAINED, CUT, SPECIALLY = "green", "red", "cyan"

Document = Mapping[str, Any]
Token = Mapping[str, Any]


def show(document: Document, console: Console, *, full: bool) -> None:
    """All rows, each below a line that says which it is."""
    coloured = console.color_system is not None and not console.no_color
    marks = _marks(document["rows"])
    if unread := document["unread"]:
        kinds = "a problem" if unread == 1 else f"problems of {unread:,} kinds"
        tables.note(console, f"{kinds} in these rows: harness data check", "yellow")
    legend = Text.assemble(
        f"as {one_line(document['trainer'], 60)} trains {one_line(document['model'], 80)}: ",
        *_legend(marks, coloured=coloured),
    )
    console.print(legend, highlight=False)
    for row in document["rows"]:
        console.print()
        console.print(_head(row), highlight=False)
        if row["tokens"]:
            set_in(console, _body(row, marks, coloured=coloured, full=full))
        for line in _remarks(row):
            tables.item(console, line)


def _marks(rows: Sequence[Document]) -> tuple[str, str]:
    texts = ["".join(token["text"] for token in row["tokens"]) for row in rows]
    for marks in MARKS:
        if not any(mark in text for mark in marks for text in texts):
            return marks
    return MARKS[-1]


def _legend(marks: tuple[str, str], *, coloured: bool) -> Iterator[str | tuple[str, str]]:
    if coloured:
        yield "trained", TRAINED
        yield ", "
        yield "special tokens", SPECIALLY
        yield ", "
        yield "cut off", f"{CUT} strike"
    else:
        yield f"{marks[0]}trained{marks[1]}"


def _head(row: Document) -> Text:
    place = "" if row["place"] == row["id"] else row["place"]
    tokens = row["tokens"]
    trained = sum(token["trained"] for token in tokens)
    counts = f"{len(tokens):,} tokens, {trained:,} trained" if tokens else ""
    facts = [one_line(fact, 200) for fact in (row["split"], place, counts) if fact]
    head = Text(one_line(row["id"], tables.ID_LIMIT), "bold")
    return head.append(tables.DOT + tables.DOT.join(facts) if facts else "", "not bold dim")


def _remarks(row: Document) -> Iterator[str]:
    tokens = row["tokens"]
    if row["not_rendered"]:
        yield f"a long row: {row['not_rendered']:,} characters of its middle are not rendered"
    if row["cut"]:
        lost = sum(token["trained"] for token in tokens[len(tokens) - row["cut"] :])
        yield f"cut: {row['cut']:,} tokens, {lost:,} of them of the answer"
    elif tokens and any(token["trained"] for token in tokens):
        end = _shown(tokens[-1]["text"])
        learned = "is trained" if tokens[-1]["trained"] else "is not trained"
        yield f"end of turn: {one_line(end, 60) or '(blank)'} {learned}"
    if row["split"] in ("dev", "test") and tokens:
        yield f"a row of {row['split']} is not trained on: its answer is what answers are held to"
    if row["left_out"]:
        yield f"the model's chat template drops {row['left_out']}"
    for text in row["rejected"]:
        yield f"rejected: {one_line(text, KEPT)}"
    if row["problem"]:
        yield f"training refuses this row: {row['problem']}"


def _body(row: Document, marks: tuple[str, str], *, coloured: bool, full: bool) -> Text:
    """The row's text, stretch by stretch: what is trained, and what is cut."""
    body = Text(overflow="fold")
    end = len(row["tokens"]) - row["cut"]
    kinds = [(token["trained"], place >= end) for place, token in enumerate(row["tokens"])]
    place = 0
    for (trained, cut), stretch in groupby(kinds):
        tokens = row["tokens"][place : place + len(list(stretch))]
        if cut and place == end > 0:
            body.append(CUT_HERE, f"bold {CUT}")
        place += len(tokens)
        opening, closing = marks if trained and not cut and not coloured else ("", "")
        style = f"{CUT} strike" if cut else TRAINED if trained else ""
        body.append(opening)
        body.append_text(_stretch(tokens, style, full=full))
        body.append(closing)
    return body


def _stretch(tokens: Sequence[Token], style: str, *, full: bool) -> Text:
    text = Text(style=style)
    size = sum(len(token["text"]) for token in tokens)
    if full or size <= LONGEST:
        return _told(tokens, text)
    front, end = _edge(tokens), _edge(tokens[::-1])
    _told(tokens[:front], text)
    text.append(f"\n… {len(tokens) - front - end:,} tokens more (--full) …\n", "not strike dim")
    return _told(tokens[len(tokens) - end :], text)


def _edge(tokens: Sequence[Token]) -> int:
    """How many tokens from the front have so many characters that they are shown."""
    size = 0
    for count, token in enumerate(tokens):
        if size >= KEPT:
            return count
        size += len(token["text"])
    return len(tokens)


def _told(tokens: Sequence[Token], text: Text) -> Text:
    for token in tokens:
        shown = _shown(token["text"])
        special = f"bold {TRAINED}" if token["trained"] else SPECIALLY
        text.append(shown, special if SPECIAL.fullmatch(shown) else None)
    return text


def _shown(text: str) -> str:
    """A token's text; what would not be seen, or would be obeyed, by its number."""
    if text.isprintable() or (plain(text) == text and "\t" not in text):
        return text
    return "".join(map(_character, text))


def _character(character: str) -> str:
    if character == "\n" or (character.isprintable() and plain(character) == character):
        return character
    named = {"\t": "\\t", "\r": "\\r"}.get(character)
    number = ord(character)
    return named or (f"\\x{number:02x}" if number < 256 else f"\\u{{{number:x}}}")
