"""Statistics of rows for a terminal: one table of splits, bars for fields, a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from harness.kit.blocks import Column, Table, table
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.text import one_line
from harness_rows.commands.data.findings import counted
from harness_rows.sampling import long_rows_said

SHOWN = 12
"""Values of a field that are shown."""
FEW = 2
"""Rows that a value has on average; where it has fewer, the values are not shown one by one."""
VALUE = 28
REST = ("pool", "dev", "test")

Document = Mapping[str, Any]


def show(document: Document, console: Console) -> None:
    """All of it, see :func:`harness_rows.commands.data.statistics.statistics`."""
    tables.note(console, f"{document['data']}: {counted(document['rows'])}", "bold")
    for line in document["problems"]:
        tables.note(console, f"problem: {line}", "red")
    console.print()
    with_tokens = any(part["prompt"] for part in document["splits"])
    draw_rows(_splits(document["splits"], with_tokens=with_tokens), console)
    if with_tokens:
        tables.note(console, "tokens: median / 95 % / longest", "dim")
    console.print()
    for line in _sentences(document):
        tables.note(console, line)
    for field in document["fields"]:
        name = one_line(field["name"], 60)
        unread = (
            "" if field["used"] else f"  (no role reads it; --column meta={name} makes a field)"
        )
        tables.head(console, name + unread)
        if len(field["values"]) > sum(field["totals"].values()) / FEW:
            tables.note(console, f"{len(field['values']):,} different values: no field to balance")
        else:
            draw_rows(_bars(field), console)


def _splits(splits: Sequence[Document], *, with_tokens: bool) -> Table:
    columns = ["prompt tokens", "answer tokens"] if with_tokens else []
    titles = ("split", "rows", "groups", *columns)
    rows = (
        (
            part["split"] or "(none)", f"{part['rows']:,}", f"{part['groups']:,}",
            *([_spread(part["prompt"]), _spread(part["answer"])] if with_tokens else []),
        )
        for part in splits
    )  # fmt: skip
    return table(titles, rows, right=titles[1:], caption="rows by split")


def _spread(of: Document | None) -> str:
    return "-" if of is None else f"{of['median']:,} / {of['most']:,} / {of['longest']:,}"


def _sentences(document: Document) -> Iterator[str]:
    tokens, repeats, answers = document["tokens"], document["repeats"], document["answers"]
    if tokens["why"]:
        yield f"Tokens are not counted: {one_line(tokens['why'], 300)}."
    else:
        few = tokens["rows"] < tokens["of"]
        some = f" of {tokens['rows']:,} rows, the longest of each split among them," if few else ""
        model = one_line(tokens["model"], 80)
        yield f"Tokens{some} are those of {model}, its chat template included."
        if tokens["shortened"]:
            yield f"{long_rows_said(tokens['shortened'])}."
    if languages := document["languages"]:
        named = ", ".join(f"{code} {100 * share:.0f} %" for code, share in languages.items())
        yield f"Languages: {named} (of {document['judged']:,} texts that were judged)."
    else:
        yield "Languages: the texts are too short to say."
    if set(document["turns"]) != {1}:
        turns = ", ".join(f"{count:,} with {number}" for number, count in document["turns"].items())
        yield f"User turns: {one_line(turns, 200)}."
    yield f"Repeats: {repeats['exact']:,} exact (prompt and answer)."
    if repeats["leaks"]:
        yield (
            f"Leaks: {repeats['leaks']:,} rows of train or pool ask what a row of dev or test asks "
            "(harness data check)."
        )
    if count := repeats["conflicts"]:
        prompts = "1 prompt has" if count == 1 else f"{count:,} prompts have"
        yield f"Conflicts: {prompts} different answers ({repeats['conflict_rows']:,} rows)."
    if answers["kind"]:
        distinct, rows = answers["distinct"], document["rows"]
        yield f"Answers: {answers['kind']}; {distinct:,} of {rows:,} are different."
    if answers["frequent"] and answers["kind"] != "labels":
        named = ", ".join(
            f"{one_line(text, 40) or '(blank)'} {n:,}" for text, n in answers["frequent"]
        )
        more = ", …" if len(answers["frequent"]) < answers["distinct"] else ""
        yield f"Frequent answers: {named}{more}"


def _bars(field: Document) -> Table:
    """A row for each value: its rows by split, and its shares of train and of the rest as bars."""
    totals = field["totals"]
    splits = [name for name in ("train", "valid", *REST) if totals.get(name)]
    compared = bool(totals.get("train") and any(map(totals.get, REST)))
    bars = ["share of train", "of the others"] if compared else ["share"]
    rows = []
    for value in field["values"]:
        counts = [f"{value['rows'].get(split, 0):,}" for split in splits]
        shares = _shares(value["rows"], totals)
        rows.append((
            one_line(value["value"], VALUE) or "(blank)",
            *(counts or [f"{sum(value['rows'].values()):,}"]),
            *(shares if compared else [max(shares)]),
        ))  # fmt: skip
    columns = (
        Column("", "word"), *(Column(name, "number") for name in splits or ["rows"]),
        *(Column(title, "bar", spare=1) for title in bars),
    )  # fmt: skip
    return Table(columns, tuple(rows), field["name"], SHOWN, "--json has all")


def _shares(rows: Mapping[str, int], totals: Mapping[str, int]) -> tuple[float, float]:
    """A value's share of train, and of pool, dev and test; without splits, of all and 0."""
    train, rest = totals.get("train", 0), sum(totals.get(split, 0) for split in REST)
    if not train and not rest:
        return sum(rows.values()) / sum(totals.values()), 0.0
    others = sum(rows.get(split, 0) for split in REST)
    return rows.get("train", 0) / train if train else 0.0, others / rest if rest else 0.0
