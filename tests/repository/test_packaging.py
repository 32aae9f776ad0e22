"""The distribution: metadata, entry points, and what a built wheel brings along."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

import harness

ROOT = Path(__file__).parents[2]
PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
POINTS: dict[str, str] = PROJECT["project"]["entry-points"]["harness"]
WHEEL: Any = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
PLUGIN_PACKAGES = sorted(path.parent.name for path in ROOT.glob("plugins/*/__init__.py"))
DATA_FOLDERS = ("datasets", "rubrics", "reports")


# -- metadata -----------------------------------------------------------------------------


def test_version_is_said_once_in_effect() -> None:
    assert PROJECT["project"]["version"] == harness.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(harness.__version__)}\b", changelog, re.MULTILINE)


def test_the_distribution_has_its_own_name() -> None:
    """On the package index ``harness`` is somebody else's project."""
    assert PROJECT["project"]["name"] == "iteration-harness"
    # The second is what `uvx iteration-harness` looks for.
    scripts = dict.fromkeys(("harness", "iteration-harness"), "harness.cli:main")
    assert PROJECT["project"]["scripts"] == scripts


OTHERS_NAME = re.compile(
    r"""pip\s+install\s[^\n`"&]*(?<![\w./-])harness(?![\w./-])  # by name, with an extra or without
    |["']harness\[                                           # a requirement with an extra
    |dependencies\s*=\s*\[[^\]]*["']harness["'>=<~! ]        # of a package that needs it
    |install\ harness\b""",
    re.VERBOSE,
)


