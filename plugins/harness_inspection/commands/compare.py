"""Compare two rounds of a run, or two runs: is B better than A?"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Optional

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.kit.terms import CHOSEN
from harness.kit.text import one_line
from harness.terminal import tables
from harness.terminal.comparisons import ComparedScore, comparison_table
from harness.terminal.options import Json

AFTER = "why"

app = typer.Typer()

VALUE = 40
"""Characters of a value of the configuration."""

Document = Mapping[str, Any]


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="a round of a run, or a run")],
    second: Annotated[str, typer.Argument(metavar="B", help="what is compared with it")],
    run: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--run", metavar="RUN", help="whose rounds (default: the latest run's)"),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, metavar="N", help="most ids, keys and rows of each list shown"
        ),
    ] = 10,
    as_json: Json = False,
) -> None:
    """Compare two rounds of a run, or two runs: is B better than A?

    Of two runs the kept rounds are compared, on the rows of dev that both have.
    """
    from harness_inspection.comparison import compare as compared
    from harness_inspection.sides import pair

    found = compared(*pair(first, second, run))
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        return
    _show(found, Console(), limit)


def _show(found: Document, console: Console, limit: int) -> None:
    _show_head(found, console)
    if found["metrics"]:
        console.print(_metrics(found, console.width))
    _show_doubts(found, console)
    _show_changed(found, console, limit)
    _show_phrases(found["phrases"], found["n"], console, limit)
    _show_config(found["config"], console, limit)
    _show_data(found["data"], console, limit)
    console.print()
    tables.note(console, _caution(found))
    worth_reading = (found["broken"] or found["fixed"] or [])[:1]
    if worth_reading:
        name = worth_reading[0]["id"]
        guard = ["--"] if name.startswith("-") else []
        command = ["harness", "why", *guard, name, found["b"]["run"]]
        tables.next_command(console, shlex.join(command))


def _show_head(found: Document, console: Console) -> None:
    a, b = found["a"], found["b"]
    for letter, side in (("B", b), ("A", a)):
        title = Text.assemble((f"{letter} ", "bold"), _title(side))
        console.print(title, highlight=False, soft_wrap=True)
    tables.note(console, f"{found['n']:,} rows of dev in {found['groups']:,} groups{_left(found)}")
    console.print()


def _title(side: Document) -> str:
    kept = ", kept" if side["kept"] else ""
    kept += f": {CHOSEN}" if side["chosen"] else ""
    rows = f"{side['train_rows']:,} training rows" if side["round"] else "untouched"
    return f"round {side['round']} of {one_line(side['run'], 80)} ({rows}{kept})"


def _left(found: Document) -> str:
    """Rows that only one side has."""
    parts = [
        f"{found[f'only_{side}']:,} of {side.upper()}" for side in "ab" if found[f"only_{side}"]
    ]
    return f"; left out, since the other has none like it: {' and '.join(parts)}" if parts else ""


def _metrics(found: Document, width: int) -> Table:
    scores = []
    for name, one in found["metrics"].items():
        arrow = "" if one["higher_is_better"] else " (lower = better)"
        bold = "bold" if name == found["primary"] else ""
        shown = Text.assemble((one_line(name, tables.ID_LIMIT), bold), (arrow, "dim"))
        scale = max(abs(one["a"] or 0.0), abs(one["b"] or 0.0))
        scores.append(ComparedScore(shown, one["a"], one["b"], one, one.get("caveat") or "", scale))
    return comparison_table(scores, ["A", "B", "B - A", "p"], width)


def _show_doubts(found: Document, console: Console) -> None:
    """Why scores cannot be compared, each reason once."""
    reasons: dict[str, list[str]] = {}
    for name, one in found["metrics"].items():
        if one["doubt"]:
            reasons.setdefault(f"no conclusion: {one['doubt']}", []).append(name)
    for name, reason in found["not_comparable"].items():
        reasons.setdefault(f"not comparable: {reason}", []).append(name)
    for reason, names in reasons.items():
        tables.note(console, f"{', '.join(names)}: {reason}", "yellow")


def _show_changed(found: Document, console: Console, limit: int) -> None:
    tables.head(console, "answers")
    tables.block(console, f"the same word for word: {found['same_answer']:,} of {found['n']:,}")
    if found["fixed"] is None:
        doubt = one_line(found["changes_doubt"], 600)
        tables.block(console, f"fixed and broken cannot be told: {doubt}")
        return
    for kind, style in (("fixed", "green"), ("broken", "red")):
        rows = found[kind]
        shown = [
            f"{one['id']} ({tables.value(one['a'])} -> {tables.value(one['b'])})"
            for one in rows[:limit]
        ]
        which = f"  {_some(shown, len(rows))}" if rows else ""
        tables.block(console, Text.assemble((f"{kind}: {len(rows):,}", style), which))


def _some(shown: Sequence[str], total: int) -> str:
    rest = f", and {total - len(shown):,} more" if total > len(shown) else ""
    return ", ".join(one_line(text, 240) for text in shown) + rest


def _show_phrases(found: Document, answers: int, console: Console, limit: int) -> None:
    tables.head(console, "words that one uses more (answers of A, of B)")
    if min(found["read_a"], found["read_b"]) < answers:
        read = f"{found['read_a']:,} answers of A and {found['read_b']:,} of B"
        tables.block(console, f"counted in {read}, evenly spaced, of {answers:,}")
    if not found["a"] and not found["b"]:
        tables.block(console, "none that stands out")
        return
    shown = tables.table("more in A", "A", "B", "more in B", "A", "B", right=["A", "B"])
    for place in range(min(limit, max(len(found["a"]), len(found["b"])))):
        shown.add_row(*_phrase(found["a"], place), *_phrase(found["b"], place))
    console.print(shown)


def _phrase(side: Sequence[Document], place: int) -> tuple[Text, str, str]:
    if place >= len(side):
        return Text(), "", ""
    one = side[place]
    return Text(one_line(one["phrase"], 60)), f"{one['a']:,}", f"{one['b']:,}"


def _show_config(found: Sequence[Document], console: Console, limit: int) -> None:
    tables.head(console, "configuration")
    if not found:
        tables.block(console, "the same")
        return
    shown = tables.table("key", "A", "B")
    for one in found[:limit]:
        cells = [_value(one[side]) for side in "ab"]
        shown.add_row(tables.name(one["key"]), *cells)
    console.print(shown)
    if len(found) > limit:
        tables.note(console, f"and {len(found) - limit:,} more keys: --limit N", "dim")


def _value(value: Any) -> Text:
    if value is None:
        return Text("-", style="dim")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(one_line(text, VALUE))


def _show_data(found: Document, console: Console, limit: int) -> None:
    tables.head(console, "training rows")
    counts = [f"{len(found[kind]):,} {kind}" for kind in ("added", "removed", "changed")]
    tables.block(
        console, f"A {found['rows_a']:,}, B {found['rows_b']:,}: {', '.join(counts)} from A to B"
    )
    if found["added"]:
        makers = [f"{by} ({count:,})" for by, count in found["added_by"].items()]
        tables.block(console, one_line(f"added by: {', '.join(makers)}", 600))
    for kind in ("added", "removed", "changed"):
        if found[kind] and found["rows_a"] and found["rows_b"]:
            some = _some(found[kind][:limit], len(found[kind]))
            tables.block(console, f"{kind}: {some}")


def _caution(found: Document) -> str:
    sentence = (
        "Each score is judged alone at 5 %, on rows that may have been looked at before; a run's "
        "own verdicts are stricter."
    )
    b, a = found["b"], found["a"]
    same = a["run"] == b["run"] and b["verdict"]["against"] == f"round {a['round']}"
    return f"{sentence} Its verdict here: {b['verdict']['sentence']}" if same else sentence
