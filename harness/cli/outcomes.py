"""``harness rate verdict``: which round people prefer, and how sure that is."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.cli import tables
from harness.cli.rate import chosen
from harness.progress import COLOURS
from harness.rating import events
from harness.records import BASE_ARM
from harness.text import one_line
from harness.watcher import Quiet

TITLE = 22
"""Characters of a criterion's title in a table."""
ARM = 12

Document = Mapping[str, Any]


def verdict(name: str | None, as_json: bool) -> None:
    """Print what the ratings of a batch say of its rounds."""
    from harness.rating.outcomes import outcomes_of
    from harness.replay import opened
    from harness.verdicts import level

    batch = chosen(name)
    planned = opened(batch.run, Quiet()).config.settings.rounds
    ratings = [*events.ratings(batch), *events.settled(batch)]
    found = outcomes_of(batch, ratings, level=level(planned))
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1, allow_nan=False) + "\n")
        return
    _show(found, Console())


def _show(found: Document, console: Console) -> None:
    tables.head(console, f"{found['batch']} (rubric {found['rubric']}, of {found['run']})")
    shown = _comparisons(found, console.width) if found["comparisons"] else None
    if any(one["n"] for one in found["scores"]) and shown is None:
        shown = _scores(found)
    if shown is not None:
        console.print(shown)
        console.print()
    if found["position"] and found["position"]["n"]:
        tables.note(console, _position(found["position"]))
    # A criterion's line in the table is enough; its sentence is in the document.
    beside = {one["sentence"] for one in found["comparisons"] if one["criterion"]}
    for sentence in found["sentences"]:
        if sentence not in beside:
            tables.note(console, sentence)
    if shown is None:
        tables.next_command(console, shlex.join(["harness", "rate", "status", found["batch"]]))


def _comparisons(found: Document, width: int) -> Table:
    wide = width >= tables.WIDE and any(one["difference"] for one in found["comparisons"])
    numbers = ["won/tied/lost", "win rate [95 %]", "difference [95 %]"][: 3 if wide else 2]
    shown = tables.table("", "rounds", *numbers, "", right=numbers)
    for one in found["comparisons"]:
        cells = [f"{one['wins']:,}/{one['ties']:,}/{one['losses']:,}", _span(one["win_rate"], 2)]
        if wide:
            cells.append(_span(one["difference"], 3, sign=True))
        shown.add_row(
            _title(one),
            _rounds(one),
            *cells,
            Text(one["label"], style=COLOURS[one["label"]]),
        )
    return shown


def _scores(found: Document) -> Table:
    numbers = ["score [95 %]", "answers", "groups", "unrated"]
    shown = tables.table("", "round", *numbers, right=["round", *numbers])
    for one in found["scores"]:
        counts = (f"{one[key]:,}" for key in ("n", "groups", "unrated"))
        shown.add_row(_title(one), f"{one['round']}{_arm(one)}", _span(one, 3), *counts)
    return shown


def _title(one: Document) -> Text:
    title = one_line(one["title"], TITLE) or "(no title)"
    return Text(title, style="" if one["criterion"] else "bold")


def _rounds(one: Document) -> Text:
    return Text(f"{one['round']} vs {one['against']}{_arm(one)}")


def _arm(one: Document) -> str:
    return "" if one["arm"] == BASE_ARM else f" {one_line(one['arm'], ARM)}"


def _span(found: Document, places: int, *, sign: bool = False) -> str:
    """A value with its interval; a dash where there is none."""
    form = f"{'+' if sign else ''}.{places}f"
    if found["value"] is None:
        return "-"
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:{form}}"
    return f"{found['value']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"


def _position(found: Document) -> str:
    return (
        f"Of {found['n']:,} choices {found['a']:,} were for the answer shown first, "
        f"{found['b']:,} for the second, {found['tie']:,} for neither."
    )
