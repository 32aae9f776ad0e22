"""Where a run and the one that it is set against answer the same rows of dev differently.

The answers are those of their best rounds, from their databases. What is not there is not made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from harness.engine.run import REPORTS_FOLDER
from harness.errors import HarnessError
from harness.kit.files import digest
from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.report.queries import BEST_ANSWERS
from harness.report.reading import Document

PAIRS = 40
"""Of runs whose answers are read, the latest."""
ROWS = 30
"""That are told of each pair."""
TEXT_LIMIT = 1_200
"""Characters of each text."""


class _Row(NamedTuple):
    id: str
    place: str | None
    prompt: str | None
    messages: str
    references: Sequence[str]
    round: int
    text: str
    value: float | None


class _Stored(NamedTuple):
    """The rows that a run's best round answered, by id, or why they are not to be had."""

    rows: Mapping[str, _Row]
    why: str | None = None

    @property
    def round(self) -> int | None:
        """The best round when its database was made, which a run in progress may have passed."""
        return next((row.round for row in self.rows.values()), None)


def with_answers(document: Document) -> Document:
    """The document of all runs with ``answers``: the rows that two runs answer differently.

    A pair for each run and the one that it is set against, the latest first, as far as there is
    room.
    """
    runs = {run["run"]: run for run in document["runs"]}
    groups = {group["id"]: group for group in document["groups"]}
    pairs = [(runs[b["against"]], b) for b in reversed(document["runs"]) if b["against"]]
    read = functools.lru_cache(maxsize=16)(_stored)
    return {
        **document,
        "answers": [_pair(a, b, groups, read) for a, b in pairs[:PAIRS]],
        "answers_left_out": len(pairs[PAIRS:]),
    }


def _stored(run: str) -> _Stored:
    from harness.store.asking import open_database

    path = Path(REPORTS_FOLDER, run, "run.duckdb")
    try:
        with open_database(path) as ask:
            found = ask(BEST_ANSWERS).rows
    except HarnessError as error:
        why = "it has no database" if not path.exists() else one_line(error.what)
        return _Stored({}, f"answers of {run} cannot be shown: {why}")
    return _Stored({row[0]: _Row(*row) for row in found})


def _pair(
    a: Document, b: Document, groups: Mapping[str, Document], read: Callable[[str], _Stored]
) -> Document:
    before, after = read(a["run"]), read(b["run"])
    both = [
        (before.rows[name], row)
        for name, row in after.rows.items()
        if name in before.rows and _asked(before.rows[name]) == _asked(row)
    ]
    differing = [(old, new) for old, new in both if old.text != new.text]
    comparable = _measure(groups, a) == _measure(groups, b)
    sign = 1.0 if b["higher_is_better"] else -1.0
    gains = [_gain(old, new, sign) if comparable else None for old, new in differing]
    why = before.why or after.why
    return {
        "a": a["run"], "b": b["run"], "a_round": before.round, "b_round": after.round,
        "why": why if why or both else "the two have no row of dev in common",
        "rows": len(both),
        "same": len(both) - len(differing),
        "better": sum(gain > 0 for gain in gains if gain is not None) if comparable else None,
        "worse": sum(gain < 0 for gain in gains if gain is not None) if comparable else None,
        "shown": [_told(*differing[at]) for at in list(_order(gains))[:ROWS]],
    }  # fmt: skip


def _asked(row: _Row) -> tuple[str, Sequence[str]]:
    return row.messages, row.references


def _measure(groups: Mapping[str, Document], run: Document) -> tuple[str, Any]:
    group = groups[run["dev"]["group"]]
    return group["primary"], group["signature"]


def _gain(old: _Row, new: _Row, sign: float) -> float | None:
    if old.value is None or new.value is None:
        return None
    return sign * (new.value - old.value)


def _order(gains: Sequence[float | None]) -> Iterator[int]:
    """Places of the widest changes first, a loss and a gain in turn; then those without any."""
    known = [(abs(gain), gain < 0, at) for at, gain in enumerate(gains) if gain]
    widest = sorted(known, key=lambda one: (-one[0], one[2]))
    losses = [at for _, is_loss, at in widest if is_loss]
    others = [at for _, is_loss, at in widest if not is_loss]
    yield from (at for at in chain(*zip_longest(losses, others)) if at is not None)
    yield from (at for at, gain in enumerate(gains) if not gain)


def _told(old: _Row, new: _Row) -> Document:
    return {
        "id": one_line(new.id, 200),
        "row": digest([new.messages, list(new.references or ())])[:16],
        "place": one_line(new.place or "", 200),
        "prompt": plain(new.prompt or "", TEXT_LIMIT),
        "reference": plain(closest(new.references or (), new.text), TEXT_LIMIT),
        "a": {"text": plain(old.text, TEXT_LIMIT), "score": old.value},
        "b": {"text": plain(new.text, TEXT_LIMIT), "score": new.value},
    }
