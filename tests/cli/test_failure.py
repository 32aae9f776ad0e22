"""The command line: one message for each failure, right exit codes, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import FAKES

SHORT = ("--rounds", "1", "--json")


def sets(*texts):
    return [part for text in texts for part in ("--set", text)]


def fails(result, code, *words):
    assert result.code == code, result.err
    assert result.out == ""
    assert "Traceback" not in result.err
    assert [word for word in words if word not in result.err] == []
    return result.err


def test_usage_errors_are_one_message(project):
    project.write("ronuds: 3\n" + (project.folder / "harness.yaml").read_text())
    err = fails(project.inside("iterate"), 2, "harness.yaml:1", "did you mean 'rounds'?")
    assert err.startswith("config: 1 problem in the config")
    assert not (project.folder / ".harness").exists()


def test_a_config_that_is_not_there(project):
    fails(project.inside("iterate", "-c", "no.yaml"), 2, "no.yaml", "does not exist")


def test_an_override_that_is_none(project):
    fails(project.inside("iterate", "--set", "rounds"), 2, "KEY=VALUE")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module_anywhere", "No module named"),
        ("import harness\n@harness.hookimpl\ndef register_metric(): return []", "no hook"),
    ],
)
def test_a_plugin_file_that_cannot_be_used(project, text, words):
    project.write(text, "own.py")
    err = fails(project.inside("iterate", *sets("plugins=[own.py]")), 5, "own.py", words)
    assert "--debug" in err
    debug = project.inside("--debug", "iterate", *sets("plugins=[own.py]"))
    assert "Traceback" in debug.err and debug.code == 5


def test_a_claimed_name_names_both_plugins(project):
    shutil.copy(FAKES, project.folder / "again.py")
    err = fails(project.inside("iterate", *sets(f"plugins=[{FAKES}, again.py]")), 5)
    assert "claimed by both" in err and "again.py" in err and "fakes.py" in err


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("give", "words"),
    [("", "cannot [bold]count[/bold] this"), ("nan", "nan"), ("none", ""), ("text", "high")],
)
def test_a_metric_that_fails_on_one_example_leaves_it_unscored(project, give, words):
    options = f"metrics=[{{plugin: overlap, fail_on: dev-7, give: '{give}'}}]"
    result = project.inside("iterate", *SHORT, *sets(options))
    assert result.code == 0, result.err
    document = result.document
    for one in document["rounds"]:
        assert one["scores"]["overlap"]["unscored"] == 1
        assert one["scores"]["overlap"]["n"] == 47
        assert 0 < one["scores"]["overlap"]["value"] < 1
    notes = [note for note in document["notes"] if "dev-7" in note]
    if give != "none":
        assert len(notes) == 2 and all(words in note and "1 of 48" in note for note in notes)


@pytest.mark.nightly
def test_an_analyzer_that_fails_is_noted_and_the_run_goes_on(project):
    result = project.inside("iterate", *SHORT, *sets("analyze=[{plugin: fake, fail: true}]"))
    assert result.code == 0, result.err
    notes = [n for n in result.document["notes"] if "analyzer 'fake' failed" in n]
    assert len(notes) == 2 and all("no idea" in note for note in notes)
    assert result.document["rounds"][1]["slices"] == []
    assert result.document["rounds"][1]["added"] == 10
    assert "no idea" in result.err


def test_an_empty_split_is_a_data_error(project):
    fails(project.inside("iterate", *SHORT, *sets("data.dev=0")), 4, "'dev' has no row", "'fake'")
    fails(project.inside("check", *sets("data.test=0")), 4, "'test' has no row")


BROKEN = """
import harness
class Broken(harness.Trainer):
    name = "broken"
    def train(self, base, train, valid, context):
        raise ValueError("a [red]shape[/red] is wrong")
@harness.hookimpl
def register_trainers():
    return [Broken]
