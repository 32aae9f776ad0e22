"""What harness asks for, what of it is missing, and the command that installs it.

harness and its extras are installed the way harness was.
"""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import PackageMissing

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "iteration-harness"
"""The name under which harness is installed."""


def install_extra(extra: str, installed: Distribution | None = None) -> str:
    """``pip install -e '.[rate]'`` in a clone that harness was installed from, editable.

    Else by the folder, file or address that it came from (PEP 610), or by its name from an index.

    Args:
        extra: as ``pyproject.toml`` names it.
        installed: the distribution; None looks for it.
    """
    return f"pip install {_requirement(f'[{extra}]', installed)}"


def install_again(installed: Distribution | None = None) -> str:
    """The command that puts the files of harness back as they were, and nothing else."""
    return f"pip install --force-reinstall --no-deps {_requirement('', installed)}"


def _requirement(extra: str, installed: Distribution | None) -> str:
    """What stands behind ``pip install``; an extra has its brackets."""
    source = _source(installed)
    url = str(source.get("url") or "")
    if not url:
        return shlex.quote(f"{DISTRIBUTION}{extra}")
    if "dir_info" not in source:
        return shlex.quote(f"{DISTRIBUTION}{extra} @ {_address(source)}")
    # Half of what HTTP needs comes with it, and this module is on the way of every command.
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    folder = Path(url2pathname(urlsplit(url).path))
    shown = "." if folder == Path.cwd() else str(folder)
    option = "-e " if source["dir_info"].get("editable") else ""
    return f"{option}{shlex.quote(f'{shown}{extra}')}"


def declared(own: Distribution, extra: str) -> Iterator[Requirement]:
    """What harness asks for on this machine: for an extra, or for all uses where it is empty."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for text in own.requires or ():
        wanted = Requirement(text)
        marker, wanted.marker = wanted.marker, None  # shown as pip takes it
        for_all = marker is None or marker.evaluate({"extra": ""})
        here = for_all or (marker is not None and marker.evaluate({"extra": extra}))
        # What all uses need is no part of an extra; an extra may take in others of harness itself.
        if here and for_all != bool(extra) and canonicalize_name(wanted.name) != DISTRIBUTION:
            yield wanted


def missing(packages: Iterable[str]) -> str:
    """Those of some distributions that are not installed, with the command for them.

    Empty where all are there: ``torch and peft are not installed: pip install …``.
    """
    lacking = [name for name in packages if not _is_installed(name)]
    if not lacking:
        return ""
    extras = {extra for name in lacking if (extra := _extra_of(name))}
    names = " and ".join(filter(None, (", ".join(lacking[:-1]), lacking[-1])))
    commands = [install_extra(extra) for extra in sorted(extras)]
    commands = commands or [f"pip install {shlex.join(lacking)}"]
    verb = "is" if len(lacking) == 1 else "are"
    return f"{names} {verb} not installed: {'; '.join(commands)}"


def missing_package(error: ModuleNotFoundError) -> PackageMissing | None:
    """The failure of an import for people, where an extra of harness brings the package."""
    name = (error.name or "").partition(".")[0]
    extra = _extra_of(name)
    if not extra:
        return None  # a name that is wrong, or a package that is nobody's but the importer's
    failure = PackageMissing(f"the package {name} is not installed", hint=install_extra(extra))
    failure.package = name
    return failure


def _is_installed(name: str) -> bool:
    try:
        return bool(importlib.metadata.version(name))
    except PackageNotFoundError:
        return False


def _extra_of(name: str) -> str:
    """The extra of harness that brings a package; empty where none does."""
    from packaging.utils import canonicalize_name

    try:
        own = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return ""
    package = canonicalize_name(name)
    extras = {
        str(extra): {canonicalize_name(wanted.name) for wanted in declared(own, extra)}
        for extra in own.metadata.get_all("Provides-Extra") or []
        if extra not in ("dev", "rate")  # the latter is what `web` was called
    }
    # What several bring: the one for this package alone, else all that training needs.
    bringing = [extra for extra in extras if package in extras[extra]]
    bringing.sort(key=lambda extra: (len(extras[extra]) > 1, extra != "train"))
    return bringing[0] if bringing else ""


def _address(source: Mapping[str, Any]) -> str:
    """That of an archive or a repository, with the revision and the folder that were installed."""
    address, vcs = str(source["url"]), source.get("vcs_info")
    if vcs:
        revision = vcs.get("requested_revision") or vcs.get("commit_id")
        address = f"{vcs.get('vcs')}+{address}" + (f"@{revision}" if revision else "")
    folder = source.get("subdirectory")
    return f"{address}#subdirectory={folder}" if folder else address


def _source(installed: Distribution | None) -> dict[str, Any]:
    """What pip wrote down of where harness came from; empty for one from an index."""
    try:
        text = (installed or distribution(DISTRIBUTION)).read_text("direct_url.json")
        source = json.loads(text) if text else {}
    except (PackageNotFoundError, ValueError):
        return {}
    return source if isinstance(source, dict) else {}
