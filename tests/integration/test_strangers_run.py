"""A run of somebody else: nothing that its config names is started, asked, read or imported."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.cli.commands import CORE, installed
from harness.database.writing import query
from harness.kit import gate, own, yaml_file
from harness.kit.files import append_line, files_digest, write_json
from harness.records import Checkpoint, to_json
from harness.records.context import Quiet
from harness.run import resume_command, trust
from harness_launchers import launcher
from tests.plugins.view.served import served
from tests.support.chat_server import Answer, Server, said
from tests.support.project import CONFIG, FAKES, Project, Result

INSTALLED = CONFIG.replace(f"plugins: [{FAKES}]\n", "")
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
RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
instructions: Read the answer, then judge it.
show: {reference: never}
criteria:
  - id: right
    title: Right
    question: Is it right?
    scale: {kind: binary, anchors: {"yes": right, "no": wrong}}
"""
COMMANDS: dict[str, list[str] | str] = {
    "report": ["report"],
    "errors": ["errors"],
    "why": ["why", "dev-0"],
    "query": ["query", "FROM rounds"],
    "runs": ["runs"],
    "advise": ["advise"],
    "compare": ["compare", "0", "1"],
    "rebuild": ["rebuild"],
    "view": ["view", "--to", "page"],
    "try": ["try", "--prompt", "repeat: x"],
    "test": ["test"],
    "export": ["export", "-o", "model"],
    "score": ["score", "--run", "RUN", "-m", "exact"],
    "jobs": ["jobs"],
    "clean": ["clean", "--dry-run"],
    "pull": "given a store",
    "rate": ["rate", "create", "--run", "RUN", "--rubric", "short.yaml", "--raters", "ada"],
    "drift": ["drift", "live.jsonl"],
    **dict.fromkeys(("iterate", "check", "plan", "data", "config", "doctor", "init"), "own config"),
    **dict.fromkeys(("demo", "docs", "plugins"), "no run"),
}
"""Command -> how it is tried on a run; or why it is not: what else it is given."""
TRIED = [name for name, words in COMMANDS.items() if isinstance(words, list)]
DOORS = {"process", "address", "secret", "import"}
STANDINGS = {"own": (), "stranger": (), "pulled": (), "trusted": ("--trust",)}


def test_each_command_of_the_program_stands_in_the_table() -> None:
    assert COMMANDS.keys() == {*CORE, *installed()}


@contextlib.contextmanager
def installed_fakes() -> Iterator[None]:
    """The fakes as an installed package: a run that names no file has its plugins, too."""
    found = importlib.metadata.entry_points
    fakes = importlib.metadata.EntryPoint("fakes", "tests.support.fakes", "harness")

    def with_fakes(**wanted: str) -> Any:
        points = found(**wanted)
        return (*points, fakes) if wanted == {"group": "harness"} else points

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.metadata, "entry_points", with_fakes)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """A run that names nothing yet: as it was made, and as a store has brought it."""
    with installed_fakes():
        return _made(tmp_path_factory)


def _made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    project = Project(tmp_path_factory.mktemp("made"))
    store = tmp_path_factory.mktemp("store")
    project.write(INSTALLED)
    shared = f"execution.store={store.as_uri()}"
    done = project.inside("iterate", "--rounds", "1", "--no-test", "--set", shared)
    assert done.code == 0, done.err
    pulled = {}
    for name, words in (("pulled", ()), ("trusted", ("--trust",))):
        pulled[name] = Project(tmp_path_factory.mktemp(name))
        run = folder_of(project).name
        done = pulled[name].inside("pull", run, "--store", store.as_uri(), *words)
        assert done.code == 0, done.err
        assert pulled[name].inside("rebuild", run).code == 0
    for folder in (project, *pulled.values()):
        (folder.folder / "short.yaml").write_text(RUBRIC)
        (folder.folder / "live.jsonl").write_text('{"prompt": "repeat: x"}\n' * 30)
    return {"own": project, "stranger": project, **pulled}


def folder_of(project: Project) -> Path:
    return next((project.folder / ".harness" / "runs").glob("*/config.yaml")).parent


def change(run: Path, **values: Any) -> None:
    """Change keys of the config in this folder, as whoever made the folder may have."""
    config = run / "config.yaml"
    values = {**yaml_file.read(config)[0], **values}
    config.write_bytes(yaml_file.dump(values).encode())


def let(door: str, run: Path, project: Path, server: Server) -> None:
    """Have the run's config name something behind a door."""
    metrics = yaml_file.read(run / "config.yaml")[0]["metrics"]
    if door == "import":
        (run / "evil.py").write_text(EVIL)
        change(run, plugins=[str(run / "evil.py")])
    elif door == "process":
        sandbox = ["sh", "-c", f"touch {project / 'ran'}; exec false"]
        change(run, metrics=[*metrics, {"plugin": "executes", "sandbox": sandbox}])
    else:
        (run / "short.yaml").write_text(RUBRIC)
        judge = {
            "plugin": "judge", "rubric": str(run / "short.yaml"), "endpoint": server.url,
            "model": "m", "wait": 0, "tries": 1, "key": "VICTIMS_KEY",
        }  # fmt: skip
        change(run, metrics=[*metrics, judge])


