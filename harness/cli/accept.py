"""``harness rate accept``: better answers that raters typed, taken into a file."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import configfile
from harness.cli import tables
from harness.cli.rate import chosen
from harness.cli.targets import check_target, write_target
from harness.config import FILE_NAME
from harness.errors import UsageError, near
from harness.rating import correction_file
from harness.rating.corrections import Correction, corrections, who
from harness.rating.foreign import prompt
from harness.rating.records import Batch


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of it.

    Attributes:
        found: what was typed, the oldest first.
        new: how many of them the file did not have.
        whole: everything that the file holds now.
    """

    batch: Batch
    found: Sequence[Correction]
    new: int
    whole: Sequence[Correction]


def accept(name: str | None, target: Path, items: Sequence[str], as_json: bool) -> None:
    """Take what raters typed into a file of corrections; a second time it changes nothing."""
    batch = chosen(name)
    _check_typed(batch)
    check_target("-o", target)
    found = corrections(batch, items=_checked(batch, items) if items else None)
    old = correction_file.read(target) if target.exists() else []
    whole = correction_file.merged(old, found)
    if len(whole) > len(old):
        write_target("-o", target, correction_file.encoded(whole))
    done = Accepted(batch, found, len(whole) - len(old), whole)
    if as_json:
        sys.stdout.write(json.dumps(_document(done, target), indent=1) + "\n")
    else:
        _show(done, target)


def _check_typed(batch: Batch) -> None:
    if not any(criterion.use_as == "reference" for criterion in batch.rubric.criteria):
        raise UsageError(
            f"rubric {batch.rubric.id} asks for no better answer, so batch {batch.name} has none",
            hint="give it a criterion of scale text with use_as: reference",
        )


def _checked(batch: Batch, items: Sequence[str]) -> frozenset[str]:
    for item in items:
        if item not in batch.placings:
            guess = near(item, list(batch.placings))
            raise UsageError(f"--item: batch {batch.name} has no item '{item}'{guess}")
    wanted = frozenset(items)
    for item in items:
        if not corrections(batch, items=frozenset({item})):
            raise UsageError(
                f"--item: nobody typed a better answer for item '{item}'",
                hint="harness rate accept without --item shows for which somebody did",
            )
    return wanted


def _document(done: Accepted, target: Path) -> dict[str, Any]:
    return {
        "batch": done.batch.name, "file": str(target), "new": done.new,
        "known": len(done.found) - done.new,
        "accepted": [
            {
                "example_id": one.example_id, "split": one.split, "reference": one.reference,
                "before": list(done.batch.item(one.origin["item"]).references),
                "prompt": prompt(done.batch.item(one.origin["item"])), "origin": dict(one.origin),
            }
            for one in done.found
        ],
        "next_command": _next(done, target),
    }  # fmt: skip


def _show(done: Accepted, target: Path) -> None:
    console = Console()
    if not done.found:
        tables.note(console, f"Nobody has typed a better answer in {done.batch.name} yet.")
        tables.next_command(console, _next(done, target))
        return
    console.print(_table(done, console))
    console.print()
    known = len(done.found) - done.new
    before = f"; {known} were there already" if known else ""
    tables.note(console, f"{done.new} accepted into {target}{before}.")
    counts = Counter(one.split for one in done.whole)
    if counts["dev"]:
        tables.note(
            console,
            f"{_many(counts['dev'], 'text')} of the file for dev: a run with `corrections: "
            f"{target}` scores all rounds again, with them as further references. Its answers and "
            "checkpoints are taken from the store.",
        )
    if counts["pool"]:
        entry = f"{{plugin: better-answers, file: {target}, rows: {counts['pool']}}}"
        tables.note(
            console,
            f"{_many(counts['pool'], 'text')} of the file for the pool: an augmenter may propose "
            f"them for training, as with `{entry}` first under `augment:`.",
        )
    tables.next_command(console, _next(done, target))


def _table(done: Accepted, console: Console) -> Any:
    shown = tables.table("item, and who", "prompt, reference, and below it the better answer")
    for one in done.found:
        item = done.batch.item(one.origin["item"])
        old = item.references[0] if item.references else ""
        shown.add_row(
            tables.placed(one.origin["item"], f"{one.split}, {who(one)}"),
            Text.assemble(
                tables.piece(prompt(item), console.width), "\n",
                tables.piece(old, console.width, "dim"), "\n",
                tables.piece(one.reference, console.width, "green"),
            ),
        )  # fmt: skip
    return tables.fit(shown, console, (console.width // 3,))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _next(done: Accepted, target: Path) -> str:
    """The command that uses the file; its path is relative to the config, where there is one."""
    if not done.found:
        return shlex.join(["harness", "rate", "status", done.batch.name])
    if not any(one.split == "dev" for one in done.whole):
        return "harness iterate"
    here = Path(FILE_NAME)
    if not here.is_file():
        return shlex.join(["harness", "iterate", "--set", f"corrections={target.resolve()}"])
    given = configfile.read(here)[0].get("corrections")
    if isinstance(given, str) and Path(given).resolve() == target.resolve():
        return "harness iterate"
    return shlex.join(["harness", "iterate", "--set", f"corrections={target}"])
