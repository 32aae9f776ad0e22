"""The table of commands, and commands that other packages add."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli import commands
from harness.cli.commands import CORE, FILE, GROUPS, app, installed, line_of
from tests.support.project import Project
from tests.support.waiting import LONG

PLUGINS = Path(__file__).parents[2] / "plugins"
PAGE = (Path(__file__).parents[2] / "docs" / "plugins" / "command.md").read_text(encoding="utf-8")
ROOT: Any = typer.main.get_command(app)
LINES = CORE | {name: line_of(name, claims) for name, claims in installed().items()}
"""Name -> what help says of it, of all commands that iteration-harness ships."""
HELLO = next(b for b in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "acme_hello" in b)


class Site:
    """A folder on the path of modules, with packages as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name: str, module: str, text: str | None, *commands: str, lines: str | None = None
    ) -> None:
        """A distribution of one module, whose app is each of the commands.

        Args:
            lines: what its package says of them; the module is a package then.
        """
        file = self.folder / f"{module}.py"
        if lines is not None:
            file = self.folder / module / "__init__.py"
            file.parent.mkdir()
            (file.parent / FILE).write_text(lines, encoding="utf-8")
        if text is not None:
            file.write_text(text, encoding="utf-8")
        about = self.folder / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = [f"{command} = {module}:app\n" for command in commands]
        (about / "entry_points.txt").write_text("[harness.commands]\n" + "".join(points))

    def harness(self, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=LONG,
            env={**os.environ, "PYTHONPATH": str(self.folder), "COLUMNS": "80", "NO_COLOR": "1"},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# -- ours ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LINES)
def test_the_line_of_a_command_is_the_first_one_of_its_own_help(name: str) -> None:
    command = ROOT.get_command(typer.Context(ROOT), name).load()
    assert " ".join(command.help.partition("\n\n")[0].split()) == LINES[name].help


def test_every_command_has_a_place_of_its_own_below_a_heading() -> None:
    places = [(line.group, line.place) for line in LINES.values()]
    assert len({*places}) == len(places)
    assert {group for group, _ in places} == {*GROUPS[:-1]}


def test_what_packages_say_is_of_commands_that_they_have() -> None:
    for package in (path.parent for path in PLUGINS.glob("*/commands.json")):
        own = {
            name for name, (point,) in installed().items()
            if point.module.partition(".")[0] == package.name
        }  # fmt: skip
        assert commands.lines_in(package).keys() == own, package


def test_the_core_names_no_command_of_a_package() -> None:
    tree = ast.parse(Path(commands.__file__).read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    words = [text for text in texts if isinstance(text, str)]
    assert "iterate" in words
    for name in installed():
        assert name not in words
        assert not [text for text in words if re.search(rf"\bharness {name}\b", text)]


def test_the_help_and_what_is_shown_without_a_command(project: Project, golden: Any) -> None:
    golden(project.inside("--help", COLUMNS="80", TERMINAL_WIDTH="80").out, part="help")
    golden(project.inside().out, part="bare")


@pytest.mark.parametrize("arguments", [["--help"], ["docs", "--help"], ["docs", "--nowhere"]])
def test_help_names_the_command_whatever_the_script_is_called(
    site: Site, project: Project, arguments: list[str]
) -> None:
    _, out, err = site.harness(*arguments)  # its argv[0] is -c
    done = project.inside(*arguments, COLUMNS="80")
    assert (out, err) == (done.out, done.err)
    assert "Usage: harness " in out + err


def test_a_value_that_no_option_takes_is_named_without_words_of_the_library(
    project: Project,
) -> None:
    done = project.inside("export", "--quantize", "q9")
    assert done.code == 2
    assert "'--quantize': 'q9' is not one of 'f32'" in done.err


def test_the_commands_that_have_a_line_are_those_that_there_are() -> None:
    assert all(line.group != GROUPS[-1] for line in LINES.values())
    folder = Path(commands.__file__).parent
    assert all((folder / f"{name}.py").exists() for name in CORE)


def test_no_line_of_the_help_is_cut_in_a_terminal_of_80_columns(project: Project) -> None:
    shown = project.inside("--help", COLUMNS="80", TERMINAL_WIDTH="80").out
    lines = shown.partition("A first day:")[2].splitlines()
    assert len(lines) >= len(LINES)
    assert not [line for line in lines if line.rstrip().endswith("...")]


def test_without_a_command_those_of_a_first_day_are_shown(project: Project) -> None:
    bare = project.inside()
    assert bare.code == 2
    named = re.findall(r"^  harness (\w+)", bare.out, re.M)
    assert named == ["init", "iterate", "report", "advise", "view"]


def test_a_command_that_is_run_imports_no_other_and_looks_for_none() -> None:
    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['harness', 'config', '--help']\n"
        "try: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stderr.split() if name.startswith("harness.cli.")}
    assert loaded == {"harness.cli.commands", "harness.cli.left_threads", "harness.cli.config"}


def test_an_unknown_command_is_told_what_is_near(site: Site) -> None:
    site.install("acme-hello", "acme_hello", HELLO, "hello")
    code, _, err = site.harness("helo")
    assert code == 2
    assert "No such command 'helo'. Did you mean 'hello'?" in err


# -- other packages' ----------------------------------------------------------------------


@pytest.mark.nightly
def test_the_example_of_the_page_is_a_command(site: Site) -> None:
    site.install("acme-hello", "acme_hello", HELLO, "hello")
    code, out, err = site.harness("--help")
    assert (code, err) == (0, "")
    assert out.endswith(
        "Of other packages:\n  hello    Say how many answers of the latest run are right.\n"
    )
    code, _, err = site.harness("hello", "--round", "0")
    assert (code, err.partition("\n")[0]) == (
        2, "usage: no run of this folder has answered anything yet",
    )  # fmt: skip
    code, out, _ = site.harness("hello", "--help")
    assert "hello [OPTIONS]\n" in out and "--install-completion" not in out


def test_help_says_what_a_package_says_of_its_command_and_does_not_import_it(site: Site) -> None:
    line = '{"hello": {"help": "Say\\u001b[31m hello.", "group": "After a run", "place": 1}}'
    site.install("acme-hello", "acme_hello", "raise SystemExit(3)\n", "hello", lines=line)
    code, out, err = site.harness("--help")
    assert (code, err) == (0, "") and "Of other packages" not in out
    after = out.partition("After a run:\n")[2].splitlines()
    assert after[:2] == [
        "  errors   List the failing answers on dev, the worst first.", "  hello    Say hello.",
    ]  # fmt: skip


@pytest.mark.parametrize("lines", ["{", "[]", '{"hello": 1}', '{"hello": {"line": "Say"}}'])
def test_where_a_package_says_it_wrongly_help_says_so(site: Site, lines: str) -> None:
    site.install("acme-hello", "acme_hello", HELLO, "hello", lines=lines)
    code, out, err = site.harness("--help")
    assert (code, err) == (0, "")
    told = out.partition("Of other packages:\n")[2]
    assert told.startswith("  hello    (commands.json, which says what help shows of it,")
    assert site.harness("hello")[2].startswith("usage: no run of this folder")


def test_an_app_of_several_commands_is_a_group(site: Site) -> None:
    text = f"{HELLO}\n@app.command()\ndef bye() -> None:\n    typer.echo('bye')\n"
    site.install("acme-hello", "acme_hello", text, "hello")
    assert site.harness("hello", "bye") == (0, "bye\n", "")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("app = 1\n", "is of type int"),
        ("", "has no attribute 'app'"),
        ("def\n", "SyntaxError"),
        (HELLO.replace("number: int", "number: Nothing"), "NameError"),
        (HELLO.replace("number: int", "number: Site"), "Site"),
        (None, "No module named 'acme_broken'"),
    ],
)
def test_one_that_cannot_be_used_is_named_and_harms_no_other(
    site: Site, text: str | None, why: str
) -> None:
    site.install("acme-broken", "acme_broken", text, "broken")
    code, _, err = site.harness("broken")
    assert code == 5
    assert "acme_broken:app (acme-broken 1.0)" in err and "'broken'" in err and why in err
    assert "Traceback" not in err
    code, out, err = site.harness("--help")
    assert (code, err) == (0, "") and "\n  broken   (the command 'broken' " in out


