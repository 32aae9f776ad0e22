"""``harness clean``: what nothing needs goes, what other runs need stays, a kill leaves no half."""

from __future__ import annotations

import io
import os
import shutil
import signal

import pytest

from harness import open_run
from harness.errors import DataError, EnvironmentFailure
from harness.kit.files import append_line
from harness.kit.lock import exclusive
from harness_runs import space
from tests.support.project import CONFIG, FAKES

TRAINER = f"""
import json, os, runpy
import harness

FAKES = runpy.run_path({str(FAKES)!r})

class Weighty(FAKES["FakeTrainer"]):
    name = "weighty"

    def train(self, base, train, valid, context):
        (context.scratch / "step").write_text("1")
        if os.environ.get("DIE"):
            os.kill(os.getpid(), 9)
        made = super().train(base, train, valid, context)
        (context.output / "weights.bin").write_bytes(bytes(50_000) + str(context.round).encode())
        return made

@harness.hookimpl
def register_trainers():
    return [Weighty]
"""
GIVEN = ("iterate", "--json", "--set", "report=[]")


@pytest.fixture
def weighty(project, monkeypatch):
    (project.folder / "weighty.py").write_text(TRAINER)
    text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, weighty.py]").replace("rounds: 3", "rounds: 2")
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: weighty}"))
    monkeypatch.chdir(project.folder)
    return project


def artifacts(project):
    return sorted(project.folder.glob(".harness/artifacts/*/*"))


def test_where_nothing_is_nothing_goes(project):
    done = project.inside("clean")
    assert done.code == 0 and "nothing may go here" in done.out


@pytest.mark.nightly
def test_a_run_goes_whole_and_what_another_one_needs_stays(weighty):
    first = weighty.inside(*GIVEN)
    name, before = first.document["run"], artifacts(weighty)
    other = weighty.inside(*GIVEN, "--set", "rounds=1")
    both = artifacts(weighty)
    assert len(both) > len(before)
    ledger = (weighty.folder / ".harness/test-openings.jsonl").read_bytes()

    assert weighty.inside("clean", name, "--dry-run").code == 0
    asked = weighty.inside("clean", name)
    assert asked.code == 2 and "--yes" in asked.err
    assert artifacts(weighty) == both

    assert weighty.inside("clean", name, "--yes").code == 0
    assert not (weighty.folder / "reports" / name).exists()
    left = artifacts(weighty)
    assert set(left) < set(both) and set(left) & set(before)
    assert (weighty.folder / ".harness/test-openings.jsonl").read_bytes() == ledger
    again = weighty.inside(*GIVEN, "--set", "rounds=1")
    assert again.document == other.document
    assert artifacts(weighty) == left
    assert weighty.inside(*GIVEN).bare["rounds"] == first.bare["rounds"]


def test_what_the_list_does_not_say_to_go_stays(weighty):
    name = weighty.inside(*GIVEN, "--set", "rounds=1").document["run"]
    before = artifacts(weighty)
    unused = weighty.folder / ".harness/artifacts/train/unused"
    unused.mkdir(parents=True)
    (unused / "weights.bin").write_bytes(bytes(1000))
    assert weighty.inside("clean", name, "--yes").code == 0
    assert artifacts(weighty) == [unused] and before
    assert weighty.inside("clean", "--yes").code == 0
    assert not artifacts(weighty)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (space.Kind.ARTIFACTS, "artifacts/train/unused"),
        (space.Kind.WEIGHTS, "artifacts/train/unused"),
        (space.Kind.WORK, "work/other"),
    ],
)
def test_what_a_run_that_has_begun_meanwhile_may_want_stays(tmp_path, kind, place):
    weights = tmp_path / ".harness" / place / "weights.bin"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(bytes(1000))
    part = space.Part(kind, "train", (weights.parent,), 1000)
    with exclusive(tmp_path / ".harness/runs/other/lock"):
        with pytest.raises(EnvironmentFailure, match="other has begun"):
            space.remove_part(tmp_path, part)
        assert weights.exists()
    space.remove_part(tmp_path, part)
    assert not weights.exists()


@pytest.mark.parametrize(("said", "left"), [("", 1), ("n\n", 1), ("y\n", 0)])
def test_only_a_yes_removes(weighty, monkeypatch, said, left):
    unused = weighty.folder / ".harness/artifacts/train/unused"
    unused.mkdir(parents=True)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(said))
    assert weighty.inside("clean").code == 0
    assert len(artifacts(weighty)) == left


