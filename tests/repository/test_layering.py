"""Who may import whom, and what must not be loaded before it is needed."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.hookspecs import Hooks
from tests.support.project import CONFIG

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "harness").rglob("*.py"))
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())
KIT = ROOT / "plugins" / "harness_testing"
"""Calls plugins as a run does: by its checks, gate, keys and database, and not by public names."""
MODELS = {"torch", "transformers", "peft", "accelerate", "bitsandbytes", "datasets", "gguf"}
METRICS = {"sacrebleu", "nltk", "evaluate", "rouge_score"}
HEAVY = {"torch", "transformers", "duckdb", "pandas", "sacrebleu", "nltk", "evaluate"}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, *, top: bool = False) -> set[str]:
    """Top names of all modules that a file imports; ``top``: only when it is imported."""
    tree = parsed(path)
    nodes = list(_unconditional(tree)) if top else list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    return {name.split(".")[0] for name in names}


def _unconditional(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _unconditional(child)


MAKERS = {
    "harness_demo/loops.py": "the metrics of a demonstration",
    "harness_drift/looking.py": "detectors that a command names",
    "harness_launchers/launcher.py": "the launcher that a job was submitted by",
    "harness_rating/commands/judge.py": "the judge of a command",
    "harness_rows/commands/data/opening.py": "the source of a command",
    "harness_rows/commands/data/scorable.py": "the metric that scores the rows of a file",
    "harness_rows/initial/drafting.py": "what the config that `init` proposes will have",
    "harness_rows/initial/lengths.py": "what the config that `init` proposes will have",
    "harness_score/files.py": "metrics that a command names",
    "harness_transformers/export/parity.py": "the generator of a command",
}
"""Files of plugins that make other plugins, and by whose words."""


def test_a_plugin_has_others_by_the_type_of_its_options_alone():
    """What it made by hand would be no part of its stage's key (``harness.Named`` is)."""
    making = {
        path.relative_to(ROOT / "plugins").as_posix()
        for package in PLUGINS
        for path in package.rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.Name, ast.Attribute))
        and getattr(node, "id", getattr(node, "attr", ""))
        in ("make_plugin", "make_metrics", "make_entries")
    }
    assert making == set(MAKERS)


def modules_after(statement: str) -> set[str]:
    """All modules that are loaded then, and the top names of these."""
    done = subprocess.run(
        # -P: a folder beside the clone may be called harness, as the clone itself may.
        [sys.executable, "-P", "-c",
         f"import sys\n{statement}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True, text=True, check=True, cwd=ROOT.parent,
    )  # fmt: skip
    loaded = done.stderr.split()
    return {*loaded, *(name.split(".")[0] for name in loaded)}


def test_the_core_knows_no_plugin_and_no_model_library():
    assert len(CORE) > 100
    for path in CORE:
        names = imported(path)
        assert not names & (MODELS | METRICS), path
        assert not [name for name in names if name.startswith("harness_")], path


FLOORS = (
    ("records", "errors", "kit", "stats"),
    ("stages", "hookspecs", "boundary", "scoring", "data"),
    ("registry", "config", "database"),
    ("verdicts", "run", "steps", "loop", "opened"),
    ("report",),
    ("cli",),
)
"""Rooms of ``harness/``, the lowest floor first: imports go down."""
BESIDE = {
    "records": {"errors"},
    "kit": {"errors", "records"},
    "stages": {"boundary"},
    "hookspecs": {"stages", "boundary"},
    "scoring": {"stages", "boundary", "data"},
    "data": {"stages", "boundary"},
    "config": {"registry"},
    "steps": {"run", "verdicts"},
    "loop": {"run", "steps", "verdicts"},
    "opened": {"run", "steps", "loop", "verdicts"},
    "report": set(),
}
"""Room -> the rooms of its own floor that it may import."""
PUBLIC_ROOMS = (
    "harness.errors.installing", "harness.kit", "harness.stats", "harness.verdicts",
    "harness.records.analysis", "harness.records.course", "harness.records.live",
    "harness.records.summary",
)  # fmt: skip
"""What plugins may import besides the names of ``harness`` itself."""


def modules_of(path: Path) -> set[str]:
    """Modules and names that a file imports anywhere in it, for types too, as dotted paths."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in modules_of(path) if name.startswith("harness.")}


def may_import(room: str) -> set[str]:
    floor = next(place for place, rooms in enumerate(FLOORS) if room in rooms)
    below = {name for rooms in FLOORS[:floor] for name in rooms}
    return {room, *below, *BESIDE.get(room, ())}


def test_the_page_of_the_architecture_shows_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.split("```")[1].split("\n6  ")[1]
    shown = set(re.findall(r"[a-z]+", picture))
    assert {room for floor in FLOORS for room in floor} <= shown
    assert f"has {sum(map(len, FLOORS))} rooms" in page


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")


def test_every_room_stands_on_a_floor():
    entries = (ROOT / "harness").iterdir()
    rooms = {e.name.removesuffix(".py") for e in entries if e.is_dir() or e.suffix == ".py"}
    rooms -= {"__init__", "__pycache__"}
    assert rooms == {room for floor in FLOORS for room in floor}
    assert len(rooms) <= 19


def test_imports_go_down():
    for path in CORE:
        room = room_of(path)
        if room != "__init__":
            assert rooms_of(path) - {"__version__"} <= may_import(room), path


def test_no_rooms_of_one_floor_import_each_other_in_a_circle():
    left = {room: set(beside) for room, beside in BESIDE.items()}
    while ready := [room for room, beside in left.items() if not beside & left.keys()]:
        for room in ready:
            del left[room]
    assert not left


# -- files: no circles, and what `harness iterate` needs -----------------------------------------


def modules_of_folder(folder: Path) -> dict[str, Path]:
    """Module -> its file, of a package."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sorted(folder.rglob("*.py"))
    }