RAISING = (
    HELLO.partition("@app.command()")[0]
    + """
class Odd(BaseException):
    pass

@app.command()
def hello(kind: str) -> None:
    if kind == "usage":
        raise typer.BadParameter("no such kind")
    if kind == "exit":
        raise typer.Exit(7)
    raise {"value": ValueError("a wrong \\x1b[31mshape"), "odd": Odd("odd"),
           "type": TypeError(), "memory": MemoryError()}[kind]
"""
)


@pytest.mark.nightly(but_each=8)
@pytest.mark.parametrize(
    ("kind", "code", "why"),
    [
        ("value", 5, "ValueError: a wrong "),
        ("odd", 5, "Odd: odd"),
        ("type", 5, "TypeError"),
        ("unknown", 5, "KeyError: 'unknown'"),
        ("memory", 3, "the memory is not enough"),
        ("usage", 2, "no such kind"),
        ("exit", 7, ""),
    ],
)
def test_one_that_raises_ends_with_one_message(site: Site, kind: str, code: int, why: str) -> None:
    site.install("acme-hello", "acme_hello", RAISING, "hello")
    ended, out, err = site.harness("hello", kind)
    assert (ended, out) == (code, "") and why in err
    assert "Traceback" not in err and "\x1b" not in err
    named = "plugin: acme_hello:app (acme-hello 1.0): the command 'hello' failed: "
    assert err.startswith(named) is (code == 5)
    if code == 5:
        _, _, err = site.harness("hello", kind, "--debug")
        assert "Traceback" in err and "acme_hello.py" in err


