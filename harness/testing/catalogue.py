"""All rules, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.stages import Plugin
from harness.testing import contract, identity, searching, sections, sets, single
from harness.testing.outcomes import Outcome
from harness.testing.rule import Rule
from harness.testing.subject import Pair, Subject

_FOR_ALL = (
    Rule("contract", contract.contract),
    Rule("options", contract.options),
    Rule("revision", contract.revision),
    Rule("check", contract.asking),
)
_FOR_METRICS = (
    Rule("bounds", single.bounds),
    Rule("direction", single.direction),
    Rule("texts", single.texts),
    Rule("references", single.references),
    Rule("no-reference", single.no_reference),
    Rule("permutation", sets.permutation),
    Rule("determinism", sets.determinism),
    Rule("batch", sets.batch),
    Rule("additivity", sets.additivity),
    Rule("missing", sets.missing),
    Rule("signature", identity.signature),
    Rule("speed", sets.speed),
)
_FOR_SECTIONS = (Rule("blocks", sections.blocks),)
_FOR_SEARCHERS = (Rule("proposals", searching.proposals),)
_OF_STAGE = {"metric": _FOR_METRICS, "section": _FOR_SECTIONS, "searcher": _FOR_SEARCHERS}
_IN_A_FRESH_PROCESS = (
    Rule("rebuild", identity.rebuild),
    Rule("quiet", identity.quiet),
    Rule("isolation", identity.isolation),
)


def rules(stage: str = "metric") -> list[Rule]:
    """The rules for plugins of a stage, in the order in which they are told."""
    return [*_FOR_ALL, *_OF_STAGE.get(stage, ()), *_IN_A_FRESH_PROCESS]


def metric_rules() -> list[Rule]:
    """The rules for metrics; ``str(rule)`` is its id."""
    return rules("metric")


def check(
    plugin: type[Plugin],
    options: Mapping[str, Any] | None = None,
    *,
    pairs: Sequence[Pair] | None = None,
) -> list[Outcome]:
    """What each rule says of a plugin.

    Args:
        options: its options, as a config would give them; those that it needs have to be here.
        pairs: predictions with their examples, for a metric that needs something special of
            its examples (a field of ``meta``); the default is a dozen English texts.

    Raises:
        ConfigError: the options cannot be used; names those that are needed.
        EnvironmentFailure: the plugin cannot work on this machine.
    """
    subject = Subject(plugin, options, pairs)
    return [rule.run(subject) for rule in rules(subject.stage)]
