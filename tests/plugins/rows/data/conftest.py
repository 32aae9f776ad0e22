"""A shop's questions, as a file of many formats, in a folder whose config uses the fakes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import SHOWING, Project, Result

Row = dict[str, Any]
KINDS = ("billing", "delivery", "returns")


def words(name: str, count: int = 12) -> str:
    """Words that texts of other names share next to none of."""
    digits = hashlib.sha256(name.encode()).hexdigest()
    return " ".join(f"w{digits[at : at + 4]}" for at in range(0, 3 * count, 3))


def shop_row(number: int, of: str = "train", **changes: Any) -> Row:
    """One row with columns of its own names; ``of`` is the split that its texts are for."""
    split = of
    row = {
        "question": f"Please tell me of {words(f'{split}{number}')}?",
        "answer": f"Gladly, {words(f'{split}{number} answer', 6)}.",
        "customer": f"{split}-c{number // 2}",
        "kind": KINDS[number % 3],
        "split": split,
    }
    return row | changes


def shop(**more: Sequence[Row]) -> list[Row]:
    """120 rows in four splits without a fault; ``more`` are put at the end."""
    sizes = {"train": 60, "pool": 12, "dev": 50, "test": 50}
    rows = [shop_row(n, split) for split, size in sizes.items() for n in range(size)]
    return [*rows, *(row for rows in more.values() for row in rows)]


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode("utf-8", "surrogatepass")


def table(rows: Sequence[Mapping[str, Any]], delimiter: str = ",", bom: bytes = b"") -> bytes:
    out = io.StringIO(newline="")
    written = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    written.writeheader()
    written.writerows(rows)
    return bom + out.getvalue().encode()


class Shop:
    """The folder; ``data(…)`` runs ``harness data …`` in it."""

    columns = ("--column", "group=customer", "--column", "meta=kind")

    def __init__(self, project: Project) -> None:
        self.project, self.folder = project, project.folder

    def write(self, rows: Sequence[Mapping[str, Any]], name: str = "shop.jsonl") -> Path:
        path = self.folder / name
        path.write_bytes(lines(rows))
        return path

    def data(self, *arguments: str, **environment: str) -> Result:
        return self.project.inside("data", *arguments, **environment)

    def checked(self, rows: Sequence[Mapping[str, Any]], *options: str) -> tuple[int, Any]:
        """Exit code and document of ``check`` on these rows."""
        self.write(rows)
        done = self.data("check", "shop.jsonl", *self.columns, *options, "--json")
        return done.code, done.document


@pytest.fixture
def place(project: Project) -> Shop:
    project.write(SHOWING)
    return Shop(project)


@pytest.fixture
def kinds() -> Callable[[Any], dict[str, str]]:
    """``kinds(document)``: kind of finding -> its level."""
    return lambda document: {one["kind"]: one["level"] for one in document["findings"]}
