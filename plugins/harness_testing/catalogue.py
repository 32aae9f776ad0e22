"""The rules, in the order in which they are told, and how one is applied."""

from __future__ import annotations

import json
import time
import unittest
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import NO_FAULT, ConfigError, PluginError
from harness.kit.text import one_line
from harness.records import Checkpoint
from harness.stages import Plugin
from harness_testing import contract, identity, metrics, work
from harness_testing.outcomes import (
    Failed,
    Noted,
    Outcome,
    Skipped,
    Status,
    hushed,
    reason,
    staying,
)
from harness_testing.subject import Pair, Subject

_LINE = 600
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the kit.

    Attributes:
        id: its name, also as the id of a test.
        judge: looks at a plugin; returns a fact worth telling or None, or raises one of
            :class:`Failed`, :class:`Skipped`, :class:`Noted`.
        of_scores: it looks at a metric's scores, so that the rule ``measure`` has to hold first.
    """

    id: str
    judge: Callable[[Subject], str | None]
    of_scores: bool = False

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
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """For a test: passes, raises, or skips (under unittest and pytest alike).

        The arguments are those of :func:`check`.

        Raises:
            AssertionError: the rule is broken; the line says what is wrong and how to mend it.
            unittest.SkipTest: the rule does not apply.
            ConfigError: the options cannot be used.
        """
        outcome = self.run(_subject(plugin, options, pairs, checkpoint))
        if outcome.status == "failed":
            raise AssertionError(f"{self.id}: {outcome.message}")
        if outcome.status == "skipped":
            raise unittest.SkipTest(outcome.message)

    def run(self, subject: Subject) -> Outcome:
        """What the rule says; whatever the plugin does, short of having the process killed."""
        start = time.perf_counter()
        status, message = self._judged(subject)
        line = one_line(message, _LINE)
        return Outcome(self.id, status, line, time.perf_counter() - start)

    def _judged(self, subject: Subject) -> tuple[Status, str]:
        try:
            with hushed(), staying():
                if self.of_scores and subject.flaw is not None:
                    return "skipped", "not tried, since the rule measure is broken"
                return "ok", self.judge(subject) or ""
        except Failed as broken:
            return "failed", str(broken)
        except Noted as remark:
            return "note", str(remark)
        except Skipped as skipped:
            return "skipped", str(skipped)
        except (ConfigError, *NO_FAULT):
            raise
        except PluginError as error:
            return "failed", f"{error.what}{subject.placed(error)}"
        except (Exception, SystemExit) as error:
            what = f"the plugin raised {reason(error)}{subject.placed(error)}"
            return "failed", f"{what} where no rule expects it"


_FOR_ALL = (
    Rule("contract", contract.contract),
    Rule("options", contract.options),
    Rule("revision", contract.revision),
    Rule("check", contract.asking),
)
_FOR_METRICS = (
    Rule("measure", metrics.measure),
    Rule("bounds", metrics.bounds, of_scores=True),
    Rule("direction", metrics.direction, of_scores=True),
    Rule("texts", metrics.texts, of_scores=True),
    Rule("references", metrics.references, of_scores=True),
    Rule("no-reference", metrics.no_reference, of_scores=True),
    Rule("permutation", metrics.permutation, of_scores=True),
    Rule("determinism", metrics.determinism, of_scores=True),
    Rule("batch", metrics.batch, of_scores=True),
    Rule("additivity", metrics.additivity, of_scores=True),
    Rule("signature", identity.signature, of_scores=True),
)
_FOR_OTHERS = (Rule("work", work.work),)
_FOR_GENERATORS = (*_FOR_OTHERS, Rule("seed", work.seed))
_FOR_AUGMENTERS = (*_FOR_GENERATORS, Rule("gate", work.gate))
_IN_A_FRESH_PROCESS = (
    Rule("rebuild", identity.rebuild),
    Rule("quiet", identity.quiet),
    Rule("isolation", identity.isolation),
)


def rules(stage: str = "metric") -> list[Rule]:
    """The rules for plugins of a stage, in the order in which they are told."""
    own = {
        "metric": _FOR_METRICS,
        "augmenter": _FOR_AUGMENTERS,
        "generator": _FOR_GENERATORS,
    }.get(stage, _FOR_OTHERS)
    return [*_FOR_ALL, *own, *_IN_A_FRESH_PROCESS]


def metric_rules() -> list[Rule]:
    """The rules for metrics; ``str(rule)`` is its id."""
    return rules("metric")


def check(
    plugin: type[Plugin],
    options: Mapping[str, Any] | None = None,
    *,
    pairs: Sequence[Pair] | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Outcome]:
    """What each rule says of a plugin.

    Args:
        options: its options, as a config would give them; those that it needs have to be here.
        pairs: predictions with their examples, for a metric that needs something special of
            its examples (a field of ``meta``); the default is a dozen English texts.
        checkpoint: a base model that a trainer or generator can load; the default has no files.

    Raises:
        ConfigError: the options cannot be used; names those that are needed.
        EnvironmentFailure: the plugin cannot work on this machine.
    """
    subject = Subject(plugin, options, pairs, checkpoint)
    return [rule.run(subject) for rule in rules(subject.stage)]


_subjects: dict[tuple[type[Plugin], str], Subject] = {}


def _subject(
    plugin: type[Plugin],
    options: Mapping[str, Any] | None,
    pairs: Sequence[Pair] | None,
    checkpoint: Checkpoint | None,
) -> Subject:
    """The subject of the test before, where it is the same: one fresh process for all rules."""
    if pairs is not None or checkpoint is not None:
        return Subject(plugin, options, pairs, checkpoint)
    key = plugin, json.dumps(dict(options or {}), sort_keys=True, default=repr)
    if key not in _subjects:
        while len(_subjects) >= _KEPT:
            del _subjects[next(iter(_subjects))]
        _subjects[key] = Subject(plugin, options)
    return _subjects[key]
