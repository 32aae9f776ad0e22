"""A run's folder of a stranger: looking at it runs none of the code that it names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.context import Quiet
from harness.engine import resume_command, trust
from harness.engine.beginning import PLUGINS
from harness.kit import yaml_file
from harness.kit.files import append_line, files_digest, write_json
from harness.records import Checkpoint
from harness.store.writing import query
from tests.support.project import CONFIG, FAKES, Project, Result

EVIL = """
import pathlib

import harness

pathlib.Path("ran").touch()


class Own(harness.Section):
    name = "evil"
    always = True

    def blocks(self, document):
        return [harness.kit.blocks.Paragraph("from the file")]


@harness.hookimpl
def register_sections():
    return [Own]
"""
LOOKING = [
    ("report",), ("report", "--html", "page.html"), ("report", "--json"), ("errors",),
    ("compare", "0", "1"), ("compare", "--all"), ("advise",), ("rebuild",), ("runs",),
    ("try", "--prompt", "repeat: x"), ("why", "dev-0"), ("query", "FROM rounds"), ("test",),
    ("export", "-o", "model"),
]  # fmt: skip


@pytest.fixture
def strangers(short: tuple[Project, Result]) -> Project:
    """A run whose config names a file beside it; no config of this project does."""
    project, _ = short
    (project.folder / "harness.yaml").unlink()
    run = folder_of(project)
    (run / "evil.py").write_text(EVIL)
    name_plugins(run, [str(run / "evil.py")])
    return project


def name_plugins(run: Path, files: object) -> None:
    """Change what the config in this folder has under ``plugins``."""
    values = {**yaml_file.read(run / "config.yaml")[0], "plugins": files}
    (run / "config.yaml").write_bytes(yaml_file.dump(values).encode())


def folder_of(project: Project) -> Path:
    return next((project.folder / ".harness" / "runs").iterdir())


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("command", LOOKING, ids=lambda words: " ".join(words))
def test_looking_runs_no_code_of_its_folder(strangers: Project, command: tuple[str, ...]) -> None:
    done = strangers.inside(*command)
    assert not (strangers.folder / "ran").exists()
    assert "Traceback" not in done.err
    if command[0] in ("report", "errors", "advise", "why"):
        assert done.code == 0
        [line] = [line for line in done.err.splitlines() if "plugin" in line]
        assert "left out" in line and "evil.py" in line and "--trust" in line
    elif command[0] in ("rebuild", "try", "test", "export") or command == ("compare", "0", "1"):
        assert done.code == 2
        assert "its code is not run" in done.err and "evil.py" in done.err
        assert "--trust" in done.err


@pytest.mark.parametrize("words", [("report", "--trust"), ("--trust", "report")])
def test_with_trust_it_is_run(strangers: Project, words: tuple[str, ...]) -> None:
    assert strangers.inside(*words).code == 0
    assert (strangers.folder / "ran").exists()
    (strangers.folder / "ran").unlink()
    strangers.inside("report")
    assert not (strangers.folder / "ran").exists()


def note_plugin(run: Path, file: Path) -> None:
    """As if the run in this folder had been made with the file as it is."""
    write_json(run / PLUGINS, {str(file.resolve()): files_digest([file])})


def test_a_config_in_the_folders_of_runs_is_not_this_projects_own(strangers: Project) -> None:
    run = folder_of(strangers)
    for place in (run, strangers.folder / ".harness", strangers.folder / "reports"):
        own = place / "own.yaml"
        own.write_text(f"plugins: [{run / 'evil.py'}]\n")
        write_json(run / "command.json", ["harness", "iterate", "-c", str(own)])
        note_plugin(run, run / "evil.py")
        strangers.inside("report")
        assert not (strangers.folder / "ran").exists()


@pytest.mark.parametrize("changed", [False, True])
def test_what_the_projects_config_names_is_run_as_it_is_now(
    project: Project, changed: bool
) -> None:
    own = project.folder / "own.py"
    own.write_text(EVIL)
    project.write(CONFIG.replace("plugins: [", "plugins: [own.py, "))
    assert project.inside("iterate", "--rounds", "1", "--json").code == 0
    (project.folder / "ran").unlink()
    if changed:
        own.write_text(EVIL + "\n# another one\n")
    done = project.inside("report", "--full")
    assert done.code == 0
    assert (project.folder / "ran").exists()
    assert "from the file" in done.out and "left out" not in done.err


def test_beside_the_projects_own_plugins_those_of_its_folder_are_not_run(
    strangers: Project,
) -> None:
    mine = EVIL.replace("ran", "mine").replace("evil", "own").replace("the file", "my file")
    strangers.write(mine, "own.py")
    strangers.write("plugins: [own.py]\n")
    done = strangers.inside("report", "--full")
    assert "from my file" in done.out and "from the file" not in done.out
    assert "left out" in done.err and "evil.py" in done.err
    assert not (strangers.folder / "ran").exists()


def test_its_command_cannot_choose_a_config_below_whose_plugins_it_did_not_note(
    short: tuple[Project, Result],
) -> None:
    project, _ = short
    below = project.folder / "below"
    below.mkdir()
    project.write(EVIL, "below/evil.py")
    project.write("plugins: [evil.py]\n", "below/harness.yaml")
    words = ["harness", "iterate", "-c", "below/harness.yaml"]
    write_json(folder_of(project) / "command.json", words)
    assert "from the file" not in project.inside("report", "--full").out
    assert not (project.folder / "ran").exists()


def test_its_config_cannot_use_a_plugin_of_the_project_that_it_does_not_name(
    short: tuple[Project, Result],
) -> None:
    project, _ = short
    project.write(METRIC, "mine.py")
    project.write(CONFIG.replace("plugins: [", "plugins: [mine.py, "))
    config = folder_of(project) / "config.yaml"
    values = yaml_file.read(config)[0]
    values["metrics"] = [*values["metrics"], {"plugin": "evil"}]
    config.write_bytes(yaml_file.dump(values).encode())
    done = project.inside("rebuild")
    assert done.code == 2 and "no metric is called 'evil'" in done.err


SCRIPT = 'open("ran", "w")\n'


@pytest.mark.nightly
def test_a_run_that_did_not_note_its_plugin_files_is_a_strangers(project: Project) -> None:
    project.write(EVIL, "own.py")
    project.write(CONFIG.replace("plugins: [", "plugins: [own.py, "))
    assert project.inside("iterate", "--rounds", "1", "--json").code == 0
    (project.folder / "ran").unlink()
    (folder_of(project) / PLUGINS).unlink()
    assert "its code is not run" in project.inside("rebuild").err
    assert not (project.folder / "ran").exists()


def test_a_config_outside_of_the_working_folder_is_not_this_projects_own(
    strangers: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run, elsewhere = folder_of(strangers), tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "own.yaml").write_text(f"plugins: [{run / 'evil.py'}]\n")
    (strangers.folder / "linked.yaml").symlink_to(run / "config.yaml")
    note_plugin(run, run / "evil.py")
    for path in (elsewhere / "own.yaml", strangers.folder / "linked.yaml"):
        write_json(run / "command.json", ["harness", "iterate", "-c", str(path)])
        assert "left out" in strangers.inside("report").err
        assert not (strangers.folder / "ran").exists()


METRIC = """
import pathlib

