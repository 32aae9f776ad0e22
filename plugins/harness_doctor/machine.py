"""Which Python and harness run, which libraries are there, and how much memory and disk."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import harness
from harness.errors.installing import DISTRIBUTION, declared, install_again, install_extra
from harness.kit import cgroups
from harness.kit.numbers import gigabytes
from harness_doctor.findings import Level, Section, Trouble

LEAST_MEMORY = 3_000_000_000
"""Bytes: a run on support-billing took up to 2.84 GB, as measured in November 2026."""
LEAST_DISK = 2_000_000_000
"""Bytes: what a small model and a few runs take."""
FULL = 50_000_000
"""Bytes: with less, not even a run without a model can store its files."""
NAMESAKE = "harness"
"""A distribution of another project, whose module and command have the names of ours."""


def python() -> Section:
    """Versions and places. That the PATH names another harness than the one that runs is wrong."""
    on_path, running = shutil.which("harness"), Path(sys.argv[0]).resolve()
    facts = {
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "executable": sys.executable,
        "system": platform.platform(),
        "harness": f"{harness.__version__} in {Path(harness.__file__ or '').resolve().parent}",
        "command": on_path or "harness is not on the PATH",
    }
    troubles = []
    if on_path and running.name == "harness" and Path(on_path).resolve() != running:
        what = f"the PATH names {on_path}, another harness than the one that runs ({running})"
        troubles.append(Trouble(what, shlex.quote(str(running)), "warning"))
    return Section("Python", facts, facts, troubles)


def libraries() -> Section:
    """What harness declares and what of it is installed; a missing extra is nothing wrong."""
    try:
        own = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        what = "harness is not installed but imported from a folder: plugins are not found"
        return Section("Libraries", {}, {}, [Trouble(what, "pip install -e .")])
    facts, troubles = {}, []
    if namesake := installed_version(NAMESAKE):
        what = f"the package '{NAMESAKE}' {namesake} is another project, and overwrites our files"
        cure = f"pip uninstall -y {NAMESAKE} && {install_again(own)}"
        troubles.append(Trouble(what, cure))
    versions: dict[str, dict[str, str | None]] = {}
    for extra in ("", *sorted(own.metadata.get_all("Provides-Extra") or ())):
        label, for_what = (f"[{extra}]", f" for [{extra}]") if extra else ("needed", "")
        versions[label] = {}
        installed, missing = [], []
        for requirement in sorted(declared(own, extra), key=lambda wanted: wanted.name.lower()):
            name, there = requirement.name, installed_version(requirement.name)
            versions[label][name] = there
            if there is None:
                missing.append(name)
            else:
                installed.append(f"{name} {there}")
            if there is None and not extra:
                what = f"{name} is missing: {requirement} is needed"
                troubles.append(Trouble(what, f"pip install '{requirement}'"))
            elif there and not requirement.specifier.contains(there, prereleases=True):
                what = f"{name} {there} does not fit: {requirement} is needed{for_what}"
                level: Level = "warning" if extra else "problem"
                troubles.append(Trouble(what, f"pip install '{requirement}'", level))
        if missing:
            way = f" ({install_extra(extra, own)})" if extra else ""
            installed.append(f"not installed: {', '.join(missing)}{way}")
        facts[label] = ", ".join(installed) or "nothing"
    return Section("Libraries", facts, versions, troubles)


def installed_version(name: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def resources() -> Section:
    """Cores, memory and disk that this process may use: limits of a container count."""
    limits = cgroups.limits()
    memory, available = cgroups.memory(limits)
    limited = " (limit of the control group)" if limits.memory == memory is not None else ""
    facts = {
        "cores": f"{cgroups.cores(limits)} of {os.cpu_count()} may be used",
        "memory": f"{gigabytes(memory)}{limited}, {gigabytes(available)} available",
    }
    values: dict[str, Any] = {
        "cores": cgroups.cores(limits), "memory": memory, "memory_available": available, "disk": {},
    }  # fmt: skip
    troubles = []
    if available is not None and available < LEAST_MEMORY:
        what = f"{gigabytes(available)} of memory are available, and the default run takes 2.8 GB"
        cure = "raise the container's limit" if limited else "close other programs"
        troubles.append(Trouble(what, cure, "warning"))
    if load := cgroups.busy():
        what = f"other programs want the cores, too ({load}): training and answers take longer"
        troubles.append(Trouble(what, "close other programs, or wait for them", "warning"))
    disks = set()
    for name, folder in _places().items():
        there = next(path for path in (folder, *folder.parents) if path.exists())
        usage = shutil.disk_usage(there)
        facts[name] = f"{gigabytes(usage.free)} of {gigabytes(usage.total)} free ({folder})"
        values["disk"][name] = {"folder": str(folder), "free": usage.free, "total": usage.total}
        if not os.access(there, os.W_OK):
            what = f"nothing can be written into {there} ({name})"
            troubles.append(Trouble(what, f"chmod u+w {shlex.quote(str(there))}"))
        # Folders of one disk have one trouble together.
        if usage.free < LEAST_DISK and there.stat().st_dev not in disks:
            disks.add(there.stat().st_dev)
            what = f"only {gigabytes(usage.free)} are free on the disk of {there} ({name})"
            level: Level = "problem" if usage.free < FULL else "warning"
            troubles.append(Trouble(what, "delete what is not needed", level))
    return Section("Machine", facts, values, troubles)


def _places() -> dict[str, Path]:
    """Where a run writes, and where models are kept."""
    import platformdirs

    # As harness_transformers has it.
    cache = os.environ.get("HARNESS_CACHE") or platformdirs.user_cache_path("harness")
    places = {"working folder": ".", "model cache": cache}
    with contextlib.suppress(ImportError):  # it comes with what trains
        from huggingface_hub import constants

        places["hub's cache"] = constants.HF_HUB_CACHE
    return {name: Path(os.path.abspath(place)) for name, place in places.items()}