@pytest.mark.nightly
def test_weights_that_were_not_kept_go_and_the_run_stands(weighty):
    first = weighty.inside(*GIVEN)
    best = first.document["kept_round"]
    other = 1 if best == 2 else 2
    weights = list(weighty.folder.rglob("weights.bin"))
    assert len(weights) == 2 and best
    assert "weights not kept" in weighty.inside("clean", "--dry-run").out
    assert weighty.inside("clean", "--yes").code == 0
    assert all(path.exists() for path in weights)
    assert weighty.inside("clean", "--adapters", "--yes").code == 0
    [kept] = [path for path in weights if path.exists()]
    assert kept.read_bytes().endswith(str(best).encode())
    assert weighty.inside(*GIVEN).document == first.document
    assert weighty.inside("rebuild").code == 0
    run = open_run()
    assert run.model().path == str(kept.parent)
    with pytest.raises(DataError, match="removed by harness clean"):
        run.model(other)
    # A run that has yet to answer by them trains them again, and that heals the store.
    weighty.inside(*GIVEN, "--reopen", "1")
    assert len(list(weighty.folder.rglob("weights.bin"))) == 2
    assert not list(weighty.folder.rglob("emptied"))


@pytest.mark.nightly
def test_reports_whose_run_is_gone_go_by_its_name(weighty):
    name = weighty.inside(*GIVEN, "--set", "rounds=1").document["run"]
    shutil.rmtree(weighty.folder / ".harness/runs" / name)
    assert weighty.inside("clean", name, "--yes").code == 0
    assert not list((weighty.folder / "reports").iterdir())
    assert not list(weighty.folder.glob(".harness/runs/*"))


@pytest.mark.nightly
def test_what_an_interrupted_training_has_left_goes(weighty):
    assert weighty.harness(*GIVEN, DIE="1").code == -signal.SIGKILL
    stored = artifacts(weighty)
    assert "interrupted work" in weighty.inside("clean", "--dry-run").out
    assert weighty.inside("clean", "--yes").code == 0
    assert not list(weighty.folder.glob(".harness/work/*"))
    assert artifacts(weighty) == stored
    assert weighty.inside(*GIVEN).code == 0


def test_nothing_of_a_run_in_progress_goes(weighty):
    assert weighty.harness(*GIVEN, DIE="1").code == -signal.SIGKILL
    [folder] = (weighty.folder / ".harness/runs").iterdir()
    unused = weighty.folder / ".harness/artifacts/train/unused"
    unused.mkdir(parents=True)
    with exclusive(folder / "lock"):
        seen = weighty.inside("clean", "--yes")
        assert "in progress" in seen.out and unused.exists()
        assert list(weighty.folder.glob(".harness/work/*/*/scratch/step"))
        refused = weighty.inside("clean", folder.name, "--yes")
        assert refused.code == 3 and "in progress" in refused.err
    assert weighty.inside("clean", "--yes").code == 0
    assert not unused.exists()