FILES = modules_of_folder(ROOT / "harness")
"""Module of the core -> its file."""
FILES_OF_PLUGINS = {
    name: path for folder in PLUGINS for name, path in modules_of_folder(folder).items()
}


def files_imported(
    module: str, *, types: bool = True, files: Mapping[str, Path] = FILES
) -> set[str]:
    """Modules of the core, or of other ``files``, that one of these imports anywhere in it.

    A name of a package that loads its names when they are first used is that of its module, and
    the whole package all of its modules.

    Args:
        types: whether what is imported for types alone counts.
    """
    names = set()
    for node in _walk(parsed(files[module]), types=types):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in files:
            homes = _loaded_later(node.module) if node.module in FILES else {}
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full in files else homes.get(alias.name, node.module))
                names |= set(_loaded_later(full).values()) if full in FILES else set()
    return {name for name in names if name in files} - {module}


TYPES = "TYPE_CHECKING"


def _walk(node: ast.AST, *, types: bool):
    for child in ast.iter_child_nodes(node):
        if types or not (isinstance(child, ast.If) and getattr(child.test, "id", "") == TYPES):
            yield child
            yield from _walk(child, types=types)


@functools.cache
def _loaded_later(package: str) -> dict[str, str]:
    """Name -> module, in a package that has a ``__getattr__``."""
    tree = parsed(FILES[package])
    if not any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body):
        return {}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in nodes for alias in node.names}


def test_no_files_import_each_other_in_a_circle():
    """Imports within functions and for types count: who reads one of them needs all."""
    graph = {module: files_imported(module) for module in FILES}
    assert circles(graph) == []


