"""``harness.open_run``: the trained model of a round, and what a notebook shows of a run."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.kit.blocks import Heading, of_sections
from harness.kit.html.blocks import parts
from harness.report.view import SAMPLES


@pytest.fixture
def run(finished: Any, monkeypatch: pytest.MonkeyPatch) -> harness.RunView:
    project, _ = finished
    monkeypatch.chdir(project.folder)
    return harness.open_run()


def test_the_model_is_that_of_the_best_round(run: harness.RunView, finished: Any) -> None:
    best = finished[1].document["kept_round"]
    assert best > 0
    assert run.model() == run.model(best)
    folders = [Path(run.model(number).path) for number in (1, 2, 3)]
    skills = [json.loads((folder / "skill.json").read_text("utf-8")) for folder in folders]
    assert skills[0] < skills[1] < skills[2]


def test_what_has_no_model_is_an_error(run: harness.RunView) -> None:
    with pytest.raises(harness.UsageError, match=r"round 0 of run .* is the base model"):
        run.model(0)
    with pytest.raises(harness.UsageError, match="no closed round 9"):
        run.model(9)


def test_a_model_that_is_not_stored_any_more_is_an_error(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished[0].folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    run = harness.open_run()
    shutil.rmtree(run.model(2).path)
    with pytest.raises(harness.DataError, match=r"the model of round 2 of run .* is not stored"):
        run.model(2)


# -- in a notebook -------------------------------------------------------------------------


def test_a_notebook_shows_the_report(run: harness.RunView) -> None:
    shown = run._repr_html_()
    assert "improved</bdi></span> on test" in shown
    first, *folded = shown.split('<details class="part">')
    assert "Rounds" in first and len(folded) > 5
    assert "Among the worst answers" in "".join(folded)
    assert "<script" not in shown
    assert shown.count('class="example"') <= SAMPLES


def test_the_report_has_each_section_by_its_name(run: harness.RunView) -> None:
    report = run.report()
    sections = [section for section in report.sections if section.name != "examples"]
    assert len(sections) == len(report.sections) - 1
    blocks = list(of_sections(dataclasses.replace(report, sections=tuple(sections))))
    assert next(part for part in blocks if isinstance(part, Heading)).label == "improved"
    titles = [heading.text for heading, _ in parts(blocks)]
    assert "Rounds" in titles and "Among the worst answers" not in titles


def test_a_run_without_a_closed_round_says_so(project: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(project.folder)
    assert "no run is called &#x27;none&#x27;" in harness.open_run("none")._repr_html_()


def test_a_question_in_sql_has_no_rows_of_test(run: harness.RunView) -> None:
    splits = run.query("SELECT split, count(*) AS rows FROM predictions GROUP BY split")
    assert splits.rows == (("dev", 4 * 48),)
    assert run.query("FROM outcomes", limit_rows=3).cut
    with pytest.raises(harness.UsageError, match="raw"):
        run.query("FROM raw.predictions")


def test_a_notebook_shows_an_answer_as_a_table() -> None:
    rows = tuple((n, f"<b>{n}", None, n % 2 == 0, [n]) for n in range(150))
    shown = harness.QueryResult(("n", "text <i>", "none", "even", "list"), rows)._repr_html_()
    assert shown.count("<tr>") == 1 + 100
    assert "These are the first 100 rows." in shown
    assert "&lt;b&gt;99" in shown and "<b>" not in shown and "<i>" not in shown
    assert '<td class="s"><bdi>true</bdi>' in shown
    assert "No row." in harness.QueryResult(("n",), ())._repr_html_()
