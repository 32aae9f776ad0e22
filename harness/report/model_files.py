"""Whether the model that a report names is still in its folder, on the day the report is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.kit.files import read_json
from harness.report.reading import Document
from harness.run.artifacts import MANIFEST, SENT


def with_model_files(document: Mapping[str, Any], root: Path) -> Document:
    """The document with ``model.lost``: files of the best round's model are gone, and no shared
    store has them.

    No file is read but the manifest: :meth:`harness.RunView.model` checks every byte.

    Args:
        root: the run's working folder.
    """
    model = document.get("model")
    if not isinstance(model, Mapping):
        return dict(document)
    folder = model.get("adapter")
    lost = isinstance(folder, str) and not _is_whole(root / folder)
    return {**document, "model": {**model, "lost": lost}}


def _is_whole(folder: Path) -> bool:
    try:
        if (folder / SENT).is_file():
            return True
        return all((folder / name).is_file() for name in read_json(folder / MANIFEST)["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
