"""``harness score`` on files of answers that are none: exit 4, one message with the file."""

from __future__ import annotations

import json

import pytest

from tests.plugins.rows.test_bad_files import FILES

PICKED = (
    "empty", "blank", "bom only", "utf16", "utf32", "latin1", "cut utf8", "surrogate bytes",
    "nul", "binary", "gzip", "parquet", "cut line", "two on a line", "no json", "number", "null",
    "list", "nan", "huge int", "dup key", "deep", "deep object", "empty object", "lone surrogate",
    "id list", "dup id", "html", "lfs",
)  # fmt: skip


@pytest.mark.parametrize("name", PICKED)
def test_score_says_what_is_wrong(project, name):
    (project.folder / "answers.jsonl").write_bytes(FILES[name])
    good = {"id": "1", "references": ["a b"]}
    (project.folder / "references.jsonl").write_text(json.dumps(good) + "\n")
    done = project.inside("score", "-p", "answers.jsonl", "-r", "references.jsonl", "-m", "exact")
    assert done.code == 4 and done.out == ""
    assert "answers.jsonl" in done.err and "Traceback" not in done.err
    assert done.err.startswith("data: ")
