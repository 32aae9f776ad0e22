"""The annotations ``sample``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import harness
from harness.kit.files import file_digest, read_jsonl


class Sample(harness.Annotations):
    """Complaints of users about answers, from complaints/RUN.jsonl."""

    name = "sample"
    tables: ClassVar[Mapping[str, tuple[str, str]]] = {
        "complaints": ("example_id", "example_id:s round:i text:s")
    }
    queries: ClassVar[Mapping[str, tuple[str, str]]] = {
        "complaints": (
            "complaints of users, by round",
            "SELECT round, count(*) AS n FROM complaints GROUP BY round ORDER BY round",
        )
    }

    def digest(self, run: str, folder: Path) -> str | None:
        path = folder / "complaints" / f"{run}.jsonl"
        return file_digest(path) if path.exists() else None

    def collect(self, run: harness.AnnotatedRun) -> harness.Annotated:
        path = run.folder / "complaints" / f"{run.name}.jsonl"
        rows = list(read_jsonl(path)) if path.exists() else []
        return harness.Annotated({"complaints": rows})


@harness.hookimpl
def register_annotations() -> list[type[harness.Annotations]]:
    return [Sample]
