"""The commands that put harness back, or add an extra of it, the way it was installed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

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
