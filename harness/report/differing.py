"""Where two sides answer the same rows of dev differently: two runs, or a run and one of its arms
or baselines.

The answers of a run are those of its best round. All are from the databases; what is not there is
not made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from harness.engine.run import REPORTS_FOLDER
from harness.engine.steps.asking import arm_of
from harness.errors import HarnessError
from harness.kit.files import digest
from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.report.database import stored_arm
from harness.report.queries import BESIDE_ANSWERS, BEST_ANSWERS
from harness.report.reading import Document

PAIRS = 40
"""Of runs whose answers are read, the latest."""
ROWS = 30
"""That are told of each pair."""
TEXT_LIMIT = 1_200
"""Characters of each text."""
_STORED_AS: Mapping[str, Callable[[str], str]] = {"arm": stored_arm, "baseline": arm_of}
"""What answers beside a run's rounds -> what the database calls it."""


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
    """The document of all runs with ``answers``: the rows that two sides answer differently.

    A pair for each run and the one that it is set against, the latest first, as far as there is
    room; and in ``arm_answers`` and ``baseline_answers`` for each of these that was judged and its
    run. What has no room is counted, under the same key and ``_left_out``.
    """
    runs = {run["run"]: run for run in document["runs"]}
    groups = {group["id"]: group for group in document["groups"]}
    pairs = [(runs[b["against"]], b) for b in reversed(document["runs"]) if b["against"]]
    read = functools.lru_cache(maxsize=16)(_stored)
    beside = functools.lru_cache(maxsize=16)(_stored_beside)

    def judged(kind: str) -> Document:
        found = [
            (run, one["name"])
            for run in reversed(document["runs"])
            for one in run[f"{kind}s"]
            if one["verdict"]
        ]
        shown = [_beside(run, kind, name, read, beside) for run, name in found[:PAIRS]]
        return {f"{kind}_answers": shown, f"{kind}_answers_left_out": len(found[PAIRS:])}

    return {
        **document,
        **judged("arm"),
        **judged("baseline"),
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


def _stored_beside(run: str) -> Mapping[str, _Stored]:
    """The answers of a run's arms and baselines, by what the database calls them."""
    from harness.store.asking import open_database

    found: dict[str, dict[str, _Row]] = {}
    try:
        with open_database(Path(REPORTS_FOLDER, run, "run.duckdb")) as ask:
            for arm, *row in ask(BESIDE_ANSWERS).rows:
                found.setdefault(arm, {})[row[0]] = _Row(*row)
    except HarnessError:
        return {}
    return {arm: _Stored(rows) for arm, rows in found.items()}


def _beside(
    run: Document, kind: str, name: str, read: Callable[[str], _Stored],
    beside: Callable[[str], Mapping[str, _Stored]],
) -> Document:  # fmt: skip
    """A run's best round and one of its arms or baselines, which answer the same rows."""
    gone = _Stored({}, f"answers of {run['run']} to dev cannot be shown: they are not stored")
    after = beside(run["run"]).get(_STORED_AS[kind](name), gone)
    sign = 1.0 if run["higher_is_better"] else -1.0
    found = _compared(read(run["run"]), after, sign)
    return {"run": run["run"], kind: name, **found}


def _pair(
    a: Document, b: Document, groups: Mapping[str, Document], read: Callable[[str], _Stored]
) -> Document:
    comparable = _measure(groups, a) == _measure(groups, b)
    sign = (1.0 if b["higher_is_better"] else -1.0) if comparable else None
    return {"a": a["run"], "b": b["run"], **_compared(read(a["run"]), read(b["run"]), sign)}


def _compared(before: _Stored, after: _Stored, sign: float | None) -> Document:
    """The rows in which two sides differ.

    Args:
        sign: 1 where a higher score is better, -1 where a lower one is; None: the scores are of
            other measures.
    """
    both = [
        (before.rows[name], row)
        for name, row in after.rows.items()
        if name in before.rows and _asked(before.rows[name]) == _asked(row)
    ]
    differing = [(old, new) for old, new in both if old.text != new.text]
    gains = [None if sign is None else _gain(old, new, sign) for old, new in differing]
    comparable, why = sign is not None, before.why or after.why
    return {
        "a_round": before.round, "b_round": after.round,
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
