"""Libraries, extras, and which harness is meant; what is private in a text."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import harness
from harness.kit.privacy import Private
from harness_doctor.sections import libraries, python

METADATA = """\
Metadata-Version: 2.4
Name: iteration-harness
Version: 0.1.0
Requires-Dist: typer>=0.1
Requires-Dist: rich<2
Requires-Dist: acme-nowhere>=3
Requires-Dist: acme-windows; sys_platform == 'win32'
Requires-Dist: ((nonsense
Provides-Extra: judge
Provides-Extra: all
Requires-Dist: acme-judge>=2; extra == 'judge'
Requires-Dist: pydantic<1; extra == 'judge'
Requires-Dist: iteration-harness[judge]; extra == 'all'
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    folder = tmp_path / "iteration_harness-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    made = importlib.metadata.PathDistribution(folder)
    monkeypatch.setattr(libraries, "installed", lambda: made)
    return made


def test_needed_libraries_that_are_missing_or_unfit_are_problems(found: Distribution) -> None:
    made = libraries.section()
    assert list(made.values["needed"]) == ["acme-nowhere", "rich", "typer"]
    problems = {one.what: one.cure for one in made.troubles if one.level == "problem"}
    version = importlib.metadata.version("rich")
    assert problems == {
        "the package acme-nowhere is not installed": "pip install 'acme-nowhere>=3'",
        f"rich {version} is installed, and rich<2 is asked for": "pip install 'rich<2'",
    }


def test_missing_extras_are_no_problem_and_their_way_is_told(found: Distribution) -> None:
    made = libraries.section()
    assert (
        "not installed: acme-judge (pip install 'iteration-harness[judge]')"
        in (made.facts["[judge]"])
    )
    [unfit] = [one for one in made.troubles if one.level == "warning"]
    assert unfit.what.startswith("pydantic ") and "[judge]" in unfit.why
    assert made.values["extras"]["judge"]["acme-judge"] is None
    assert made.values["extras"]["all"] == {}


def test_a_requirement_is_as_pip_takes_it(found: Distribution) -> None:
    assert libraries.requirement("rich") == "rich<2"
    assert libraries.requirement("unheard-of") == "unheard-of"


def test_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "installed", lambda: None)
    [trouble] = libraries.section().troubles
    assert trouble.cure == "pip install -e ."


def test_the_real_installation_has_its_libraries() -> None:
    made = libraries.section()
    assert made.values["needed"]["torch"] == importlib.metadata.version("torch")
    assert {"judge", "rate", "dev"} <= set(made.values["extras"])


def test_another_harness_on_the_path_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "harness"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    made = python.section()
    [trouble] = made.troubles
    assert trouble.level == "warning" and str(other) in trouble.what
    assert made.values["command"] == str(other)


def test_the_own_harness_on_the_path_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    own = python.own_command(libraries.installed())
    monkeypatch.setenv("PATH", str(own.parent))
    made = python.section()
    assert made.troubles == () and made.values["command"] == str(own)
    assert made.values["package"] == str(Path(harness.__file__ or "").resolve().parent)


def test_no_harness_on_the_path_is_none_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = python.section()
    assert made.troubles == () and made.facts["command"] == "harness is not on the PATH"


def test_an_installation_of_another_place_or_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Distribution
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(python, "installed", lambda: found)
    [trouble] = python.section().troubles
    assert "harness is imported from" in trouble.what and trouble.cure == "unset PYTHONPATH"
    checkout = Path(harness.__file__ or "").resolve().parents[1]
    about = f'{{"url": "{checkout.as_uri()}", "dir_info": {{"editable": true}}}}'
    folder = tmp_path / "iteration_harness-0.1.0.dist-info"
    (folder / "direct_url.json").write_text(about)
    assert python.section().troubles == ()
    (folder / "METADATA").write_text(METADATA.replace("Version: 0.1.0", "Version: 0.0.9"))
    monkeypatch.setattr(python, "installed", lambda: importlib.metadata.PathDistribution(folder))
    [trouble] = python.section().troubles
    assert "of version 0.0.9" in trouble.what and trouble.cure == f"pip install -e {checkout}"


# -- privacy ------------------------------------------------------------------------------


def test_what_is_private() -> None:
    private = Private(
        {"HF_TOKEN": "abcdefgh", "LANG": "C.UTF-8-LONG", "A_KEY": "1", "HTTPS_PROXY": "http://p:1"},
        [Path("/home/eve"), Path("/mnt/homes/eve")], "eve",
    )  # fmt: skip
    shown = {
        "at /home/eve/x": "at ~/x",
        "/home/eve": "~",
        "/home/evelyn/x": "/home/evelyn/x",
        "/mnt/homes/eve/x": "~/x",
        "/scratch/eve/x and eve": "/scratch/USER/x and eve",
        "token abcdefgh.": "token ***.",
        "C.UTF-8-LONG and 1": "C.UTF-8-LONG and 1",
        "http://p:1/x": "***/x",
        "https://me:pw@host/x": "https://host/x",
        "hf_0123456789abcdef": "***",
        "a\x1b[31mb": "ab",
    }
    assert {text: private.text(text) for text in shown} == shown
    assert private.json({"/home/eve": [("/home/eve/a", 1, None)]}) == {"~": [["~/a", 1, None]]}


def test_a_home_that_is_the_root_hides_nothing() -> None:
    assert Private({}, [Path("/")], "").text("/usr/lib") == "/usr/lib"