import harness


class Evil(harness.Metric):
    name = "evil"

    def measure(self, prediction, example):
        return 1.0


@harness.hookimpl
def register_metrics():
    return [Evil]


pathlib.Path("ran").touch()
"""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("command", ["rebuild", "iterate"])
def test_what_a_run_was_scored_with_again_is_code_of_its_folder(
    short: tuple[Project, Result], command: str
) -> None:
    project, _ = short
    run = folder_of(project)
    (run / "evil.py").write_text(METRIC)
    entry = {"plugin": "evil", "name": "evil"}
    made = {"origin": str(run / "evil.py"), "digest": files_digest([run / "evil.py"])}
    append_line(run / "rescored.jsonl", {"schema": 2, "entry": entry, **made})
    entry = {"plugin": "exact", "name": ["exact"]}
    append_line(run / "rescored.jsonl", {"schema": 2, "origin": "nobody", "entry": entry})
    words = [command, "--rounds", "1"] if command == "iterate" else [command]
    (project.folder / "reports" / run.name / "run.duckdb").unlink()
    done = project.inside(*words)
    assert done.code == 0, done.err
    assert not (project.folder / "ran").exists()
    if command == "iterate":
        assert "its code is not run" in done.err and "--trust" in done.err
    (project.folder / "reports" / run.name / "run.duckdb").unlink()
    assert project.inside(*words, "--trust").code == 0
    assert (project.folder / "ran").exists()


@pytest.mark.parametrize("line", [{"entry": 1}, {"origin": 1, "entry": {}}, {"also": 1}])
def test_a_line_that_names_no_metric_is_refused(
    short: tuple[Project, Result], line: dict[str, Any]
) -> None:
    project, _ = short
    run = folder_of(project)
    append_line(run / "rescored.jsonl", {"schema": 2, **line})
    (project.folder / "reports" / run.name / "run.duckdb").unlink()
    done = project.inside("rebuild")
    assert done.code == 4
    assert "rescored.jsonl:1: this line is damaged (it is no record of this file" in done.err


def test_what_was_just_named_is_scored_with(short: tuple[Project, Result]) -> None:
    project, _ = short
    run = folder_of(project).name
    project.write(METRIC, "mine.py")
    done = project.inside("score", "--run", run, "--plugin", "mine.py", "-m", "evil")
    assert done.code == 0 and "not run" not in done.err
    found = query(project.folder / "reports" / run / "run.duckdb", "SELECT name FROM rescores")
    assert ("evil",) in found.rows


def stored(project: Project, text: str) -> str:
    """A run that was begun with this config; its name."""
    run = project.folder / ".harness" / "runs" / "harness-00000000"
    run.mkdir(parents=True, exist_ok=True)
    (run / "evil.py").write_text('open("ran", "w")\n')
    (run / "config.yaml").write_text(text)
    note_plugin(run, FAKES)
    return run.name


def with_metric(**options: str) -> str:
    listed = ", ".join(f"{name}: {value}" for name, value in options.items())
    metrics = f"[{{plugin: overlap}}, {{plugin: evaluate, key: x, {listed}}}]"
    return CONFIG.replace("[{plugin: overlap}]", metrics)


def model(name: str, trusted: str = "true") -> str:
    return f"{{source: hub, id: {name}, trust_remote_code: {trusted}}}"


def with_model(entry: str) -> str:
    return CONFIG.replace("model: {source: fake}", f"model: {entry}")


OTHERS = {
    "script": (with_metric(path="evil.py"), CONFIG),
    "hub": (with_metric(hub="stranger/metric"), with_metric(hub="mine/metric")),
    "other arguments": (
        with_metric(hub="mine/metric", args="{a: 1}"), with_metric(hub="mine/metric"),
    ),
    "model": (with_model(model("stranger/model")), with_model(model("mine/model"))),
    "arm": (
        f"{with_model(model('mine/model'))}"
        f"arms: [{{name: a, set: {{model.id: stranger/model}}}}]\n",
        with_model(model("mine/model")),
    ),
    "models": (f"{CONFIG}models: [{model('stranger/model')}]\n", CONFIG),
    "search": (
        f"{with_model(model('mine/model', 'false'))}"
        "search: {plugin: optuna, trials: 2, over: {model.trust_remote_code: [false, true]}}\n",
        with_model(model("mine/model", "false")),
    ),
    "search of several keys": (
        f"{with_model(model('mine/model'))}"
        "search: {plugin: optuna, trials: 2, over: {model.id: [mine/model, mine/other], "
        "model.revision: [main, x]}}\n",
        f"{with_model(model('mine/model'))}models: [{model('mine/other')}, "
        "{source: hub, id: mine/model, revision: x, trust_remote_code: true}]\n",
    ),
}  # fmt: skip


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("place", OTHERS)
def test_options_that_run_code_are_no_others(
    project: Project, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.stored import opened

    theirs, own = OTHERS[place]
    monkeypatch.chdir(project.folder)
    name = stored(project, theirs)
    project.write(own)
    with pytest.raises(trust.Untrusted, match="runs code by its options"):
        opened(name, Quiet())
    project.write(theirs.replace("path: evil.py", f"path: {folder_of(project) / 'evil.py'}"))
    opened(name, Quiet())
    project.write(own)
    with trust.trusting():
        opened(name, Quiet())
    assert not (project.folder / "ran").exists()


def test_an_arm_of_its_journal_cannot_let_a_model_run_code(short: tuple[Project, Result]) -> None:
    from harness.config.variants import Variants
    from harness.engine.run import Run
    from harness.engine.steps import Steps
    from harness.stored import opened

    project, _ = short
    run = folder_of(project)
    stranger = {"source": "hub", "id": "stranger/model", "trust_remote_code": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        config = opened(run.name, Quiet()).config
        steps = Steps(Run(config, Quiet(), name=run.name))
        other = Variants(config).changed({"model": stranger}, "arms")
        with pytest.raises(trust.Untrusted, match="does not set"):
            steps.within(other)
        with trust.trusting():
            steps.within(other)


def test_the_store_cannot_let_a_model_run_code(short: tuple[Project, Result]) -> None:
    from harness.stored import opened

    project, _ = short
    stored = Checkpoint("base", "", "", info={"trust_remote_code": True, "skill": 0.4})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        config = opened(folder_of(project).name, Quiet()).config
    assert trust.as_allowed(stored, config).info == {"trust_remote_code": False, "skill": 0.4}


@pytest.mark.parametrize("words", [["rm", "-r", "/"], ["harness", "export"], "rm", [1]])
def test_a_command_that_is_none_of_ours_is_not_told(tmp_path: Path, words: object) -> None:
    write_json(tmp_path / resume_command.FILE, words)
    assert resume_command.read(tmp_path) is None


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    "damage",
    [
        lambda run: (run / "config.yaml").write_text("plugins: evil.py\n"),
        lambda run: (run / "config.yaml").write_text("plugins: [1, {a: 2}]\n"),
        lambda run: name_plugins(run, {str(run / "evil.py"): None}),
        lambda run: name_plugins(run, {str(run / "evil.py")}),
        lambda run: name_plugins(run, [str(run / "evil.py"), "a\0b"]),
        lambda run: name_plugins(run, [str(run / "evil.py"), 1]),
        lambda run: (run / "plugins.json").write_text("[1]"),
        lambda run: (run / "command.json").write_text('["harness", "iterate", "-c", "a\\u0000b"]'),
        lambda run: shutil.rmtree(run),
    ],
)
def test_odd_files_are_no_traceback(strangers: Project, damage: Callable[[Path], object]) -> None:
    damage(folder_of(strangers))
    for command in (("report",), ("rebuild",)):
        done = strangers.inside(*command)
        assert "Traceback" not in done.err
    assert not (strangers.folder / "ran").exists()


def test_a_report_shows_what_is_written_in_it(short: tuple[Project, Result]) -> None:
    project, _ = short
    page = next((project.folder / "reports").glob("*/analysis.json"))
    told = project.inside("report", "--json").document["rounds"][1]["verdict"]["sentence"]
    page.write_text(page.read_text().replace(told, "It was never better."))
    assert "It was never better." in project.inside("report", "--full").out
