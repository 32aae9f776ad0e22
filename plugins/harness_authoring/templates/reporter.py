"""The reporter ``sample``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import harness


class Sample(harness.Reporter):
    """The label of each round, one a line."""

    name = "sample"

    def write(self, document: Mapping[str, Any], folder: Path) -> Sequence[Path]:
        rounds = document["rounds"]
        lines = [f"{entry['round']}: {entry['verdict']['label']}" for entry in rounds]
        path = folder / "rounds.txt"
        harness.write_text(path, "\n".join(lines) + "\n")
        return [path]


@harness.hookimpl
def register_reporters() -> list[type[harness.Reporter]]:
    return [Sample]
