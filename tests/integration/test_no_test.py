"""A run whose test set is opened later, or not at all."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.database.writing import query
from harness.kit.files import digest


def ledger_of(project):
    path = project.folder / ".harness" / "test-openings.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def result_of(document):
    return {k: v for k, v in document.items() if k not in ("seconds", "cached", "dates")}


@pytest.fixture(scope="module")
def unopened(tmp_path_factory, finished):
    project = type(finished[0])(tmp_path_factory.mktemp("unopened"))
    project.write()
    return project, project.inside("iterate", "--no-test", "--json")


def copy_of(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "copy")
    return type(project)(tmp_path / "copy")


def test_no_test_ends_before_the_seal(unopened):
    project, result = unopened
    document = result.document
    assert result.code == 0 and document["kept_round"] > 0
    assert document["test"] is None and document["sealed"]["reason"] == "not asked"
    assert not ledger_of(project)
    assert not list((project.folder / ".harness" / "artifacts").glob("generate test*"))
    assert document["next_command"] == f"harness test {document['run']}"
    shown = project.inside("report", "--full").out
    assert "not opened" in shown and f"harness test {document['run']}" in shown
    for name in ("report.md", "report.html"):
        text = (project.folder / "reports" / document["run"] / name).read_text()
        assert "was not opened" in text
    assert "test not opened" in project.inside("runs").out


def test_such_a_run_is_finished_as_such(unopened):
    project, result = unopened
    before = project.manifests()
    again = project.inside("iterate", "--no-test", "--json")
    assert again.document == result.document and project.manifests() == before


def test_test_gives_what_iterate_would_have_given(unopened, finished, tmp_path):
    project = copy_of(unopened[0], tmp_path)
    run, whole = unopened[1].document["run"], finished[1].document
    opened = project.inside("test", run, "--json", "--require", "improved")
    assert opened.code == 0, opened.err
    assert result_of(opened.document) == result_of(whole)
    assert len(ledger_of(project)) == 2
    again = project.inside("test", "--json")
    assert again.document == opened.document and len(ledger_of(project)) == 2
    assert project.inside("iterate", "--json").document == opened.document
    assert project.inside("iterate", "--no-test", "--json").document == opened.document


@pytest.mark.nightly
def test_iterate_without_the_flag_goes_on_to_test(unopened, finished, tmp_path):
    project = copy_of(unopened[0], tmp_path)
    document = project.inside("iterate", "--json").document
    assert result_of(document) == result_of(finished[1].document)


def test_no_test_and_a_requirement_exclude_each_other(project):
    result = project.inside("iterate", "--no-test", "--require", "improved")
    assert result.code == 2 and "harness test" in result.err


@pytest.mark.nightly
def test_test_needs_closed_rounds(project):
    project.harness("iterate", "--no-test", "--set", "train.die_in_round=2")
    result = project.inside("test")
    assert result.code == 2 and "not all closed" in result.err
    assert "--no-test" in result.err
    assert not ledger_of(project)


@pytest.mark.nightly
def test_where_nothing_was_kept_test_stays_sealed(project):
    result = project.inside("iterate", "--rounds", "1", "--json", "--set", "train.gain=0")
    assert result.code == 0
    document = result.document
    assert document["test"] is None and document["sealed"]["reason"] == "nothing kept"
    assert not ledger_of(project)
    assert not list((project.folder / ".harness" / "artifacts").glob("generate test*"))
    assert "it stays sealed" in project.inside("report", "--full").out
    opened = project.inside("test", "--json", "--require", "improved")
    assert opened.code == 1 and opened.document == document and not ledger_of(project)


@pytest.mark.nightly
def test_a_second_opening_asks_for_more_and_says_so(project):
    first = project.inside("iterate", "--rounds", "1", "--json").document
    second = project.inside("iterate", "--rounds", "1", "--json", "--set", "seed=8").document
    assert (first["test"]["looks"], second["test"]["looks"]) == (1, 2)
    assert first["test"]["verdict"]["level"] == pytest.approx(0.95)
    assert second["test"]["verdict"]["level"] == pytest.approx(0.975)
    folder = project.folder / "reports" / second["run"]
    words = ("corrects for how often", "cannot correct for choices")
    texts = [(folder / name).read_text() for name in ("report.md", "report.html")]
    texts.append(" ".join(project.inside("report", second["run"], "--full").out.split()))
    for text in texts:
        assert all(word in text for word in words)
    assert "test opening 2" in project.inside("runs").out
    lines = [json.loads(line) for line in ledger_of(project)]
    assert [line.get("run") for line in lines] == [first["run"], None, second["run"], None]


@pytest.mark.nightly
def test_each_set_of_answers_scored_against_test_is_a_look(project):
    def score(text, *options):
        lines = [json.dumps({"id": f"test-{n}", "prediction": text}) for n in range(48)]
        project.write("\n".join(lines) + "\n", "answers.jsonl")
        return project.inside(
            "score",
            "--predictions",
            "answers.jsonl",
            "-c",
            "harness.yaml",
            "--split",
            "test",
            "--json",
            *options,
        )

    assert score("hm").code == 2 and not ledger_of(project)
    for text, openings in (("hm", 1), ("hm", 1), ("other", 2)):
        result = score(text, "--open-test")
        assert result.code == 0, result.err
        lines = [json.loads(line) for line in ledger_of(project)]
        assert sum("run" in line for line in lines) == openings
    document = project.inside("iterate", "--rounds", "1", "--json").document
    assert document["test"]["looks"] == 3


@pytest.mark.nightly
def test_the_ways_out_of_harness_test_are_those_of_the_run(unopened, tmp_path):
    project, run = copy_of(unopened[0], tmp_path), unopened[1].document["run"]
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "train")
    stopped = project.inside("test", run, FAKE_DRIFT="train")
    assert stopped.code == 3, stopped.err
    # The copy of the config in the run's folder would begin a run of another name.
    assert "  harness iterate --no-test --reopen 1: decides" in stopped.err
    again = project.inside("iterate", "--no-test", "--reopen", "1", "--json", FAKE_DRIFT="train")
    assert again.code == 0 and again.document["run"] == run


@pytest.mark.nightly
def test_no_way_out_decides_another_run_again(unopened, tmp_path):
    project, run = copy_of(unopened[0], tmp_path), unopened[1].document["run"]
    assert project.inside("iterate", "--no-test", "--as-new-run").code == 0
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "train")
    stopped = project.inside("test", run, FAKE_DRIFT="train")
    # --reopen takes the latest run of the config.
    assert stopped.code == 3 and "--as-new-run" in stopped.err and "--reopen" not in stopped.err
    latest = project.inside("test", f"{run}-2", FAKE_DRIFT="train")
    assert latest.code == 3 and "--no-test --reopen 1: decides" in latest.err


@pytest.mark.nightly
def test_answers_of_a_half_opened_test_set_are_told_nowhere(unopened, tmp_path):
    project, run = copy_of(unopened[0], tmp_path), unopened[1].document["run"]
    reports = project.folder / "reports" / run
    summary = (reports / "summary.json").read_bytes()
    assert project.inside("test", run).code == 0
    # As if it had been killed after the base model's answers, before the kept round's.
    journal = project.folder / ".harness" / "runs" / run / "journal.jsonl"
    *rounds, tested = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(rounds))
    kept = json.loads(tested)["test"][str(unopened[1].document["kept_round"])]["generate"]
    for stage, files in project.manifests().items():
        if digest(files) == kept:
            shutil.rmtree(project.folder / ".harness" / "artifacts" / stage)
    (reports / "summary.json").write_bytes(summary)
    (reports / "analysis.json").unlink()
    assert project.inside("report", run).code == 0
    found = query(reports / "run.duckdb", "SELECT count(*) FROM raw.predictions WHERE split='test'")
    assert found.rows == ((0,),)
    looked = project.inside("score", "--run", run, "--split", "test", "--open-test")
    assert looked.code == 4 and len(ledger_of(project)) == 2
    assert project.inside("test", run).code == 0


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(("asked", "doubts"), [((), 1), (("--no-test",), 0)])
def test_that_test_carries_no_verdict_is_said_before_training(project, asked, doubts):
    project.write()
    result = project.inside("iterate", "--rounds", "1", "--set", "data.test=16", *asked)
    assert result.code == 0, result.err
    before, after = result.err.split("round 1: ", 1)
    said = "note: test cannot carry a verdict: the 16 rows come from 16 groups"
    assert (before.count(said), after.count(said)) == (doubts, 0)
