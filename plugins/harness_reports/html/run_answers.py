"""The answers that differ between a run and the one that it is set against, or one of its arms and
baselines, side by side."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.kit.numbers import counted, number
from harness.kit.text import one_line
from harness_reports.figures import Document
from harness_reports.html.diff import both
from harness_reports.html.markup import Child, Html, element, name, text_block

BUDGET = 1_400_000
"""Bytes that answers of runs may take; the pairs beyond are counted and left out."""
BESIDE_BUDGET = 600_000
"""Bytes that answers of arms and baselines may take."""
ALL_ANSWERS = (
    """harness query "SELECT arm, id, text FROM predictions WHERE split = 'dev' ORDER BY id" RUN"""
)
"""Those of arms and baselines too."""
KINDS = ("baseline", "arm")
"""What stands beside the rounds of a run, in the order of its rows."""

Beside = tuple[str, str]
"""Kind and name."""


class Sides(NamedTuple):
    """Two sides that answer the same rows.

    Attributes:
        a, b: what they are called.
        id: of the place on the page.
        command: tells more of them.
        runs: their numbers, where both are runs; the script puts these together in other pairs.
    """

    a: str
    b: str
    id: str
    command: str
    runs: tuple[int, int] | None = None


def beside_id(number_: int, kind: str, place: int) -> str:
    """Where the answers of a run's arm or baseline stand on the page, counted as they are drawn."""
    return f"answers-{number_}-{kind}-{place}"


def drawn_beside(
    document: Mapping[str, Any], numbers: Mapping[str, int]
) -> dict[str, dict[Beside, Html]]:
    """Run -> each baseline and arm -> its answers beside those of the best round, folded away."""
    pairs = [(kind, pair) for kind in KINDS for pair in document.get(f"{kind}_answers") or ()]
    shown: dict[str, dict[Beside, Html]] = {}
    left = BESIDE_BUDGET
    for kind, pair in sorted(pairs, key=lambda one: -numbers[one[1]["run"]]):
        number_, found = numbers[pair["run"]], shown.setdefault(pair["run"], {})
        sides = Sides(
            f"Run {number_}", f"{kind.capitalize()} {one_line(pair[kind], 80)}",
            beside_id(number_, kind, len(found)),
            shlex.join(["harness", "report", pair["run"], "--full"]),
        )  # fmt: skip
        drawn = _folded(pair, sides)
        left -= len(drawn.encode("utf-8"))
        if left < 0:
            break
        found[kind, pair[kind]] = drawn
    return shown


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


def answers_section(
    document: Mapping[str, Any], pairs: Mapping[int, Html],
    beside: Mapping[str, Mapping[Beside, Html]],
) -> Iterator[Html]:  # fmt: skip
    """The pairs under a heading, and how many of runs, and of arms and baselines, are left out."""
    if not document.get("answers") and not beside:
        return
    yield element("h2", "Answers that differ", id="answers")
    yield element(
        "p", "Answers to rows of dev: of the best rounds of each run and the one that it is set "
        "against, and of a run's best round and its baselines and arms; the widest change of the "
        "primary score first, a loss and a gain in turn. Marked: words that the other answer "
        "lacks. Two other runs are chosen by their boxes above.",
        class_="note",
    )  # fmt: skip
    yield from pairs.values()
    yield from (drawn for of_run in beside.values() for drawn in of_run.values())
    beyond = len(document["answers"]) - len(pairs) + document.get("answers_left_out", 0)
    if beyond:
        yield _left_out(counted(beyond, "more pair"), "harness compare RUN OTHER")
    known = sum(
        len(document.get(f"{kind}_answers") or ()) + document.get(f"{kind}_answers_left_out", 0)
        for kind in KINDS
    )
    if beyond := known - sum(map(len, beside.values())):
        yield _left_out(f"{beyond:,} more of arms and baselines", ALL_ANSWERS)


def _left_out(what: str, command: str) -> Html:
    told = f"{what} left out, to keep this page small: "
    return element("p", told, element("code", command), class_="note")


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
    command = shlex.join(["harness", "compare", pair["a"], pair["b"]])
    sides = Sides(f"Run {a}", f"Run {b}", f"answers-{b}", command, (a, b))
    return _folded(pair, sides)


def _folded(pair: Document, sides: Sides) -> Html:
    head = [element("b", f"{sides.b} against {sides.a[:1].lower()}{sides.a[1:]}"), ": ",
            _counts(pair, sides)]  # fmt: skip
    beyond = pair["rows"] - pair["same"] - len(pair["shown"])
    more = f"{beyond:,} more differ: " if beyond else "With statistics: "
    inner = element(
        "div",
        [_row(row, sides) for row in pair["shown"]],
        element("p", more, element("code", name(sides.command, 400)), class_="note"),
        id=sides.id,
    )
    runs = sides.runs
    return element(
        "details", element("summary", head), inner, class_="two-sides",
        data_pair=f"{runs[0]} {runs[1]}" if runs else None,
    )  # fmt: skip


def _counts(pair: Document, sides: Sides) -> Child:
    if pair["why"]:
        return name(pair["why"], 300)
    count = pair["rows"] - pair["same"]
    told = f"{count:,} of {pair['rows']:,} answers differ"
    if not count:
        return f"the same {counted(pair['rows'], 'answer')}"
    if pair["better"] is None:
        return f"{told}; scored by other measures, so not subtracted"
    who = f"{sides.b[:1].lower()}{sides.b[1:]}"
    return f"{told}; {who} scores better on {pair['better']:,}, worse on {pair['worse']:,}"


def _row(row: Document, sides: Sides) -> Html:
    before, after = both(row["a"]["text"], row["b"]["text"])
    place = element("span", name(row["place"], 120), class_="remark") if row["place"] else None
    return element(
        "article",
        element("h3", name(row["id"], 80), " ", place),
        _part("Prompt", text_block(row["prompt"], class_="text prompt")),
        element(
            "div",
            _part("Reference", text_block(row["reference"])),
            _answer(sides, 0, row["a"]["score"], before),
            _answer(sides, 1, row["b"]["score"], after),
            class_="sides",
        ),
        class_="differs", data_row=row["row"],
    )  # fmt: skip


def _part(title: str, inner: Html) -> Html:
    return element("div", element("h4", title), inner)


def _answer(sides: Sides, place: int, score: float | None, shown: Html) -> Html:
    who = (sides.a, sides.b)[place]
    run = sides.runs[place] if sides.runs else None
    return element("div", element("h4", f"{who}: {number(score)}"), shown, data_run=run)
