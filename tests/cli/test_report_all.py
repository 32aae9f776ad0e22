"""``harness report --all``: one page of all runs, beside the report of one."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest


@pytest.fixture
def two(short: Any) -> Any:
    """A folder with a run, and a copy of it under another name, in progress."""
    project, first = short
    run = first.document["run"]
    shutil.copytree(project.folder / "reports" / run, project.folder / "reports" / "copy #1")
    dates = {"started": "2999-01-01T00:00:00Z", "finished": None}
    summary = {**first.document, "dates": dates, "test": None}
    (project.folder / "reports" / "copy #1" / "summary.json").write_text(json.dumps(summary))
    shutil.copytree(
        project.folder / ".harness" / "runs" / run, project.folder / ".harness" / "runs" / "copy #1"
    )
    return project, run


def test_the_page_links_to_reports_from_where_it_stands(two: Any) -> None:
    project, run = two
    (project.folder / "pages").mkdir()
    done = project.inside("report", "--all", "--html", "pages/runs.html")
    assert (done.code, done.out) == (0, ""), done.err
    assert "written: pages/runs.html" in done.err
    page = (project.folder / "pages" / "runs.html").read_text("utf-8")
    assert f'href="./../reports/{run}/report.html"' in page
    assert 'href="./../reports/copy%20%231/report.html"' in page
    assert "not finished" in page


def test_its_document_is_that_of_compare_with_reports(two: Any) -> None:
    project, run = two
    document = project.inside("report", "--all", "--json").document
    assert [one["report"] for one in document["runs"]] == [
        f"reports/{run}/report.html", "reports/copy #1/report.html",
    ]  # fmt: skip
    for entry in document["runs"]:
        del entry["report"]
    assert document == project.inside("compare", "--all", "--json").document


@pytest.mark.parametrize(
    "words",
    [("RUN",), ("--md", "x.md"), ("--full",), ("--brief",), ("--junit", "x.xml")],
    ids=lambda words: words[0],
)
def test_what_does_not_go_with_all_is_said(project: Any, words: tuple[str, ...]) -> None:
    done = project.inside("report", "--all", *words, "--html", "runs.html")
    assert done.code == 2
    told = "usage: --all takes all runs: with it go --html, --json and --open alone\n"
    assert done.err == told
    assert not (project.folder / "runs.html").exists()


def test_without_a_file_it_says_what_to_add(project: Any) -> None:
    done = project.inside("report", "--all")
    assert done.code == 2 and done.out == ""
    assert "harness report --all --html runs.html" in done.err
    assert "harness compare --all" in done.err


def test_no_runs_are_no_error(project: Any) -> None:
    assert project.inside("report", "--all", "--html", "runs.html").code == 0
    assert "0 runs" in (project.folder / "runs.html").read_text("utf-8")


def test_a_reporter_without_such_a_page_is_said(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import harness
    from harness_reports import HtmlReporter

    monkeypatch.setattr(HtmlReporter, "write_all", harness.Reporter.write_all)
    done = two[0].inside("report", "--all", "--html", "runs.html")
    assert done.code == 2 and "the reporter 'html' writes no such page" in done.err
