"""What several of the commands print."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from harness import to_json
from harness.kit.numbers import DASH
from harness.kit.text import one_line

Document = Mapping[str, Any]


def write_json(document: Any) -> None:
    """One JSON document, or record, on standard output."""
    sys.stdout.write(json.dumps(to_json(document), indent=1, allow_nan=False) + "\n")


VALUE = 40
"""Characters of a value of the configuration."""


def setting(value: Any) -> str:
    """A value of the configuration, a dash where there is none."""
    if value is None:
        return DASH
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, VALUE)


def why_command(name: str, run: str | None) -> str:
    """The command that shows one row; an id that looks like an option is kept from being one."""
    guard = ["--"] if name.startswith("-") else []
    return shlex.join(["harness", "why", *guard, name, *([run] if run else [])])
