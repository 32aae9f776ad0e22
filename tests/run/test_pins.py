"""A closed round is what it was: read by pin, and made again only to be the same again."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from harness.database.writing import query
from harness.kit.files import canonical
from harness.opened import opened, replay
from harness.records.context import Quiet
from tests.support.project import CONFIG, Project

TWO = ("iterate", "--rounds", "2", "--json")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A finished run of two rounds, made once; the tests get copies."""
    made = Project(tmp_path_factory.mktemp("once"))
    made.write(CONFIG + "report: []\n")
    return made, made.inside(*TWO)


@pytest.fixture
def first(once):
    """The summary of the finished run."""
    return once[1].document


@pytest.fixture
def project(once, tmp_path):
    """A copy of the folder with the finished run."""
    shutil.copytree(once[0].folder, tmp_path / "copy")
    return Project(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path):
    """A folder in which nothing has been run."""
    made = Project(tmp_path)
    made.write(CONFIG + "report: []\n")
    return made


def parts(project):
    """Journal, ledger and reports: what must not change where a run stops."""
    places = [project.folder / "reports", project.folder / ".harness" / "runs"]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    files += list((project.folder / ".harness").glob("*.jsonl"))
    passing = ("harness.log", "live.json", "lock", "reports.lock", "config.yaml", "command.json",
               "base.json")  # fmt: skip
    return {path: path.read_bytes() for path in files if path.name not in passing}


def journal_of(project, run):
    return project.folder / ".harness" / "runs" / run / "journal.jsonl"


def lose(project, *stages):
    for stage in stages or ("",):
        shutil.rmtree(project.folder / ".harness" / "artifacts" / stage)


def contents(manifests):
    """Stage -> what its artifacts hold. Equal ones may be stored once, under one key."""
    stages = {name.split("/")[0] for name in manifests} - {"summary"}
    return {
        stage: {
            json.dumps(files, sort_keys=True)
            for name, files in manifests.items()
            if name.startswith(f"{stage}/")
        }
        for stage in stages
    }


def stopped_at(result, run, place, round_):
    assert result.code == 3, result.err
    assert f"run {run}, {place}: what round {round_} was closed with" in result.err
    assert "harness iterate --rounds 2 --as-new-run: begins another run" in result.err
    assert f"harness iterate --rounds 2 --reopen {round_}: decides round {round_}" in result.err
    assert result.out == "" and "Traceback" not in result.err


def scores_are_of_the_answers(project, run):
    """Every stored score is the score of the stored answer beside it."""
    sql = (
        "SELECT e.reference, p.text, s.value FROM predictions p JOIN examples e USING (split, id) "
        "JOIN example_scores s USING (arm, round, split, id) WHERE s.name = 'overlap'"
    )
    table = query(project.folder / "reports" / run / "run.duckdb", sql)
    assert len(table.rows) >= 48 * 5
    for reference, text, value in table.rows:
        wanted, words = reference.split(), text.split()
        right = sum(a == b for a, b in zip(wanted, words, strict=False)) / len(wanted)
        assert value == pytest.approx(right), (reference, text)


def test_answers_that_come_out_otherwise_stop_the_run(project, first):
    run = first["run"]
    lose(project, "generate")
    before = parts(project)
    for _ in range(2):
        stopped_at(project.inside(*TWO, FAKE_DRIFT="generate"), run, "round 0: generate", 0)
    assert parts(project) == before


@pytest.mark.nightly
def test_rounds_that_are_decided_again_rest_on_what_is_stored_now(project, first):
    before = journal_of(project, first["run"]).read_bytes()
    lose(project, "generate", "generate test")
    assert project.inside(*TWO, FAKE_DRIFT="generate").code == 3
    again = project.inside(*TWO, "--reopen", "0", FAKE_DRIFT="generate")
    assert again.code == 0, again.err
    assert "round 0 and all later ones are decided again" in again.err
    document = again.document
    assert document["run"] == first["run"]
    assert document["rounds"][2]["scores"] != first["rounds"][2]["scores"]
    scores_are_of_the_answers(project, first["run"])
    after = journal_of(project, first["run"]).read_bytes()
    assert after.startswith(before) and after.count(b'"result"') == 6
    assert project.inside(*TWO, FAKE_DRIFT="generate").document == document