def used(door: str, project: Path, server: Server) -> bool:
    if door in ("process", "import"):
        return (project / "ran").exists()
    if door == "address":
        return bool(server.asked)
    return any("victims-secret" in str(asked.headers) for asked in server.asked)


@pytest.mark.nightly(but_each=21)
@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("door", sorted(DOORS))
@pytest.mark.parametrize("command", TRIED)
def test_each_command_at_each_door(
    made: dict[str, Project], tmp_path: Path, command: str, door: str, standing: str
) -> None:
    shutil.copytree(made[standing].folder, tmp_path / "project")
    project = Project(tmp_path / "project")
    run = folder_of(project)
    judge = Server(lambda asked: said('{"right": "yes"}'))
    with installed_fakes(), contextlib.closing(judge) as server:
        let(door, run, project.folder, server)
        if standing == "own":
            own.note_run(run, run / "config.yaml")
        else:
            (run / own.SIGNATURE).unlink(missing_ok=True)
        words = [run.name if word == "RUN" else word for word in COMMANDS[command]]
        done = project.inside(*words, *STANDINGS[standing], VICTIMS_KEY="victims-secret")
        asked = used(door, project.folder, server)
    assert "Traceback" not in done.err
    assert "victims-secret" not in done.out + done.err
    if standing in ("own", "trusted"):
        assert asked == (door in USES[command]), done.err
        return
    assert not asked
    if door in USES[command]:  # it says in a line what was left out, and how to allow it
        said_so = [line for line in done.err.splitlines() if "--trust" in line]
        assert said_so or "--trust" in done.err, done.err
        assert "not begun here" in " ".join(done.err.split()), done.err


SCORED = {"process", "address", "secret", "import"}
USES: dict[str, set[str]] = {
    "report": {"import"}, "errors": {"import"}, "why": {"import"}, "view": {"import"},
    "advise": {"import"},
    "query": {"import"}, "runs": set(), "jobs": set(), "clean": set(),
    "compare": {"import"}, "rebuild": SCORED, "test": SCORED, "score": SCORED,
    "try": {"import"}, "export": {"import"}, "rate": {"import"}, "drift": {"import"},
}  # fmt: skip
"""Command -> the doors that it uses for a run of one's own."""


@pytest.fixture
def strangers(short: tuple[Project, Result]) -> Project:
    """A run whose config names a file beside it, in a folder without a config."""
    project, _ = short
    (project.folder / "harness.yaml").unlink()
    run = folder_of(project)
    (run / "evil.py").write_text(EVIL)
    change(run, plugins=[str(run / "evil.py")])
    return project


def test_a_config_in_the_folders_of_runs_is_not_this_projects_own(strangers: Project) -> None:
    run = folder_of(strangers)
    for place in (run, strangers.folder / ".harness", strangers.folder / "reports"):
        own = place / "own.yaml"
        own.write_text(f"plugins: [{run / 'evil.py'}]\n")
        write_json(run / "command.json", ["harness", "iterate", "-c", str(own)])
        strangers.inside("report")
        assert not (strangers.folder / "ran").exists()


@pytest.mark.nightly(but_each=2)
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