@pytest.mark.nightly
def test_the_cores_name_is_not_taken_and_help_says_who_tried(site: Site) -> None:
    site.install("acme-hello", "acme_hello", HELLO, "report", "hello")
    code, out, err = site.harness("--help")
    assert code == 0
    assert "  report   Show the report of a run" in out and "  hello    Say" in out
    assert err == (
        "note: acme_hello:app (acme-hello 1.0) adds a command 'report', which harness has itself\n"
    )
    assert "there is no run in this folder yet" in site.harness("report")[2]


@pytest.mark.nightly
def test_of_two_that_claim_one_name_none_has_it(site: Site) -> None:
    site.install("acme-hello", "acme_hello", HELLO, "hello")
    site.install("other-hello", "other_hello", HELLO, "hello")
    both = "acme_hello:app (acme-hello 1.0) and other_hello:app (other-hello 1.0)"
    code, out, _ = site.harness("hello")
    assert code == 5 and not out
    code, out, err = site.harness("hello")
    assert f"the command 'hello' is claimed by both {both}" in err
    code, out, _ = site.harness("--help")
    assert code == 0 and "  hello    (the command 'hello' is claimed by both" in out


def test_a_command_with_terminal_commands_in_its_line_does_nothing(site: Site) -> None:
    own = HELLO.rindex('"""Say')
    text = HELLO[:own] + HELLO[own:].replace("Say", "\\x1b[31mSay\\x07")
    site.install("acme-hello", "acme_hello", text, "hello")
    _, out, _ = site.harness("--help")
    assert "  hello    Say how many" in out and "\x1b" not in out


def test_a_checkout_with_entry_points_of_before_says_to_install_again(
    monkeypatch: pytest.MonkeyPatch, project: Any
) -> None:
    monkeypatch.setattr(commands, "entry_points", lambda **_: [])
    for name in LINES.keys() - CORE.keys():
        done = project.inside(name)
        assert done.code == 2
        assert f"No such command '{name}'. iteration-harness ships it: install" in done.err


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("name", [point.name for point in entry_points(group=commands.GROUP)])
def test_without_its_package_a_command_is_unknown_and_the_package_named(
    monkeypatch: pytest.MonkeyPatch, project: Any, name: str
) -> None:
    [point] = commands.claims_of(name)
    package = point.module.partition(".")[0]
    monkeypatch.setitem(sys.modules, package, None)
    done = project.inside(name)
    assert done.code == 2
    assert f"No such command '{name}'. It is in the package {package}, which" in done.err
    done = project.inside("--help")
    assert done.code == 0 and f"  {name} " not in done.out and "  config " in done.out


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    """All of them in one process: the first that loads something heavy is named."""
    code = (
        "import sys\nfrom harness.cli import main\n"
        "for name in sys.argv[1:]:\n    sys.argv = ['harness', name, '--help']\n"
        "    try: main()\n    except SystemExit: pass\n"
        "    heavy = {'numpy', 'duckdb', 'harness.config.loading'} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{name}: {heavy}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *CORE], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage: ") == len(CORE)
