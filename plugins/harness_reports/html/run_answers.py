"""The answers that differ between a run and the one that it is set against, side by side."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from harness.kit.numbers import counted, number
from harness_reports.figures import Document
from harness_reports.html.diff import both
from harness_reports.html.markup import Child, Html, element, name, text_block

BUDGET = 1_800_000
"""Bytes that answers may take; the pairs beyond are counted and left out."""


def drawn_pairs(document: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[int, Html]:
    """Number of the run -> its answers beside those of the run that it is set against, folded
    away; the latest that have room."""
    shown: dict[int, Html] = {}
    left = BUDGET
    for pair in document.get("answers") or ():
        drawn = _pair(pair, numbers)
        left -= len(drawn.encode("utf-8"))
        if left < 0:
            break
        shown[numbers[pair["b"]]] = drawn
    return shown


def answers_section(document: Mapping[str, Any], pairs: Mapping[int, Html]) -> Iterator[Html]:
    """The pairs under a heading, and how many are left out."""
    if not document.get("answers"):
        return
    yield element("h2", "Answers that differ", id="answers")
    yield element(
        "p", "Answers of the best rounds to rows of dev, of each run and the one that it is set "
        "against: the widest change of the primary score first, a loss and a gain in turn. Marked: "
        "words that the other answer lacks. Two other runs are chosen by their boxes above.",
        class_="note",
    )  # fmt: skip
    yield from pairs.values()
    beyond = len(document["answers"]) - len(pairs) + document.get("answers_left_out", 0)
    if beyond:
        told = f"{counted(beyond, 'more pair')} left out, to keep this page small: "
        yield element("p", told, element("code", "harness compare RUN OTHER"), class_="note")


def link(pair: Document, numbers: Mapping[str, int]) -> Child:
    """What a run's row says of its pair: the way to the answers that differ."""
    b, other = numbers[pair["b"]], f"run {numbers[pair['a']]}"
    count = pair["rows"] - pair["same"]
    if pair["why"]:
        return element("a", "answers cannot be shown", href=f"#answers-{b}")
    if not count:
        return element("span", f"the same answers as {other}", class_="dim")
    differ = "answer differs" if count == 1 else "answers differ"
    return element("a", f"{count:,} {differ} from {other}", href=f"#answers-{b}")


def _pair(pair: Document, numbers: Mapping[str, int]) -> Html:
    a, b = numbers[pair["a"]], numbers[pair["b"]]
    head = [element("b", f"Run {b} against run {a}"), ": ", _counts(pair, b)]
    command = shlex.join(["harness", "compare", pair["a"], pair["b"]])
    beyond = pair["rows"] - pair["same"] - len(pair["shown"])
    more = f"{beyond:,} more differ: " if beyond else "With statistics: "
    inner = element(
        "div",
        [_row(row, a, b) for row in pair["shown"]],
        element("p", more, element("code", name(command, 400)), class_="note"),
        id=f"answers-{b}",
    )
    return element(
        "details", element("summary", head), inner, class_="two-runs", data_pair=f"{a} {b}"
    )


def _counts(pair: Document, b: int) -> Child:
    if pair["why"]:
        return name(pair["why"], 300)
    count = pair["rows"] - pair["same"]
    told = f"{count:,} of {pair['rows']:,} answers differ"
    if not count:
        return f"the same {counted(pair['rows'], 'answer')}"
    if pair["better"] is None:
        return f"{told}; scored by other measures, so not subtracted"
    return f"{told}; run {b} scores better on {pair['better']:,}, worse on {pair['worse']:,}"


def _row(row: Document, a: int, b: int) -> Html:
    before, after = both(row["a"]["text"], row["b"]["text"])
    place = element("span", name(row["place"], 120), class_="remark") if row["place"] else None
    return element(
        "article",
        element("h3", name(row["id"], 80), " ", place),
        _part("Prompt", text_block(row["prompt"], class_="text prompt")),
        element(
            "div",
            _part("Reference", text_block(row["reference"])),
            _answer(a, row["a"]["score"], before),
            _answer(b, row["b"]["score"], after),
            class_="sides",
        ),
        class_="differs", data_row=row["row"],
    )  # fmt: skip


def _part(title: str, inner: Html) -> Html:
    return element("div", element("h4", title), inner)


def _answer(run: int, score: float | None, shown: Html) -> Html:
    return element(
        "div", element("h4", f"Run {run}: {number(score)}"), shown, data_run=run
    )  # fmt: skip
