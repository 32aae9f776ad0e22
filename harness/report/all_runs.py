"""All runs of this folder side by side: what was changed, scores, verdicts, cost.

Nothing is computed: what each run's summary says is put together. The terminal and the page are
made from this document.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from harness.engine import dev_ledger
from harness.engine.run import MACHINE_FOLDER, REPORTS_FOLDER
from harness.errors import DataError
from harness.kit.documents import as_json
from harness.kit.files import digest
from harness.kit.terms import CHOSEN
from harness.kit.yaml_file import flattened
from harness.report.folders import summaries
from harness.report.reading import Document
from harness.report.run_entry import run_entry
from harness.stats.decision import ALPHA
from harness.stored import open_run

SCHEMA = "harness.runs/1"
CAUTION = (
    f"Scores on dev are {CHOSEN}, and comparable where the rows are the same: they help to choose "
    "among runs, and are no result. The more runs, the more the highest owes to chance. A score "
    "on test is one; the opening counts how often these rows were looked at."
)

BESIDE = frozenset(
    ("arms", "models", "curve", "seeds", "search", "worth", "report", "sections", "execution")
)
"""Keys of a config by which no round of a run differs; arms have rows of their own."""

Config = Mapping[str, Any]
"""Flattened: dotted key -> value."""


def all_runs() -> Document:
    """A ``harness.runs/1`` document (``docs/commands.md``): the runs in the order of their begin.

    Each is set against the earlier run whose config differs in the fewest keys, the latest of
    several: what was changed is mostly one setting then.
    """
    latest_last = reversed(list(_runs()))
    found = sorted(latest_last, key=lambda one: one.entry["started"] or "")
    groups = [*_grouped("dev", found), *_grouped("test", found)]
    changes = zip(found, _changes(found), strict=True)
    return {
        "schema": SCHEMA,
        "caution": CAUTION,
        "notes": list(_notes(found)),
        "groups": groups,
        "runs": [{**one.entry, **change} for one, change in changes],
    }


def with_pages(document: Document, folder: Path) -> Document:
    """The document with each run's ``report``: the way from a folder to its page, if it has one."""
    pages = {
        run["run"]: Path(REPORTS_FOLDER, run["run"], "report.html") for run in document["runs"]
    }
    ways = {
        run: Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix()
        for run, page in pages.items()
        if page.is_file()
    }
    return {
        **document,
        "runs": [{**run, "report": ways.get(run["run"])} for run in document["runs"]],
    }


class _Run(NamedTuple):
    """A run's entry, its config, and by split what its scores are comparable by."""

    entry: Document
    config: Config
    measured: Mapping[str, Document]


def _runs() -> Iterator[_Run]:
    """The latest first."""
    for summary in summaries():
        config = _config(summary["run"])
        measured = {split: _measured(split, summary) for split in ("dev", "test")}
        yield _Run(run_entry(summary, config), config, measured)


def _config(run: str) -> Config:
    config = open_run(run).config() or {}
    deciding = {key: value for key, value in config.items() if key not in BESIDE}
    # A list that is empty in one run has other keys in another one: it is left to these.
    return {key: value for key, value in flattened(deciding) if value not in ([], {})}


def _notes(found: Sequence[_Run]) -> Iterator[str]:
    """How many runs chose by the same rows of dev, which the error of none of them allows for.

    The chance of any false verdict is at most the sum of theirs, by Boole's inequality.
    """
    names = {one.entry["run"] for one in found}
    together: list[list[str]] = []
    with contextlib.suppress(DataError):  # the next run says what is wrong with the ledger
        together = dev_ledger.sharing(Path(MACHINE_FOLDER))
    for sharing in together:
        runs = len(names & set(sharing))
        if runs > 1:
            yield (
                f"{runs} runs chose by the same rows of dev. Each keeps to an error of .05 by "
                "itself, and nothing corrects for their number: that any of them shows a false "
                f"improved has a chance of up to {min(1.0, ALPHA * runs):.2g}. Test, or other rows "
                "of dev, confirm the one that is taken."
            )


def _grouped(split: str, found: Sequence[_Run]) -> Iterator[Document]:
    """Runs with the same primary score of the same rows of a split: only their scores are ranked.

    Each entry gets the name of its group, in ``dev`` or in ``test``.
    """
    groups: dict[str, Document] = {}
    names = (f"{split} {_letters(number)}" for number in count())
    for entry, _, measured in found:
        if entry[split] is None:
            continue
        key = digest([entry["primary"], measured[split]])
        if key not in groups:
            groups[key] = {
                "id": next(names), "split": split, "primary": entry["primary"],
                "signature": measured[split]["signature"],
                "higher_is_better": entry["higher_is_better"], "rows": entry[split]["n"],
                "exact": measured[split]["exact"], "runs": 0,
            }  # fmt: skip
        groups[key]["runs"] += 1
        entry[split]["group"] = groups[key]["id"]
    yield from groups.values()


def _measured(split: str, summary: Mapping[str, Any]) -> Document:
    """The primary score's signature, and what tells the rows of a split from others.

    Where a summary names no digest, settings of the data and number of rows decide.
    """
    data, kept = summary["data"], summary["rounds"][summary["kept_round"]]
    known = (data.get("digests") or {}).get(split)
    source, groups = summary["settings"].get("data"), data.get("dev_groups")
    settings = as_json([source, data["rows"].get(split), groups])
    return {
        "signature": kept["scores"][summary["primary"]].get("signature"),
        "rows": known or settings,
        "exact": bool(known),
    }


def _letters(number: int) -> str:
    """``A`` to ``Z``, then ``AA`` and so on."""
    head, last = divmod(number, 26)
    return (_letters(head - 1) if head else "") + chr(ord("A") + last)


def _changes(found: Sequence[_Run]) -> Iterator[Document]:
    """Of each run the earlier one that it is set against, and the keys in which the two differ."""
    parts = [
        {(key, json.dumps(value, sort_keys=True, default=str)) for key, value in one.config.items()}
        for one in found
    ]
    for place, own in enumerate(parts):
        if not own:
            yield {"against": None, "changed": None}
            continue
        others = [
            (len({key for key, _ in other ^ own}), -at)
            for at, other in enumerate(parts[:place])
            if other
        ]
        if not others:
            yield {"against": None, "changed": []}
            continue
        at = -min(others)[1]
        changed = list(_changed(found[at].config, found[place].config))
        yield {"against": found[at].entry["run"], "changed": changed}


def _changed(before: Config, after: Config) -> Iterator[Document]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield {"key": key, "from": as_json(before.get(key)), "to": as_json(after.get(key))}
