"""The command that installs an extra of harness the way harness itself was installed."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "iteration-harness"


def install_extra(extra: str, installed: Distribution | None = None) -> str:
    """``pip install -e '.[rate]'`` in a clone that harness was installed from, editable.

    Else by the folder, file or address that it came from (PEP 610), or by its name from an index.

    Args:
        extra: as ``pyproject.toml`` names it.
        installed: the distribution; None looks for it.
    """
    source = _source(installed)
    url = str(source.get("url") or "")
    if not url:
        return f"pip install {shlex.quote(f'{DISTRIBUTION}[{extra}]')}"
    if "dir_info" not in source:
        kind = (source.get("vcs_info") or {}).get("vcs")
        address = f"{kind}+{url}" if kind else url
        return f"pip install {shlex.quote(f'{DISTRIBUTION}[{extra}] @ {address}')}"
    folder = Path(url2pathname(urlsplit(url).path))
    shown = "." if folder == Path.cwd() else str(folder)
    option = "-e " if source["dir_info"].get("editable") else ""
    return f"pip install {option}{shlex.quote(f'{shown}[{extra}]')}"


def _source(installed: Distribution | None) -> dict[str, Any]:
    """What pip wrote down of where harness came from; empty for one from an index."""
    try:
        text = (installed or distribution(DISTRIBUTION)).read_text("direct_url.json")
        found = json.loads(text) if text else {}
    except (PackageNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
