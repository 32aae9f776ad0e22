"""Under which licence a base model is, as far as its files or its source say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import harness
from harness.kit.text import one_line
from harness_transformers import hub, pypi

_METADATA = re.compile(r"\A---\r?\n(.*?)\r?\n---", re.DOTALL)
_LICENCE = re.compile(r"^license(?:_name)?:\s*[\"']?([^\"'\r\n]+)", re.MULTILINE)
_READ = 200_000
"""Characters of a model card that are read."""


def of_base(model: Mapping[str, Any], base: harness.Checkpoint) -> str:
    """The licence in a few words, empty where nobody says.

    Args:
        model: the config's ``model`` entry.
        base: ``base_path`` or ``path`` is the folder of the base model.
    """
    folder = Path(base.base_path or base.path)
    licence = _in_card(folder) or _in_file(folder)
    if not licence and model.get("source") == pypi.PypiModel.name:
        wheel = pypi.WHEELS.get(str(model.get("name")))
        licence = wheel.licence if wheel is not None else ""
    if not licence and model.get("source") == "hub":
        licence = hub.licence(str(model.get("id")), str(base.info.get("commit") or "main"))
    return one_line(licence, 100)


def _in_card(folder: Path) -> str:
    text = _text(folder / "README.md")
    metadata = _METADATA.match(text)
    names = _LICENCE.findall(metadata[1]) if metadata else []
    return names[-1].strip() if names else ""  # "license: other" stands before its name


def _in_file(folder: Path) -> str:
    for path in sorted([*folder.glob("LICENSE*"), *folder.glob("LICENCE*")]):
        lines = [line.strip() for line in _text(path).splitlines() if line.strip()]
        if lines:
            return f"{lines[0]} ({path.name} of the base model)"
    return ""


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_READ)
    except OSError:
        return ""
