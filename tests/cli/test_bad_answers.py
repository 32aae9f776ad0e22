"""``harness score`` on files of answers that are none: exit 4, one message with the file."""

from __future__ import annotations

import json

import pytest

from tests.kit.readers.test_files import BAD
from tests.support.project import Project


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize("name", BAD)
def test_score_says_what_is_wrong(project: Project, name: str) -> None:
    file, content, _ = BAD[name]
    (project.folder / file).write_bytes(content)
    good = {"id": "1", "references": ["a b"]}
    (project.folder / "references.jsonl").write_text(json.dumps(good) + "\n")
    done = project.inside("score", "-p", file, "-r", "references.jsonl", "-m", "exact")
    assert done.code == 4 and done.out == ""
    assert file in done.err and "Traceback" not in done.err
    assert done.err.startswith("data: ")
