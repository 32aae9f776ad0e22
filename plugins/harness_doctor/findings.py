"""What ``harness doctor`` finds: sections of facts, and what is wrong, each with its cure."""

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
        what: in one sentence.
        why: what it matters for.
        cure: the command that mends it, or what to do.
        level: ``problem``: harness or the config cannot do without it; ``warning``: all else.
        code: the exit code of a problem: the machine's (3) or the config's own (2).
    """

    what: str
    why: str
    cure: str
    level: Level = "problem"
    code: int = harness.EnvironmentFailure.exit_code


@dataclass(frozen=True, slots=True)
class Section:
    """One part of what was looked at.

    Attributes:
        key: its name in the JSON document.
        title: its name for people.
        facts: label -> text, as people read it.
        values: the same as JSON values.
    """

    key: str
    title: str
    facts: Mapping[str, str]
    values: Mapping[str, Any]
    troubles: Sequence[Trouble] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found."""

    sections: Sequence[Section]

    @property
    def troubles(self) -> list[tuple[Section, Trouble]]:
        """What is wrong, with its section: problems first."""
        found = [(section, one) for section in self.sections for one in section.troubles]
        return sorted(found, key=lambda pair: pair[1].level != "problem")

    @property
    def exit_code(self) -> int:
        """0 where no problem is; the machine's code comes before the config's."""
        return max((one.code for _, one in self.troubles if one.level == "problem"), default=0)

    @property
    def state(self) -> Literal["fine", "warnings", "problems"]:
        if self.exit_code:
            return "problems"
        return "warnings" if self.troubles else "fine"