@pytest.mark.nightly
def test_a_run_that_is_decided_again_tells_nothing_of_before(project, first):
    run = first["run"]
    lose(project, "train")
    moments = project.folder / "moments"
    killed = project.harness(*TWO, "--reopen", "1", FAKE_DRIFT="train", FAKE_KILLS=str(moments))
    assert killed.code == -signal.SIGKILL and moments.read_text().split()[2] == "train"
    summary = json.loads((project.folder / "reports" / run / "summary.json").read_text())
    assert [one["round"] for one in summary["rounds"]] == [0] and summary["test"] is None
    shown = project.inside("runs", "--json").document[0]
    assert shown["rounds"] == 0, shown
    assert project.inside("errors").code == 0
    assert query(project.folder / "reports" / run / "run.duckdb", "FROM rounds").rows[1:] == ()


@pytest.mark.nightly
def test_another_run_leaves_the_first_one_as_it_was(project, first):
    run = first["run"]
    lose(project, "generate")
    before = parts(project)
    assert project.inside(*TWO, FAKE_DRIFT="generate").code == 3
    new = project.inside(*TWO, "--as-new-run", FAKE_DRIFT="generate")
    assert new.code == 0, new.err
    assert new.document["run"] == f"{run}-2"
    after = parts(project)
    for path, data in before.items():
        # The ledger of the folder has one more opening; nothing else of the first run is touched.
        assert after[path].startswith(data) if path.suffix == ".jsonl" else after[path] == data
    assert new.document["test"]["looks"] == 2
    scores_are_of_the_answers(project, f"{run}-2")
    # The same command goes on with the latest run.
    assert project.inside(*TWO, FAKE_DRIFT="generate").document == new.document
    assert project.inside(*TWO, "--as-new-run").document["run"] == f"{run}-3"


def test_a_test_set_is_not_scored_again_on_other_answers(project, first):
    run = first["run"]
    lose(project, "generate test")
    before = parts(project)
    stopped = project.inside(*TWO, FAKE_DRIFT="generate")
    stopped_at(stopped, run, "round 0: generate test", 0)
    assert parts(project) == before


@pytest.mark.nightly
def test_an_analyzer_that_is_mended_changes_no_closed_round(fresh):
    first = fresh.inside(*TWO, FAKE_DRIFT="analyze")
    assert "analyzer 'fake' failed" in first.err
    before, run = fresh.manifests(), first.document["run"]
    journal = journal_of(fresh, run).read_bytes()
    shutil.rmtree(fresh.folder / "reports")
    again = fresh.inside(*TWO)
    assert again.code == 0, again.err
    assert again.bare == first.bare
    assert journal_of(fresh, run).read_bytes() == journal
    after = {name: files for name, files in fresh.manifests().items() if name in before}
    assert {k: v for k, v in after.items() if not k.startswith("summary/")} == {
        k: v for k, v in before.items() if not k.startswith("summary/")
    }
    lose(fresh, "analyze")
    stopped_at(fresh.inside(*TWO), run, "round 0: analyze", 0)


def test_a_trainer_that_does_not_repeat_itself_never_reaches_the_test_set(project, first):
    run = first["run"]
    lose(project, "train")
    before = parts(project)
    stopped_at(project.inside(*TWO, FAKE_DRIFT="train"), run, "round 1: train", 1)
    assert parts(project) == before


@pytest.mark.nightly
@pytest.mark.parametrize("extra", [(), ("augment=[{plugin: fake, rows: 5, control: random}]",)])
def test_everything_that_is_lost_and_comes_out_the_same_is_made_again(fresh, extra):
    given = (*TWO, *(part for text in extra for part in ("--set", text)))
    first = fresh.inside(*given)
    before, kept = fresh.manifests(), parts(fresh)
    lose(fresh)
    again = fresh.inside(*given)
    assert again.code == 0, again.err
    assert again.bare == first.bare
    assert contents(fresh.manifests()) == contents(before)
    for path in (journal_of(fresh, first.document["run"]), *kept):
        if path.suffix == ".jsonl" and path.name != "uses.jsonl":  # noted in another order
            assert path.read_bytes() == kept[path]