def test_a_program_that_asks_for_its_report_runs_nothing(
    strangers: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(strangers.folder)
    view = harness.open_run(folder_of(strangers).name)
    sections = view.report().sections
    assert sections and "evil" not in {section.name for section in sections}
    next(strangers.folder.glob("reports/*/analysis.json")).unlink()  # it would be made again
    with pytest.raises(harness.HarnessError):
        view.report()
    assert not (strangers.folder / "ran").exists()


def test_its_page_runs_nothing_while_it_makes_the_report_again(strangers: Project) -> None:
    run = folder_of(strangers).name
    next(strangers.folder.glob("reports/*/analysis.json")).unlink()
    with served(strangers) as page:
        while "is being made" in (shown := page.main(f"/view/run/{run}/rounds")):
            time.sleep(0.1)
        for part in ("now", "rows", "added"):
            shown += page.main(f"/view/run/{run}/{part}")
    assert "from the file" not in shown and not (strangers.folder / "ran").exists()


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


def test_a_config_outside_of_the_working_folder_is_not_this_projects_own(
    strangers: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run, elsewhere = folder_of(strangers), tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "own.yaml").write_text(f"plugins: [{run / 'evil.py'}]\n")
    (strangers.folder / "linked.yaml").symlink_to(run / "config.yaml")
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
        assert "not written here" in done.err and "--trust" in done.err
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


def test_an_arm_of_its_journal_cannot_let_a_model_run_code(short: tuple[Project, Result]) -> None:
    from harness.config.variants import Variants
    from harness.opened import opened
    from harness.run.run import Run
    from harness.steps import Steps

    project, _ = short
    run = folder_of(project)
    stranger = {"source": "hub", "id": "stranger/model", "trust_remote_code": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        config = opened(run.name, Quiet()).config
        steps = Steps(Run(config, Quiet(), name=run.name))
        other = Variants(config).changed({"model": stranger}, "arms")
        with pytest.raises(gate.Untrusted, match="sets no such options"):
            steps.within(other)
        with gate.fresh(trusting=True):
            steps.within(other)


def test_the_store_cannot_let_a_model_run_code(short: tuple[Project, Result]) -> None:
    from harness.opened import opened

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


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize(
    "damage",
    [
        lambda run: (run / "config.yaml").write_text("plugins: evil.py\n"),
        lambda run: (run / "config.yaml").write_text("plugins: [1, {a: 2}]\n"),
        lambda run: change(run, plugins={str(run / "evil.py"): None}),
        lambda run: change(run, plugins=[[str(run / "evil.py")]]),
        lambda run: change(run, plugins=[str(run / "evil.py"), "a\0b"]),
        lambda run: change(run, plugins=[str(run / "evil.py"), 1]),
        lambda run: (run / "own.sig").write_bytes(b"\xff"),
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


def test_the_page_on_security_has_this_table() -> None:
    """SECURITY.md, *The gate*: a row for each set of doors, and each command in one of them."""
    page = (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| `")]
    says = {
        "imports its plugin files; scores": {"import", "process", "address", "secret"},
        "imports its plugin files": {"import"},
        "none of the four": set(),
    }
    shown: dict[str, set[str]] = {}
    for commands, own_run, _ in rows:
        doors = next((doors for words, doors in says.items() if words in own_run), None)
        if doors is not None:
            named = re.findall(r"`(\w+)", commands)
            shown |= dict.fromkeys(named, doors)
    assert shown == USES


def test_a_job_that_a_folder_notes_asks_no_launcher(short: tuple[Project, Result]) -> None:
    project, _ = short
    run = folder_of(project)
    project.write(EVIL, "evil.py")
    folder = project.folder / ".harness" / "work" / run.name / "train-1"
    folder.mkdir(parents=True)
    note = launcher.Submitted(
        "harness-1", "17", "slurm", {}, (str(project.folder / "evil.py"),), "", "train", 0.0
    )
    write_json(folder / "submitted.json", to_json(note))
    listed = project.inside("jobs")
    assert listed.code == 0 and "not asked" in listed.out + listed.err
    cancelled = project.inside("jobs", "--cancel", "17")
    assert cancelled.code == 2 and "--trust" in cancelled.err, cancelled.err
    assert not (project.folder / "ran").exists()
    project.inside("jobs", "--trust")
    assert (project.folder / "ran").exists()


def test_a_store_that_a_folder_notes_is_not_asked(short: tuple[Project, Result]) -> None:
    project, _ = short
    asked: list[str] = []
    server = Server()
    server.others = lambda method, path, body: asked.append(path) or Answer(404)  # type: ignore[func-returns-value]
    with contextlib.closing(server):
        url = server.url.replace("/v1", "/store")
        note = {"schema": 1, "store": url, "signature": "0" * 64}
        write_json(project.folder / ".harness" / "store.json", note)
        for folder in (project.folder / ".harness" / "artifacts").glob("score*"):
            shutil.rmtree(folder)
        for words in (["compare", "0", "1"], ["rebuild"], ["try", "--prompt", "x"], ["pull"]):
            done = project.inside(*words)
            assert "Traceback" not in done.err
        assert "not tied to it here" in done.err and "--trust" in done.err
        assert not asked


def test_what_is_pulled_is_never_ones_own(tmp_path: Path) -> None:
    """A config of any name, byte code and Python files of a store."""
    theirs, mine = Project(tmp_path / "theirs"), Project(tmp_path / "mine")
    store = (tmp_path / "store").as_uri()
    for folder in (theirs.folder, mine.folder, tmp_path / "store"):
        folder.mkdir()
    theirs.write(EVIL, "evil.py")
    config = yaml_file.read(theirs.write(CONFIG.replace("plugins: [", "plugins: [evil.py, ")))[0]
    (theirs.folder / "settings.json").write_text(json.dumps({**config, "rounds": 1}))
    done = theirs.inside(
        "iterate", "-c", "settings.json", "--no-test", "--set", f"execution.store={store}"
    )
    assert done.code == 0, done.err
    run = folder_of(theirs).name
    assert mine.inside("pull", run, "--store", store).code == 0
    assert (mine.folder / "settings.json").exists() and not (mine.folder / "evil.py").exists()
    assert mine.inside("pull", run, "--trust").code == 0
    assert (mine.folder / "evil.py").exists()
    for words in (
        ["rebuild", run],
        ["iterate", "-c", "settings.json"],
        ["check", "-c", "settings.json"],
    ):
        done = mine.inside(*words)
        assert done.code == 2 and "--trust" in done.err, done.err
        assert not (mine.folder / "ran").exists()
    again = ["iterate", "-c", "settings.json", "--no-test"]
    assert mine.inside(*again, "--trust").code == 0
    (mine.folder / "ran").unlink()
    assert mine.inside(*again).code == 0, "trusted once, it is the user's own"