"""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_a_trainer_that_raises_is_named_with_its_round(project, launcher):
    project.write(BROKEN, "own.py")
    given = sets(
        f"plugins=[{FAKES}, own.py]", "train={plugin: broken}", f"execution.launcher={launcher}"
    )
    words = ("trainer 'broken' from", "own.py", "round 1: train", "a [red]shape[/red] is wrong")
    fails(project.inside("iterate", *given), 5, *words)
    debug = project.inside("--debug", "iterate", *given)
    assert "raise ValueError" in debug.err


def spoil(path: Path, how: str) -> None:
    raw = bytearray(path.read_bytes())
    if how == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        raw[len(raw) // 2] ^= 4
        path.write_bytes(raw)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("stage", "name", "how"),
    [
        ("train", "skill.json", "flipped"),
        ("generate", "predictions.jsonl", "truncated"),
        ("summary", "summary.json", "flipped"),
        ("data", "manifest.json", "truncated"),
    ],
)
def test_a_damaged_artifact_is_named_and_made_again(short, stage, name, how):
    project, first = short
    manifests = project.manifests()
    damaged = sorted((project.folder / ".harness" / "artifacts" / stage).glob(f"*/{name}"))[0]
    spoil(damaged, how)
    shutil.rmtree(project.folder / "reports")
    again = project.inside("iterate", *SHORT)
    assert again.code == 0, again.err
    assert "warning" in again.err and stage in again.err and "made again" in again.err
    assert again.bare == first.bare
    after = project.manifests()
    assert {k for k in after if not k.startswith("summary")} == {
        k for k in manifests if not k.startswith("summary")
    }


@pytest.mark.nightly
def test_swapped_artifacts_are_made_again(short):
    project, first = short
    one, two, *_ = sorted((project.folder / ".harness" / "artifacts" / "generate").iterdir())
    one.rename(one.with_name("aside"))
    two.rename(one)
    one.with_name("aside").rename(two)
    shutil.rmtree(project.folder / "reports")
    again = project.inside("iterate", *SHORT)
    assert again.err.count("(swapped)") == 2
    assert again.bare == first.bare


@pytest.fixture(params=[60, 200], ids=["early", "late"])
def tiny_disk(tmp_path, request):
    """A file system of some kB, where one can be had.

    The small one is full before the first stage is done, the other after some.
    """
    folder = tmp_path / "tiny"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(options, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.nightly
def test_a_full_disk_is_one_message_and_loses_nothing(project, tiny_disk, request):
    small = type(project)(tiny_disk)
    small.write()
    fails(small.harness("iterate", *SHORT), 3, "the disk is full", "  -> ")
    done = small.manifests()
    assert bool(done) == request.node.name.endswith("[late]")
    subprocess.run(["mount", "-o", "remount,size=64m", str(tiny_disk)], check=True)
    after = small.inside("iterate", *SHORT)
    assert after.code == 0, after.err
    assert done.items() <= small.manifests().items()
    assert not list(tiny_disk.rglob("*.tmp"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(project):
    project.folder.chmod(0o500)
    fails(project.inside("iterate"), 3, "cannot write")


# -- commands that look ----------------------------------------------------------------------


def test_check_says_what_is_there_and_changes_nothing(project):
    before = sorted(project.folder.rglob("*"))
    result = project.inside("check")
    assert result.code == 0, result.err
    assert "fine" in result.out and "40 train, 40 pool, 48 dev, 48 test" in result.out
    assert "warning" not in result.out
    assert sorted(project.folder.rglob("*")) == before


def test_check_warns_of_too_few_groups(project):
    result = project.inside("check", *sets("data.groups=8"))
    assert result.code == 0
    assert "dev cannot carry a verdict" in result.out and "8 groups" in result.out


def test_runs_lists_the_latest_first(finished):
    project, done = finished
    (row,) = json.loads(project.inside("runs", "--json").out)
    assert row["run"] == done.document["run"]
    assert row["rounds"] == 3 and row["kept"] == 3 and row["verdict"] == "improved"
    assert done.document["run"] in project.inside("runs").out


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": "harness.summary/4"}', "[" * 9999]
)
def test_a_damaged_summary_hides_no_other_run(finished, tmp_path, text):
    project, done = finished
    shutil.copytree(project.folder / "reports", tmp_path / "reports")
    bad = tmp_path / "reports" / "bad" / "summary.json"
    bad.parent.mkdir()
    bad.write_text(text)
    copy = type(project)(tmp_path)
    listed = copy.inside("runs", "--json")
    assert [row["run"] for row in listed.document] == [done.document["run"]]
    assert "warning: reports/bad/summary.json is passed over: " in listed.err
    latest = copy.inside("query", "SELECT run FROM runs", "--json")
    assert latest.document == [{"run": done.document["run"]}] and "reports/bad" in latest.err


def test_report_shows_the_latest_or_the_named_run(finished):
    project, done = finished
    name = done.document["run"]
    analysis = project.inside("report", "--json").document
    assert analysis["schema"] == "harness.analysis/4"
    for key in set(done.document) - {"schema", "examples"}:
        assert analysis[key] == done.document[key], key
    assert project.inside("report", name, "--json").document == analysis
    assert "IMPROVED" in project.inside("report").out


def test_an_unknown_run_says_what_is_near(finished):
    project, done = finished
    name = done.document["run"]
    err = fails(project.inside("report", name[:-1]), 2, f"did you mean '{name}'?")
    assert err.startswith("usage:")


def test_before_the_first_run(project):
    assert "no runs yet" in project.inside("runs").out
    assert json.loads(project.inside("runs", "--json").out) == []
    fails(project.inside("report"), 2, "no run in this folder")


def test_plugins_lists_what_is_installed(project):
    document = json.loads(project.inside("plugins", "--json").out)
    found = {(one["stage"], one["name"]) for one in document["plugins"]}
    assert {("reporter", "terminal"), ("analyzer", "slices"), ("detector", "basic")} <= found
    assert all(one["doc"] and one["origin"] for one in document["plugins"])
    assert "terminal" in project.inside("plugins").out


def test_config_show_prints_what_can_be_loaded(project):
    shown = project.inside("config", "show").out
    project.write(shown, "shown.yaml")
    assert project.inside("config", "show", "-c", "shown.yaml").out == shown
    assert "explore: 0.2" in shown


def test_config_show_says_where_each_value_is_from(project):
    result = project.inside("config", "show", "--origin", "--rounds", "2", *sets("train.gain=1"))
    lines = {line.split()[0]: line for line in result.out.splitlines() if line.split()}
    assert lines["rounds"].split()[1:] == ["2", "--rounds"]
    assert lines["seed"].rstrip().endswith("harness.yaml:2")
    assert lines["train.gain"].rstrip().endswith("--set train.gain=1")
    assert lines["plan.explore"].rstrip().endswith("default")


def test_help_and_version(project):
    from harness import __version__

    assert project.inside("--version").out == f"harness {__version__}\n"
    out = project.inside("--help").out
    for command in ("iterate", "check", "report", "runs", "plugins", "config"):
        assert command in out
    assert project.inside("iterat").code == 2
