"""What is said of answers from outside: into the database and reports, or named and left out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.registry import Registry
from harness.report import annotations as collecting
from harness.report.annotators import digests_of
from tests.support.project import CONFIG, Project

PAGE = (Path(__file__).parents[2] / "docs" / "plugins" / "annotation.md").read_text(
    encoding="utf-8"
)
COMPLAINTS = next(
    code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "complaints.py" in code
)
TABLES = '{"complaints": ("example_id", "example_id:s round:i text:s")}'
HOSTILE = "\x1b[31m<script>alert(1)</script>=1+1\x00\ud800"


def complain(project: Project, run: str, *texts: str) -> None:
    folder = project.folder / "complaints"
    folder.mkdir(exist_ok=True)
    rows = [{"example_id": "dev-1", "round": 1, "text": text} for text in texts]
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / f"{run}.jsonl").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def annotated(project: Project) -> Project:
    (project.folder / "complaints.py").write_text(COMPLAINTS, encoding="utf-8")
    project.write(CONFIG.replace("plugins: [", "plugins: [complaints.py, ").replace("3", "1", 1))
    return project


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A run of it, of which every test spoils the plugin in its own way."""
    made = Project(tmp_path_factory.mktemp("annotated"))
    made.write(COMPLAINTS, "complaints.py")
    made.write(CONFIG.replace("plugins: [", "plugins: [complaints.py, ").replace("3", "1", 1))
    return made, made.inside("iterate", "--json").document["run"]


@pytest.fixture
def unspoilt(ended: tuple[Project, str]) -> tuple[Project, str]:
    project, _ = ended
    project.write(COMPLAINTS, "complaints.py")
    shutil.rmtree(project.folder / "complaints", ignore_errors=True)
    assert project.inside("rebuild").code == 0
    return ended


def analysis(project: Project, run: str) -> Any:
    return json.loads((project.folder / "reports" / run / "analysis.json").read_text())


def asked(project: Project, run: str, sql: str) -> list[tuple[Any, ...]]:
    return list(harness.query(project.folder / "reports" / run / "run.duckdb", sql).rows)


@pytest.mark.nightly
def test_the_example_of_the_docs_brings_its_rows(annotated: Project) -> None:
    run = annotated.inside("iterate", "--json").document["run"]
    assert analysis(annotated, run)["tables"]["complaints"] == []
    assert "complaints" not in analysis(annotated, run)["annotations"]
    complain(annotated, run, "too long", HOSTILE.encode("utf-8", "replace").decode())
    shown = annotated.inside("report", run)
    assert shown.code == 0 and "made again" in shown.err
    told = analysis(annotated, run)
    assert told["tables"]["complaints"] == [{"round": 1, "n": 2}]
    assert set(told["annotations"]) == {"complaints"}
    assert asked(annotated, run, "SELECT count(*) FROM complaints") == [(2,)]
    assert not annotated.inside("report", run).err


def test_its_digest_is_found_by_the_files_of_the_run(annotated: Project) -> None:
    complain(annotated, "r", "late")
    files = Registry.build([annotated.folder / "complaints.py"])
    found = digests_of("r", annotated.folder, files)
    assert set(found) == {"complaints"}


@pytest.mark.nightly(but_each=16)
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("return harness.Annotated(", "raise ValueError('no') or harness.Annotated(", "no"),
        ("return harness.Annotated(", "return dict(", "no harness.Annotated"),
        ("    name = ", "    def __init__(self, options=None): 1 / 0\n\n    name = ", "zero"),
        ('Annotated({"complaints"', 'Annotated({"others"', "a table 'others' without layout"),
        ("round:i", "round:x", "`tables` cannot be read"),
        (TABLES, TABLES.replace('"complaints"', '"scores"'), "the table 'scores' is another's"),
        (TABLES, TABLES.replace('"complaints"', '"a b"'), "cannot be the name of a table"),
        ('("example_id",', '("id; DROP TABLE runs",', "is no list of columns"),
        ("text:s", "text:f", "rows of 'complaints' do not fit its columns"),
        ("text:s", "text:s more:s", "rows of 'complaints' do not fit its columns"),
    ],
)
def test_one_that_fails_is_named_and_left_out(
    unspoilt: tuple[Project, str], old: str, new: str, reason: str
) -> None:
    annotated, run = unspoilt
    assert old in COMPLAINTS
    annotated.write(COMPLAINTS.replace(old, new), "complaints.py")
    complain(annotated, run, "too long")
    done = annotated.inside("rebuild", run, "--trust")
    assert done.code == 0, done.err
    notes = [note for note in analysis(annotated, run)["notes"] if "complaints" in note]
    assert notes[0].startswith("the annotations of 'complaints' are left out: ")
    assert reason in notes[0]
    assert asked(annotated, run, "SELECT count(*) FROM rounds") == [(2,)]


@pytest.mark.nightly
def test_rows_without_end_are_left_out(
    unspoilt: tuple[Project, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotated, run = unspoilt
    row = '{"example_id": "a", "round": 1, "text": "x"}'
    endless = f'return harness.Annotated({{"complaints": iter(lambda: {row}, 0)}}) or ('
    text = COMPLAINTS.replace("return harness.Annotated(", endless)
    annotated.write(text, "complaints.py")
    complain(annotated, run, "too long")
    monkeypatch.setattr(collecting, "MOST", 1000)
    assert annotated.inside("rebuild", run, "--trust").code == 0
    notes = [note for note in analysis(annotated, run)["notes"] if "complaints" in note]
    assert "more than 1,000 rows" in notes[0]


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("text", [None, "import nothing_of_the_kind", "x ="])
def test_a_run_is_shown_when_its_one_file_plugins_are_gone_or_broken(
    unspoilt: tuple[Project, str], text: str | None
) -> None:
    annotated, _ = unspoilt
    path = annotated.folder / "complaints.py"
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    for words in (("report",), ("errors",), ("query", "FROM rounds")):
        shown = annotated.inside(*words)
        assert shown.code == 0, shown.err
        assert shown.err.count("complaints.py is left out: ") == 1


@pytest.mark.nightly
def test_a_digest_that_fails_leaves_the_report_as_it_is(unspoilt: tuple[Project, str]) -> None:
    annotated, run = unspoilt
    path = annotated.folder / "complaints.py"
    path.write_text(COMPLAINTS.replace("return file_digest(path)", "return 1 / 0 #"), "utf-8")
    complain(annotated, run, "too long")
    shown = annotated.inside("report", run, "--trust")
    assert shown.code == 0 and not shown.err
