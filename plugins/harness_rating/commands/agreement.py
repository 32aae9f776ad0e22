"""``harness rate agreement``: how far raters agree, and what each of them is like."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from harness import Criterion
from harness.kit.blocks import Cell, Column, Table, table
from harness.kit.numbers import DASH
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.options import Json
from harness.kit.text import one_line
from harness_rating.batches.records import Batch, Rating
from harness_rating.commands.options import BatchName, chosen, write_json
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.scales import label, options

TITLE = 22
"""Characters of a criterion's title in a table."""
LABEL = 40
MOST_VALUES = 12
"""Different numbers that are counted one by one."""
LEVELS = "▁▂▃▄▅▆▇█"

Document = Mapping[str, Any]


def agreement(name: BatchName = None, as_json: Json = False) -> None:
    """How far raters agree, how severe and how steady each is."""
    from harness_rating.agreement.document import agreement_of

    folder = RatingsFolder()
    batch = chosen(name, folder)
    ratings = [rating for rater in batch.raters for rating in folder.last_ratings(batch, rater)]
    document = agreement_of(batch, ratings, seconds=folder.seconds(batch))
    if as_json:
        write_json(document)
    elif not ratings:
        show_unrated(batch)
    else:
        _show(document, batch, ratings, Console())


def show_unrated(batch: Batch) -> None:
    """One sentence instead of tables without a figure."""
    console = Console()
    tables.note(console, f"{batch.name}: no item is rated yet.")
    tables.next_command(console, shlex.join(["harness", "rate", "serve", batch.name]))


def _show(document: Document, batch: Batch, ratings: Sequence[Rating], console: Console) -> None:
    from harness_rating.agreement.text import duration, remarks

    tables.head(console, f"{document['batch']} ({document['items']:,} items)")
    draw_rows(_figures(document, console.width), console)
    console.print()
    draw_rows(_raters(document, _rated(batch, ratings)), console)
    console.print()
    draw_rows(_values(document, batch, console.width, plain=console.options.ascii_only), console)
    console.print()
    for sentence in remarks(document):
        tables.note(console, sentence)
    if document["time"]["items"]:
        tables.note(console, duration(document["time"]))


def _parts(document: Document) -> list[tuple[str, Document]]:
    """Every criterion by its title, and the overall score."""
    parts = [(_title(part["title"]), part) for part in document["criteria"]]
    return [*parts, ("Overall", document["overall"])] if document["overall"] else parts


def _title(text: str) -> str:
    return one_line(text, TITLE) or "(no title)"


def _figures(document: Document, width: int) -> Table:
    """Alpha, kappa and raw agreement of each criterion."""
    numbers = ("alpha [95 %]", "kappa [95 %]", "raw", "n")
    rows = (
        (
            title,
            tables.span(part["alpha"], 2),
            tables.span(part["kappa"]["mean"], 2),
            tables.percent(part["raw"], alone=width < tables.WIDE),
            f"{part['items_rated_twice']:,}",
        )
        for title, part in _parts(document)
    )
    return table(["", *numbers], rows, right=numbers, caption="how far raters agree")


# -- raters -------------------------------------------------------------------------------------


def _rated(batch: Batch, ratings: Sequence[Rating]) -> dict[str, int]:
    """Rater -> items with a rating of theirs, hidden repeats left out."""
    originals = set(batch.originals)
    places = {(rating.rater, rating.item) for rating in ratings if rating.item in originals}
    counts = Counter(rater for rater, _ in places)
    return {rater: counts[rater] for rater in batch.raters}


def _raters(document: Document, rated: Mapping[str, int]) -> Table:
    """Severity in the overall score, repeats over all criteria, time."""
    severity = document["overall"]["severity"] if document["overall"] else ()
    columns: dict[str, Mapping[str, str]] = {
        "overall severity [95 %]": {
            row["rater"]: tables.span(row, 2, sign=True) for row in severity
        },
        "same again": {
            rater: f"{same} of {count}" for rater, (same, count) in _repeats(document).items()
        },
        "s/item": {row["rater"]: f"{row['median']:.0f}" for row in document["time"]["raters"]},
        "items": {rater: f"{count:,}" for rater, count in rated.items()},
    }
    columns = {title: cells for title, cells in columns.items() if cells}
    rows = (
        (rater, *(cells.get(rater, DASH) for cells in columns.values()))
        for rater in document["raters"]
    )
    caption = "what each rater is like"
    return table(["rater", *columns], rows, right=columns, caption=caption)


def _repeats(document: Document) -> dict[str, tuple[int, int]]:
    """Rater -> values of hidden repeats that were the same again, of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for part in document["criteria"]:
        for row in part["consistency"]:
            same, count = counts.get(row["rater"], (0, 0))
            more = round(row["same"] * row["repeats"])
            counts[row["rater"]] = same + more, count + row["repeats"]
    return counts


# -- values -------------------------------------------------------------------------------------


def _values(document: Document, batch: Batch, width: int, *, plain: bool) -> Table:
    """How often each value was given; each value stays on one line with its count."""
    parts: list[tuple[str, str, list[str]]] = []
    for part in document["criteria"]:
        counts = {entry["value"]: entry["ratings"] for entry in part["distribution"]}
        scale = _scale(batch.rubric.criterion(part["id"]), counts)
        bars = "" if plain else _bars([counts.get(value, 0) for value in scale])
        parts.append((_title(part["title"]), bars, _counted(scale, counts)))
    titles = max((cell_len(title) for title, _, _ in parts), default=0) + tables.GAP
    widest = max((cell_len(bars) for _, bars, _ in parts), default=0) + tables.GAP
    room = width - titles - widest
    rows: list[tuple[Cell, ...]] = [
        (title, bars, tuple(_lines(pieces, room))) for title, bars, pieces in parts
    ]
    columns = (Column(""), Column("", "word"), Column("values given, and how often"))
    return Table(columns, tuple(rows), "how often each value was given")


def _lines(pieces: Sequence[str], room: int) -> Iterator[str]:
    """The pieces side by side, in lines of so many cells."""
    line = ""
    for piece in pieces:
        longer = f"{line} · {piece}" if line else piece
        if line and cell_len(longer) > room:
            yield line
            longer = piece
        line = longer
    yield line


def _scale(criterion: Criterion, counts: Mapping[Any, int]) -> list[Any]:
    """Every value that the scale has, in its order; of a range those that were given."""
    if criterion.scale.kind == "binary":
        return [False, True]
    values = [option.value for option in options(criterion)]
    return values or sorted(value for value in counts if value is not None)


def _bars(counts: Sequence[int]) -> str:
    """A column for each value, as high as the value is frequent."""
    most = max(counts, default=0)
    if not most or len(counts) > MOST_VALUES:
        return ""
    return "".join(LEVELS[round((len(LEVELS) - 1) * count / most)] for count in counts)


def _counted(scale: Sequence[Any], counts: Mapping[Any, int]) -> list[str]:
    """``1: 16``, ``2: 32``; of many different numbers only how far they reach."""

    def shown(value: Any) -> str:
        return one_line(label(value), LABEL)

    if len(scale) > MOST_VALUES:
        pieces = [f"{len(scale)} values from {shown(scale[0])} to {shown(scale[-1])}"]
        often = max(scale, key=lambda value: counts.get(value, 0))
        if often in counts:  # of a scale with so many levels perhaps none was given
            pieces.append(f"most often {shown(often)} ({counts[often]:,}x)")
    else:
        pieces = [f"{shown(value)}: {counts.get(value, 0):,}" for value in scale]
    if None in counts:
        pieces.append(f"cannot judge: {counts[None]:,}")
    return pieces