def test_nothing_tells_anybody_to_install_the_other_project() -> None:
    assert OTHERS_NAME.search("pip install 'harness[judge]'")
    assert OTHERS_NAME.search("pip install harness")
    assert OTHERS_NAME.search('dependencies = ["harness>=1"]')
    assert not OTHERS_NAME.search("pip install 'iteration-harness[judge]'")
    assert not OTHERS_NAME.search("pip install -e '.[train]' && harness iterate")
    texts = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml")]
    for folder, kinds in (("harness", "py"), ("plugins", "py"), ("docs", "md"), ("datasets", "md")):
        texts += (ROOT / folder).rglob(f"*.{kinds}")
    found = {
        path.relative_to(ROOT).as_posix(): match.group()
        for path in texts
        if (match := OTHERS_NAME.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_licence_is_there() -> None:
    """Our own, and that of the functions which ship as data."""
    assert PROJECT["project"]["license"] == "Apache-2.0 AND PSF-2.0"
    heads = ("Apache License", "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2")
    for name, head in zip(PROJECT["project"]["license-files"], heads, strict=True):
        assert head in (ROOT / name).read_text(encoding="utf-8")


def test_every_plugin_package_has_an_entry_point() -> None:
    commands = PROJECT["project"]["entry-points"]["harness.commands"].values()
    packages = {module.partition(".")[0] for module in commands}
    assert sorted({*POINTS.values(), *packages}) == PLUGIN_PACKAGES


@pytest.mark.parametrize("module", POINTS.values())
def test_entry_points_can_be_imported_and_give_plugins_or_hooks(module: str) -> None:
    from harness.hookspecs import Hooks
    from harness.registry import Registry

    registry, loaded = Registry(), importlib.import_module(module)
    registry.add(loaded, module)
    others = [name for name in vars(Hooks) if not name.startswith("_")]
    assert registry.providers() or any(hasattr(loaded, name) for name in others)


def test_the_command_is_callable() -> None:
    module, function = PROJECT["project"]["scripts"]["harness"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_the_address_of_the_project_is_the_same_wherever_it_stands() -> None:
    address = PROJECT["project"]["urls"]["Repository"]
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    addresses = re.findall(r"https?://[^\"')\s]*", text)
    assert len(addresses) > 3
    owner, name = address.removeprefix("https://github.com/").split("/")
    site = f"https://{owner}.github.io/{name}/"
    assert {a for a in addresses if not f"{a}/".startswith((f"{address}/", site))} == set()


def test_nothing_under_gpl_is_depended_on() -> None:
    wanted = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    names = {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in wanted}
    assert names.isdisjoint({"krippendorff", "pingouin"})


# -- the tree -----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", DATA_FOLDERS)
def test_data_folders_hold_no_python(folder: str) -> None:
    assert (ROOT / folder).is_dir() or folder == "rubrics"
    assert not list((ROOT / folder).rglob("*.py"))


def test_plugins_folder_is_no_package() -> None:
    assert not (ROOT / "plugins" / "__init__.py").exists()


def test_what_runs_leave_behind_is_ignored_by_git() -> None:
    patterns = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {".venv/", ".harness/", "reports/*", "!reports/.gitkeep"} <= set(patterns)


# -- the wheel ----------------------------------------------------------------------------


def test_shipped_files_do_not_shadow_an_editable_install() -> None:
    """Files forced into ``harness/`` would make a second ``harness`` beside the checkout's."""
    assert all(target.startswith("harness_shipped/") for target in WHEEL["force-include"].values())


@pytest.mark.parametrize("source", WHEEL["force-include"])
def test_shipped_files_are_there_in_a_fresh_clone(source: str) -> None:
    """A folder without a file is not in a clone, and then nothing can be installed from it."""
    path = ROOT / source
    assert path.is_file() or any(inner.is_file() for inner in path.rglob("*"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from this checkout by its build backend, without any network."""
    pytest.importorskip(
        "hatchling", reason="the build backend is not installed: pip install hatchling"
    )
    pytest.importorskip(
        "hatch_fancy_pypi_readme", reason="the build's hook is not installed: pip install -e .[dev]"
    )
    return zipfile.ZipFile(built("wheel", tmp_path_factory.mktemp("dist")))


def built(kind: str, folder: Path) -> Path:
    code = f"from hatchling.build import build_{kind} as build; print(build({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    return folder / done.stdout.split()[-1]


def metadata(wheel: zipfile.ZipFile) -> Message:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(wheel.read(name))


def test_links_of_the_long_description_are_whole(wheel: zipfile.ZipFile) -> None:
    """An index has no file beside it: each link of the README leads to that of the release."""
    release = f"{PROJECT['project']['urls']['Repository']}/KIND/v{harness.__version__}/"
    shown = metadata(wheel).get_payload(decode=True).decode("utf-8")  # type: ignore[union-attr]
    link = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]*)\)")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = link.findall(readme)
    assert len(links) > 20 and any(picture for picture, _, _ in links)
    whole = [
        (picture, words, release.replace("KIND", "raw" if picture else "blob") + address)
        for picture, words, address in links
    ]
    assert link.findall(shown) == whole
    assert link.sub("", shown).strip() == link.sub("", readme).strip()


def test_an_index_takes_both_distributions(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    for command in (
        ["twine", "check", "--strict", str(wheel.filename), str(built("sdist", tmp_path))],
        ["validate_pyproject", str(ROOT / "pyproject.toml")],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_types_of_what_others_import_are_told(wheel: zipfile.ZipFile) -> None:
    """The core, and the conformance kit, which tests of plugins import."""
    names = set(wheel.namelist())
    assert {"harness/py.typed", "harness_testing/py.typed"} <= names


def test_wheel_brings_the_code_and_the_shipped_files(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    tops = {name.split("/")[0] for name in names}
    info = f"iteration_harness-{harness.__version__}.dist-info"
    assert tops == {"harness", "harness_shipped", info, *PLUGIN_PACKAGES}
    for path in ROOT.glob("harness/**/*.py"):
        assert path.relative_to(ROOT).as_posix() in names
    data = [*ROOT.glob("datasets/support-billing/*"), *ROOT.glob("datasets/python-questions/*")]
    shipped = [ROOT / "harness.yaml", *data]
    for path in [*shipped, *(ROOT / "rubrics").glob("**/*.yaml"), *ROOT.glob("docs/**/*.md")]:
        assert f"harness_shipped/{path.relative_to(ROOT).as_posix()}" in names


def test_wheel_brings_data_files_of_plugins_with_their_licence(wheel: zipfile.ZipFile) -> None:
    for path in (*ROOT.glob("plugins/*/data/*"), *ROOT.glob("plugins/*/commands.json")):
        assert path.relative_to(ROOT / "plugins").as_posix() in wheel.namelist()
    assert any("LICENSE" in name and "/data/" in name for name in wheel.namelist())


def test_wheel_finds_its_shipped_config_and_pages(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked elsewhere, and preferred to the checkout, it uses its own files."""
    wheel.extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    code = (
        "import sys, harness.config.loading as c; print(c.__file__); print(c.find(None))\n"
        "from harness.cli import main; sys.argv = ['harness', 'docs', 'data']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "empty", check=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, stdout=subprocess.PIPE,
    )  # fmt: skip
    module, found, shown = done.stdout.split("\n", 2)
    assert shown == (ROOT / "docs" / "data.md").read_text("utf-8")
    assert module.startswith(str(tmp_path))
    assert found == str(tmp_path / "site" / "harness_shipped" / "harness.yaml")
    assert Path(found).read_bytes() == (ROOT / "harness.yaml").read_bytes()


SHORT = (
    "iterate", "--rounds", "1", "--json", "--set", "train.epochs=1", "--set",
    "data.sizes={train: 16, pool: 16, dev: 10, test: 10}", "--set", "generate.max_new_tokens=8",
)  # fmt: skip


@pytest.mark.model
@pytest.mark.nightly
def test_the_wheel_with_training_needs_nothing_that_it_does_not_ask_for(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """Installed with `[train]` in an empty environment it runs a round of the real model."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    install = [programs / "pip", "install", "--quiet", f"{wheel.filename}[train]"]
    subprocess.run(install, check=True, timeout=1800)
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [programs / "harness", *SHORT], cwd=tmp_path / "empty", text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert [entry["round"] for entry in json.loads(done.stdout)["rounds"]] == [0, 1]


def test_mypy_reads_the_core_and_every_plugin() -> None:
    packages = sorted(path.name for path in (ROOT / "plugins").glob("harness_*"))
    assert sorted(PROJECT["tool"]["mypy"]["packages"]) == ["harness", *packages]
