"""Whether the model that a report names is still in its folder, on the day the report is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.kit.files import read_json
from harness.records.analysis import Analysis
from harness.run.artifacts import MANIFEST, SENT


def with_model_files(analysis: Analysis, root: Path) -> Analysis:
    """The analysis, which knows whether files of the best round's model are gone, and no shared
    store has them.

    No file is read but the manifest: :meth:`harness.RunView.model` checks every byte.

    Args:
        root: the run's working folder.
    """
    folder = analysis.model.adapter
    return replace(analysis, model_lost=folder is not None and not _is_whole(root / folder))


def _is_whole(folder: Path) -> bool:
    try:
        if (folder / SENT).is_file():
            return True
        return all((folder / name).is_file() for name in read_json(folder / MANIFEST)["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
