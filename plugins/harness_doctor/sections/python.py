"""Which Python runs, and which harness."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import harness
from harness_doctor.findings import Section, Trouble
from harness_doctor.sections.libraries import installed

COMMAND = "harness"


def section() -> Section:
    """Versions, and whether what runs is what is installed and what the PATH names."""
    found = installed()
    package = Path(harness.__file__ or "").resolve().parent
    on_path = shutil.which(COMMAND)
    values: dict[str, Any] = {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "environment": environment(),
        "system": platform.platform(),
        "harness": harness.__version__,
        "package": str(package),
        "command": on_path,
    }
    facts = {
        "Python": f"{values['version']} ({values['implementation']}), {values['environment']}",
        "executable": sys.executable,
        "system": values["system"],
        "harness": f"{harness.__version__} in {package}",
        "command": on_path or "harness is not on the PATH",
    }
    return Section("python", "Python", facts, values, tuple(_troubles(found, package, on_path)))


def environment() -> str:
    """What separates this Python from others: a virtual environment, conda, or nothing."""
    if sys.prefix != sys.base_prefix:
        return "in a virtual environment"
    if Path(sys.prefix, "conda-meta").is_dir():
        return "in a conda environment"
    return "in no virtual environment"


def _troubles(found: Distribution | None, package: Path, on_path: str | None) -> Iterator[Trouble]:
    own = own_command(found)
    if on_path and Path(on_path).resolve() != own:
        yield Trouble(
            f"the PATH names another harness ({on_path}) than the one that runs",
            "`harness` without a path starts another installation, with other versions",
            _starting(own),
            "warning",
        )
    if found is None:
        return
    home = home_of(found)
    if not package.is_relative_to(home):
        yield Trouble(
            f"harness is imported from {package}, and installed in {home}",
            "another folder stands before it on the path of modules (PYTHONPATH)",
            "unset PYTHONPATH",
            "warning",
        )
    elif found.version != harness.__version__:
        yield Trouble(
            f"the installation is of version {found.version}, its code {harness.__version__}",
            "commands and plugins are found by what the older installation says",
            f"pip install -e {shlex.quote(str(home))}",
            "warning",
        )


def own_command(found: Distribution | None) -> Path:
    """The ``harness`` that was installed with the distribution."""
    for file in (found.files or ()) if found is not None else ():
        if file.name in (COMMAND, f"{COMMAND}.exe") and file.parent.name in ("bin", "Scripts"):
            return Path(str(file.locate())).resolve()
    return Path(sysconfig.get_path("scripts"), COMMAND).resolve()


def home_of(found: Distribution) -> Path:
    """The folder that the packages of a distribution lie in: a checkout, if it is editable."""
    try:
        about = json.loads(found.read_text("direct_url.json") or "{}")
        if about.get("dir_info", {}).get("editable"):
            return Path(unquote(urlsplit(about["url"]).path)).resolve()
    except (ValueError, KeyError, AttributeError, TypeError):
        pass
    return Path(str(found.locate_file(""))).resolve()


def _starting(command: Path) -> str:
    """What to type to have this ``harness`` on the PATH, or to start it."""
    activate = command.parent / "activate"
    return f". {shlex.quote(str(activate))}" if activate.is_file() else shlex.quote(str(command))
