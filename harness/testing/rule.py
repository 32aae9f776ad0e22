"""A rule: a function that judges a plugin, with an id."""

from __future__ import annotations

import json
import time
import unittest
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import NO_FAULT, ConfigError
from harness.kit.text import one_line
from harness.stages import Plugin
from harness.testing.outcomes import (
    Failed,
    Noted,
    Outcome,
    Skipped,
    Status,
    hushed,
    reason,
)
from harness.testing.subject import Pair, Subject

_LINE = 600
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the kit.

    Attributes:
        id: its name, also as the id of a test.
        judge: looks at a plugin; returns a fact worth telling or None, or raises one of
            :class:`Failed`, :class:`Skipped`, :class:`Noted`.
    """

    id: str
    judge: Callable[[Subject], str | None]

    def __str__(self) -> str:
        return self.id

    @property
    def about(self) -> str:
        """What the rule asks for, in a line."""
        return (self.judge.__doc__ or "").strip().split("\n")[0]

    def check(
        self,
        plugin: type[Plugin],
        options: Mapping[str, Any] | None = None,
        *,
        pairs: Sequence[Pair] | None = None,
    ) -> None:
        """For a test: passes, raises, or skips (under unittest and pytest alike).

        Raises:
            AssertionError: the rule is broken; the line says what is wrong and how to mend it.
            unittest.SkipTest: the rule does not apply.
            ConfigError: the options cannot be used.
        """
        outcome = self.run(_subject(plugin, options, pairs))
        if outcome.status == "failed":
            raise AssertionError(f"{self.id}: {outcome.message}")
        if outcome.status == "skipped":
            raise unittest.SkipTest(outcome.message)

    def run(self, subject: Subject) -> Outcome:
        """What the rule says; whatever the plugin does, short of ending the process."""
        start = time.perf_counter()
        status, message = self._judged(subject)
        line = one_line(message, _LINE)
        return Outcome(self.id, status, line, time.perf_counter() - start)

    def _judged(self, subject: Subject) -> tuple[Status, str]:
        try:
            with hushed():
                return "ok", self.judge(subject) or ""
        except Failed as found:
            return "failed", str(found)
        except Noted as found:
            return "note", str(found)
        except Skipped as found:
            return "skipped", str(found)
        except (ConfigError, *NO_FAULT):
            raise
        except (Exception, SystemExit) as error:
            return "failed", f"the plugin raised {reason(error)} where no rule expects it"


_subjects: dict[tuple[type[Plugin], str], Subject] = {}


def _subject(
    plugin: type[Plugin], options: Mapping[str, Any] | None, pairs: Sequence[Pair] | None
) -> Subject:
    """The subject of the test before, where it is the same: one fresh process for all rules."""
    if pairs is not None:
        return Subject(plugin, options, pairs)
    key = plugin, json.dumps(dict(options or {}), sort_keys=True, default=repr)
    if key not in _subjects:
        while len(_subjects) >= _KEPT:
            del _subjects[next(iter(_subjects))]
        _subjects[key] = Subject(plugin, options)
    return _subjects[key]
