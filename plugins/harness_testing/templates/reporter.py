"""The reporter ``sample``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import harness


class Sample(harness.Reporter):
    """The label of each round, one a line."""

    name = "sample"

    def write(self, document: harness.Analysis, folder: Path) -> Sequence[Path]:
        lines = [f"{entry.round}: {entry.verdict.label}" for entry in document.rounds]
        path = folder / "rounds.txt"
        harness.write_text(path, "\n".join(lines) + "\n")
        return [path]


@harness.hookimpl
def register_reporters() -> list[type[harness.Reporter]]:
    return [Sample]
