"""A stranger's folder of rows is read as rows: its scripts and pickles are not run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from tests.support.project import Project

SCRIPT = "open('ran', 'w')\n"


class Touching:
    """Leaves a file where it is unpickled."""

    def __reduce__(self) -> Any:
        return open, ("ran", "w")


def test_scripts_beside_rows_are_not_run(project: Project) -> None:
    folder = project.folder / "rows"
    folder.mkdir()
    rows = [{"prompt": f"What is {n}?", "response": str(n)} for n in range(40)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rows.py").write_text(SCRIPT)
    (folder / "dataset.pkl").write_bytes(pickle.dumps(Touching()))
    (folder / "dataset_infos.json").write_text('{"default": {"builder_name": "rows"}}')
    for command in (("data", "check"), ("data", "preview"), ("data", "stats"), ("init",)):
        done = project.inside(*command, "rows")
        assert "Traceback" not in done.err
        assert not (project.folder / "ran").exists(), command
    pickled = project.inside("data", "check", str(Path("rows") / "dataset.pkl"))
    assert pickled.code in (2, 4)
    assert not (project.folder / "ran").exists()