def test_no_files_of_a_plugin_do_so():
    graph = {name: files_imported(name, files=FILES_OF_PLUGINS) for name in FILES_OF_PLUGINS}
    assert circles(graph) == []


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of modules of which each reaches each other, by what can be reached of each."""
    reach = {module: reached({module}, graph) for module in graph}
    left, all_circles = set(graph), []
    while left:
        module = left.pop()
        circle = {other for other in reach[module] if module in reach[other]}
        left -= circle
        if len(circle) > 1:
            all_circles.append(circle)
    return all_circles


def reached(modules: set[str], graph: Mapping[str, set[str]]) -> set[str]:
    """The modules, and all that they import, directly or not."""
    seen: set[str] = set()
    left = set(modules)
    while left:
        module = left.pop()
        seen.add(module)
        left |= graph[module] - seen
    return seen


def test_a_circle_is_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}
    assert circles(graph) == [{"a", "b", "c"}]


BESIDE_ITERATE = {"cli": "other commands", "kit": "given to plugins"}
"""Rooms with files that ``harness iterate`` cannot reach, and what these are for."""


def test_iterate_can_reach_all_of_the_core_but_commands_and_what_plugins_are_given():
    graph = {module: files_imported(module, types=False) for module in FILES}
    for module, path in FILES.items():  # the worker is started by its name
        if not module.startswith("harness.cli"):
            texts = (n.value for n in ast.walk(parsed(path)) if isinstance(n, ast.Constant))
            graph[module] |= {text for text in texts if text in FILES}
    roots = {"harness.cli.__main__", "harness.cli.iterate"}
    seen = reached(roots, graph)
    packages = {module.rpartition(".")[0] for module in seen}
    unreached = FILES.keys() - seen - packages - {"harness"}
    assert {name.split(".")[1] for name in unreached} == BESIDE_ITERATE.keys()


def test_a_room_says_what_it_is_for():
    for room in sorted((ROOT / "harness").iterdir()):
        path = room / "__init__.py" if room.is_dir() else room
        if path.suffix == ".py" and path.exists():
            text = ast.get_docstring(parsed(path)) or ""
            first = text.split("\n")[0]
            assert first.endswith(".") and len(first) > 20, path


def test_a_plugin_imports_of_the_project_only_harness_and_itself():
    assert len(PLUGINS) > 10
    for path in (path for folder in PLUGINS for path in folder.rglob("*.py")):
        names = {name for name in imported(path) if name.startswith("harness")}
        assert names <= {"harness", path.relative_to(ROOT / "plugins").parts[0]}, path


def test_a_plugin_imports_public_names_and_rooms_of_harness():
    import harness

    public = {f"harness.{name}" for name in harness.__all__} | {*PUBLIC_ROOMS}
    for path in (path for folder in PLUGINS if folder != KIT for path in folder.rglob("*.py")):
        for name in modules_of(path):
            if name.startswith("harness."):
                assert name in public or name.startswith(PUBLIC_ROOMS), (path, name)


def test_importing_a_plugin_loads_nothing_heavy():
    names = [folder.name for folder in PLUGINS if (folder / "__init__.py").exists()]
    assert len(names) >= 8
    loaded = modules_after("import " + ", ".join(names))
    assert not loaded & (HEAVY | MODELS | METRICS | {"numpy", "scipy"})


def test_the_module_of_a_plugin_imports_nothing_heavy_at_its_top():
    for folder in PLUGINS:
        top = imported(folder / "__init__.py", top=True)
        assert not top & (HEAVY | MODELS | METRICS | {"numpy", "scipy"}), folder


def test_help_loads_nothing_heavy():
    loaded = modules_after(
        "from harness.cli import main\nsys.argv = ['harness', '--help']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code"
    )
    assert "typer" in loaded
    assert not loaded & (HEAVY | MODELS | METRICS | {"numpy", "scipy"})


def test_help_imports_no_command():
    code = (
        "import sys\nfrom harness.cli import main\nsys.argv = ['harness', '--help']\n"
        "try: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stderr.split() if name.startswith(("harness.cli.", "harness_"))}
    assert loaded == {"harness.cli.commands", "harness.cli.left_threads"}


NOT_TO_SHOW = {
    "asyncio", "duckdb", "http.client", "multiprocessing", "numpy", "optuna", "pandas", "pyarrow",
    "rapidfuzz", "scipy", "sqlite3", "ssl", "urllib.request",
    "harness.data.screening", "harness.loop", "harness.scoring",
    "harness.database", "harness.kit.remote.batches",
    "harness.opened", "harness.verdicts",
    "harness_causes.analysis", "harness_detectors.rules", "harness_slices.analysis",
}  # fmt: skip
"""What no run needs that has ended: its report is drawn from its stored analysis."""


def test_a_finished_run_answers_without_what_made_it(finished):
    project, _ = finished
    assert not loaded_by_iterate(project.folder) & (MODELS | METRICS | NOT_TO_SHOW)


@pytest.mark.nightly
def test_so_does_one_whose_report_says_what_more_rows_would_show(project):
    """Rows are advised where nothing improved, by arithmetic that stands in the room of NumPy."""
    config = CONFIG.replace("train: {plugin: fake}", "train: {plugin: fake, gain: 0.0001}")
    project.write(
        config.replace("analyze: [fake]", "analyze: []").replace("rounds: 3", "rounds: 1")
    )
    assert project.inside("iterate").code == 0
    assert "dev rows instead of 48" in " ".join(project.inside("report", "--full").out.split())
    assert not loaded_by_iterate(project.folder) & NOT_TO_SHOW


def loaded_by_iterate(folder: Path) -> set[str]:
    return modules_after(
        f"import os; os.chdir({str(folder)!r})\n"
        "from harness.cli import main\nsys.argv = ['harness', 'iterate']\n"
        "sys.stdout = open(os.devnull, 'w')\n"
        "try: main()\nexcept SystemExit as end: assert not end.code"
    )


def test_folders_of_data_hold_no_code():
    assert not [
        path for name in ("datasets", "rubrics", "reports") for path in (ROOT / name).rglob("*.py")
    ]


def test_plugins_is_a_folder_and_no_package():
    assert not (ROOT / "plugins" / "__init__.py").exists()


def test_every_hook_says_what_it_is_for():
    hooks = {n: h for n, h in vars(Hooks).items() if n.startswith(("register_", "on_"))}
    assert len(hooks) == 23
    assert all((hook.__doc__ or "").strip() for hook in hooks.values())