def test_no_link_is_followed(weighty, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious").write_text("x")
    name = weighty.inside(*GIVEN).document["run"]
    (weighty.folder / ".harness/artifacts/train/link").symlink_to(outside)
    (weighty.folder / ".harness/artifacts/linked").symlink_to(outside)
    shutil.rmtree(weighty.folder / "reports" / name)
    (weighty.folder / "reports" / name).symlink_to(outside)
    (weighty.folder / ".harness/work" / name / "link").symlink_to(outside)
    assert weighty.inside("clean", name, "--adapters", "--yes").code == 0
    assert (outside / "precious").exists()
    (weighty.folder / ".harness").rename(outside / "machine")
    (weighty.folder / ".harness").symlink_to(outside / "machine")
    assert "not followed" in weighty.inside("clean", "--yes").out


def strangers_use(project, stage, folder):
    """One more line in what the run says it has used, with a seal as ours have."""
    [run] = (project.folder / ".harness/runs").iterdir()
    append_line(run / "uses.jsonl", {"stage": stage, "folder": folder, "arm": "main", "round": 99})


def test_a_run_that_names_a_folder_of_yours_takes_nothing_away(weighty, tmp_path_factory):
    precious = tmp_path_factory.mktemp("precious")
    (precious / "inner").mkdir()
    (precious / "thesis.txt").write_bytes(bytes(300_000))
    weighty.inside(*GIVEN)
    [noted] = weighty.folder.glob(".harness/runs/*/uses.jsonl")
    honest, before = noted.read_bytes(), sorted(weighty.folder.rglob("*"))
    up = os.path.relpath(precious, weighty.folder / ".harness/artifacts/train")
    for stage in ("train", "..", "", "/", up):
        for folder in (str(precious), up, "..", ".", ""):
            noted.write_bytes(honest)
            strangers_use(weighty, stage, folder)
            done = weighty.inside("clean", "--adapters", "--yes")
            assert done.code == 0 and "does not say which ones it has used" in done.out
            assert sorted(weighty.folder.rglob("*")) == before
    assert (precious / "thesis.txt").stat().st_size == 300_000 and (precious / "inner").is_dir()


def test_an_artifact_is_removed_as_one_or_not_at_all(tmp_path):
    """Whatever made the part: its kind says where its paths have to lie."""
    precious = tmp_path / "precious"
    precious.mkdir()
    for kind in space.Kind:
        for path in (precious, tmp_path / ".harness/artifacts/train/../../../precious"):
            with pytest.raises(DataError):
                space.remove_part(tmp_path, space.Part(kind, "train", (path,), 1))
    assert precious.is_dir()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("place", [".harness/artifacts/train", "reports"])
def test_a_folder_that_is_a_link_is_passed_over_and_said(weighty, tmp_path_factory, place):
    name = weighty.inside(*GIVEN).document["run"]
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "folder"
    (weighty.folder / place).rename(elsewhere)
    (weighty.folder / place).symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    for command in (("--adapters",), (name,)):
        done = weighty.inside("clean", *command, "--yes")
        assert done.code == 0 and f"{place} is a link, which is not followed" in done.out
    assert sorted(elsewhere.rglob("*")) == before
    assert not list(weighty.folder.glob(".harness/runs/*"))


def test_the_paths_that_go_are_shown_before_anybody_is_asked(weighty):
    name = weighty.inside(*GIVEN).document["run"]
    unused = weighty.folder / ".harness/artifacts/train/unused"
    unused.mkdir()
    listed = weighty.inside("clean", "--dry-run").out
    assert ".harness/artifacts/train/unused" in listed and f"reports/{name}" not in listed
    assert f"reports/{name}" in weighty.inside("clean", name, "--dry-run").out
    spare = list(weighty.folder.rglob("weights.bin"))
    shown = weighty.inside("clean", "--adapters", "--dry-run").out
    assert sum(str(path.parent.relative_to(weighty.folder)) in shown for path in spare) == 1


@pytest.mark.nightly
@pytest.mark.parametrize("place", [2, 1])
@pytest.mark.parametrize("call", ["rename", "rmtree", "unlink"])
def test_a_kill_in_the_middle_leaves_what_both_commands_understand(weighty, call, place):
    first = weighty.inside(*GIVEN)
    name = first.document["run"]
    child = os.fork()
    if not child:
        module = {"rename": os, "rmtree": shutil, "unlink": os}[call]
        plain, calls = getattr(module, call), []

        def dies(*given, **named):
            calls.append(1)
            if len(calls) == place:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*given, **named)

        setattr(module, call, dies)
        weighty.inside("clean", name, "--adapters", "--yes")
        os._exit(0)
    os.waitpid(child, 0)
    listed = weighty.inside("clean", "--dry-run")
    assert listed.code == 0, listed.err
    again = weighty.inside(*GIVEN)
    assert again.code == 0, again.err
    assert again.bare["rounds"] == first.bare["rounds"]
    cleaned = weighty.inside("clean", name, "--yes")
    assert cleaned.code == 0, cleaned.err
    assert not artifacts(weighty) and not list(weighty.folder.glob(".harness/work/*"))


@pytest.mark.nightly
def test_a_run_that_does_not_say_what_it_used_keeps_all_artifacts(weighty):
    weighty.inside(*GIVEN)
    [path] = weighty.folder.glob(".harness/runs/*/uses.jsonl")
    path.write_bytes(path.read_bytes()[:-30] + b"\n")
    (weighty.folder / ".harness/artifacts/train/unused").mkdir()
    found = space.space(weighty.folder)
    assert found.unclear and not found.unneeded and not found.adapters


def test_of_many_runs_the_largest_are_listed_after_those_that_go(project):
    for number in range(60):
        summary = project.folder / "reports" / f"run-{number:02d}" / "summary.json"
        summary.parent.mkdir(parents=True)
        summary.write_bytes(bytes(1000 * (60 - number)))
    asked = project.inside("clean", "run-57", "--dry-run", COLUMNS="120").out
    listed = [line.split()[1] for line in asked.splitlines() if line.startswith("run  run-")]
    assert listed == ["run-57", *(f"run-{number:02d}" for number in range(49))]
    # The ten that are left out have 1, 2 and 4 to 11 kB.
    assert "and 10 more: --json lists all  63 kB" in asked
    assert len(project.inside("clean", "--json").document["runs"]) == 60
    many = [f"run-{number:02d}" for number in range(60)]
    assert "10 go" in project.inside("clean", *many, "--dry-run", COLUMNS="120").out
