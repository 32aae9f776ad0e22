"""What ``harness doctor`` finds: sections of facts, and what is wrong, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import harness

Level = Literal["problem", "warning"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong.

    Attributes:
        what: with what it matters for.
        cure: the command that mends it, or what to do.
        level: ``problem``: harness or the config cannot do without it; ``warning``: all else.
        code: the exit code of a problem: the machine's (3) or the config's own (2).
    """

    what: str
    cure: str
    level: Level = "problem"
    code: int = harness.EnvironmentFailure.exit_code


@dataclass(frozen=True, slots=True)
class Section:
    """One part of what was looked at.

    Attributes:
        title: its name; in lower case its key in the JSON document.
        facts: label -> text, as people read it.
        values: the same as JSON values; sizes in bytes.
    """

    title: str
    facts: Mapping[str, str]
    values: Mapping[str, Any]
    troubles: Sequence[Trouble] = ()