def test_a_journal_of_an_earlier_version_is_refused_with_what_to_do(project, first):
    journal = journal_of(project, first["run"])
    unsealed = {"schema": 1, "result": json.loads(journal.read_text().splitlines()[0])["result"]}
    journal.write_bytes(canonical(unsealed) + b"\n")
    shutil.rmtree(project.folder / "reports")
    refused = project.inside(*TWO)
    assert refused.code == 4 and "journal.jsonl:1: " in refused.err and "--reopen 0" in refused.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--reopen", "3"), "round 3 is not closed (rounds 0 to 2 are)"),
        (("--reopen", "0", "--as-new-run"), "one only"),
        (("--reopen", "-1"), "--reopen"),
    ],
)
def test_what_cannot_be_opened_again_changes_nothing(project, given, words):
    before = parts(project)
    refused = project.inside(*TWO, *given)
    assert refused.code == 2 and words in refused.err
    assert parts(project) == before


@pytest.mark.nightly
def test_a_damaged_journal_goes_on_by_the_way_that_its_error_names(project, first):
    journal = journal_of(project, first["run"])
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"kept":true', b'"kept":fals')
    journal.write_bytes(b"".join(lines))
    damaged = journal.read_bytes()
    for command in (TWO, ("rebuild",)):
        refused = project.inside(*command)
        assert refused.code == 4 and "journal.jsonl:2: this line is damaged" in refused.err
        assert "harness iterate --reopen 1" in refused.err
    again = project.inside(*TWO, "--reopen", "1")
    assert again.code == 0, again.err
    for part in ("rounds", "kept_round"):
        assert again.document[part] == first[part]
    assert journal.read_bytes().startswith(damaged)
    assert project.inside(*TWO).document == again.document


def looked_at(project, run):
    assert project.inside("rebuild", run).code == 0
    for command in (("errors",), ("why", "dev-4"), ("compare", "0", "1"), ("report", run)):
        result = project.inside(*command)
        assert result.code == 0, (command, result.err)


def everything(project):
    return {
        path: path.read_bytes()
        for path in (project.folder / ".harness").rglob("*")
        if path.is_file() and not path.name.endswith("lock")
    }


def test_looking_decides_nothing_and_counts_nothing(project, first):
    run = first["run"]
    journal = journal_of(project, run)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]))
    (project.folder / ".harness" / "test-openings.jsonl").unlink()
    before = everything(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        steps, history = replay(opened(run, Quiet()))
        assert not hasattr(steps.run.journal, "close")
    assert [place[1] for place in history.results] == [0, 1] and history.test is None
    assert "round 2 is not closed" in steps.stopped.what
    for command in (("errors",), ("why", "dev-4"), ("compare", "0", "1")):
        assert project.inside(*command).code == 0
    assert everything(project) == before


@pytest.mark.nightly
def test_looking_leaves_the_work_of_a_running_process_alone(project, first):
    run = first["run"]
    half_done = project.folder / ".harness" / "work" / run / "train-1" / "output"
    half_done.mkdir(parents=True)
    (half_done / "step.txt").write_text("half")
    lose(project, "score", "detect")
    looked_at(project, run)
    assert (half_done / "step.txt").read_text() == "half"
    assert [path.name for path in Path(half_done.parents[2]).iterdir()] == [run]


@pytest.mark.nightly
@pytest.mark.usefixtures("as_outside")
def test_a_run_in_progress_is_looked_at_without_waiting_for_it(fresh):
    slow = ("iterate", "--rounds", "1", "--set", "train.seconds=20")
    running = fresh.start(*slow, FAKE_SPY=str(fresh.folder / "seen.jsonl"))
    with running:
        deadline = time.monotonic() + 60
        while b'"trainer"' not in seen(fresh) and time.monotonic() < deadline:
            time.sleep(0.05)
        (run,) = [path.name for path in (fresh.folder / ".harness" / "work").iterdir()]
        before = everything(fresh)
        for command in (("errors",), ("report", run), ("rebuild", run)):
            result = fresh.inside(*command)
            assert result.code == 0, (command, result.err)
        added = everything(fresh).keys() - before.keys()
        work = list((fresh.folder / ".harness" / "work" / run).iterdir())
        assert running.poll() is None
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert not added and any(path.name.startswith("train-") for path in work)


def seen(project):
    path = project.folder / "seen.jsonl"
    return path.read_bytes() if path.exists() else b""
