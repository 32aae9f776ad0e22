"""Statistics of rows for a terminal: one table of splits, bars for fields, a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.kit.text import one_line
from harness.terminal import tables
from harness_rows.commands.data.balance import REST, Field, Value, scarce
from harness_rows.commands.data.findings import counted
from harness_rows.commands.data.statistics import Statistics
from harness_rows.sampling import Spread

SHOWN = 12
"""Values of a field that are shown."""
MOST_SCARCE = 8
FEW = 2
"""Rows that a value has on average; where it has fewer, the values are not shown one by one."""
VALUE = 28
BAR = 40
"""Cells of a bar at most."""
FULL, LIGHT, PLAIN = "█", "░", ("#", ".")
LEAST_BAR = 8


def show(found: Statistics, console: Console, *, every: bool) -> None:
    """All of it."""
    for sentence in found.format:
        tables.note(console, sentence, "dim")
    tables.note(console, f"{found.data}: {counted(found.rows)}", "bold")
    for line in found.problems:
        tables.note(console, f"problem: {line}", "red")
    console.print()
    console.print(_splits(found))
    if any(part.prompt for part in found.splits):
        tables.note(console, "tokens: median / 95 % / longest", "dim")
    console.print()
    for line in _sentences(found):
        tables.note(console, line)
    if found.answers.frequent and found.answers.kind != "labels":
        tables.note(console, _frequent(found))
    if compared := any(map(_is_compared, found.fields)):
        marks = PLAIN if console.options.ascii_only else (FULL, LIGHT)
        tables.note(
            console,
            f"bars: {marks[0]} share of train, {marks[1]} up to the share of pool, dev and test "
            "together",
            "dim",
        )
    for field in found.fields:
        tables.head(console, _title(field))
        if len(field.values) > sum(field.totals.values()) / FEW:
            tables.note(console, f"{len(field.values):,} different values: no field to balance")
        else:
            console.print(_bars(field, console, every=every))
    if compared:
        _show_scarce(found.fields, console)


def _is_compared(field: Field) -> bool:
    """Whether it has rows in train and in another split."""
    return bool(field.totals.get("train") and any(map(field.totals.get, REST)))


def _splits(found: Statistics) -> Table:
    with_tokens = any(part.prompt for part in found.splits)
    columns = ["prompt tokens", "answer tokens"] if with_tokens else []
    shown = tables.table("split", "rows", "groups", *columns, right=("rows", "groups", *columns))
    for part in found.splits:
        spreads = [_spread(part.prompt), _spread(part.answer)] if with_tokens else []
        name = part.split or "(none)"
        shown.add_row(name, f"{part.rows:,}", f"{part.groups:,}", *spreads)
    return shown


def _spread(of: Spread | None) -> str:
    return "-" if of is None else f"{of.median:,} / {of.most:,} / {of.longest:,}"


def _sentences(found: Statistics) -> Iterator[str]:
    tokens = found.tokens
    if tokens.why:
        yield f"Tokens are not counted: {one_line(tokens.why, 300)}."
    else:
        some = (
            f" of {tokens.rows:,} rows, the longest among them" if tokens.rows < tokens.of else ""
        )
        yield f"Tokens{some} are those of {one_line(tokens.model, 80)}, its chat template included."
    yield _languages(found)
    turns = ", ".join(f"{count:,} with {number}" for number, count in found.turns.items())
    if set(found.turns) != {1}:
        yield f"User turns: {one_line(turns, 200)}."
    yield from _repeated(found)


def _languages(found: Statistics) -> str:
    if not found.languages:
        return "Languages: the texts are too short to say."
    named = ", ".join(f"{code} {100 * share:.0f} %" for code, share in found.languages.items())
    return f"Languages: {named} (of {found.judged:,} texts that were judged)."


def _repeated(found: Statistics) -> Iterator[str]:
    repeats = found.repeats
    some = "" if repeats.compared == repeats.of else f" among {repeats.compared:,} prompts"
    yield (
        f"Repeats: {repeats.exact:,} exact (prompt and answer); {repeats.near:,} rows with a near "
        f"repeat{some}."
    )
    if repeats.leaks or repeats.near_leaks:
        yield (
            f"Leaks: {repeats.leaks:,} rows of train or pool ask what a row of dev or test asks, "
            f"{repeats.near_leaks:,}{some} nearly so (harness data check)."
        )
    if repeats.conflicts:
        prompts = (
            "1 prompt has" if repeats.conflicts == 1 else f"{repeats.conflicts:,} prompts have"
        )
        yield f"Conflicts: {prompts} different answers ({repeats.conflict_rows:,} rows)."
    answers = found.answers
    if answers.kind:
        yield f"Answers: {answers.kind}; {answers.distinct:,} of {found.rows:,} are different."


def _frequent(found: Statistics) -> str:
    named = [f"{one_line(text, 40) or '(blank)'} {n:,}" for text, n in found.answers.frequent]
    more = ", …" if len(named) < found.answers.distinct else ""
    return f"Frequent answers: {', '.join(named)}{more}"


def _title(field: Field) -> str:
    name = one_line(field.name, 60)
    return name if field.used else f"{name}  (no role reads it; --column meta={name} makes a field)"


def _bars(field: Field, console: Console, *, every: bool) -> Table:
    """A row for each value: its rows by split, and its share of train beside that of the rest."""
    splits = [name for name in ("train", "valid", *REST) if field.totals.get(name)]
    names = splits or ["rows"]
    shown = tables.table("", *names, "", right=names)
    values = field.values if every else field.values[:SHOWN]
    cells = [_counts(value, splits) for value in values]
    room = _room(values, cells, names, console.width)
    top = max((max(_shares(value, field)) for value in values), default=0.0)
    for value, counts in zip(values, cells, strict=True):
        bar = _bar(value, field, top, room, plain=console.options.ascii_only)
        shown.add_row(Text(one_line(value.value, VALUE) or "(blank)"), *counts, bar)
    rest = len(field.values) - len(values)
    if rest:
        shown.add_row(Text(f"{rest:,} more (--all)", "dim"), *([""] * len(names)), "")
    return shown


def _counts(value: Value, splits: Sequence[str]) -> list[str]:
    if not splits:
        return [f"{sum(value.rows.values()):,}"]
    return [f"{value.rows.get(split, 0):,}" for split in splits]


def _room(
    values: Sequence[Value], cells: Sequence[Sequence[str]], names: Sequence[str], width: int
) -> int:
    """Cells that a bar may have."""
    titles = max((min(len(value.value), VALUE) for value in values), default=0)
    numbers = [max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(names)]
    taken = max(titles, len("00 more (--all)")) + sum(numbers) + tables.GAP * (len(names) + 1)
    return min(BAR, max(LEAST_BAR, width - taken - len(" scarce")))


def _shares(value: Value, field: Field) -> tuple[float, float]:
    """Its share of train, and of pool, dev and test together; without splits, of all and 0."""
    (mine, train), (others, rest) = _of_train(value, field), _of_rest(value, field)
    if not train and not rest:
        return sum(value.rows.values()) / sum(field.totals.values()), 0.0
    return mine / train if train else 0.0, others / rest if rest else 0.0


def _of_train(value: Value, field: Field) -> tuple[int, int]:
    """Rows of train that have the value, and that have any."""
    return value.rows.get("train", 0), field.totals.get("train", 0)


def _of_rest(value: Value, field: Field) -> tuple[int, int]:
    """The same of pool, dev and test together."""
    return sum(value.rows.get(s, 0) for s in REST), sum(field.totals.get(s, 0) for s in REST)


def _bar(value: Value, field: Field, top: float, room: int, *, plain: bool) -> Text:
    """Full up to its share of train, light from there to its share of the rest."""
    train, rest = _shares(value, field)
    full = round(room * train / top) if top else 0
    light = max(round(room * rest / top) - full, 0) if top else 0
    marks = PLAIN if plain else (FULL, LIGHT)
    bar = Text.assemble((marks[0] * full, "cyan"), (marks[1] * light, "dim"))
    return bar.append(" scarce", "yellow") if value.scarce is not None else bar


def _show_scarce(fields: Sequence[Field], console: Console) -> None:
    found = list(scarce(fields))
    if found:
        console.print()
    for field, value in found[:MOST_SCARCE]:
        (mine, train), (others, rest) = _of_train(value, field), _of_rest(value, field)
        tables.note(
            console,
            f"scarce in train: {one_line(field.name, 40)} = {one_line(value.value, 60)}, "
            f"{mine:,} of {train:,} rows ({100 * mine / train:.1f} %), and {others:,} of {rest:,} "
            f"elsewhere ({100 * others / rest:.1f} %)",
            "yellow",
        )
    if len(found) > MOST_SCARCE:
        tables.note(console, f"and {len(found) - MOST_SCARCE:,} more values", "dim")
