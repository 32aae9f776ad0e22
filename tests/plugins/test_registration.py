"""The four modules register their metrics as any plugin does."""

from __future__ import annotations

import importlib

import pluggy
import pytest
from pydantic import ValidationError

import harness
from harness.hookspecs import Hooks

METRICS = {
    "harness_sacrebleu": ["bleu", "chrf", "ter"],
    "harness_rouge": ["rouge"],
    "harness_nltk": ["meteor"],
    "harness_text": ["exact", "token-f1", "length", "json"],
}


def registered(module):
    manager = pluggy.PluginManager("harness")
    manager.add_hookspecs(Hooks)
    manager.register(importlib.import_module(module))
    manager.check_pending()
    return [kind for kinds in manager.hook.register_metrics() for kind in kinds]


@pytest.mark.parametrize("module", METRICS)
def test_names(module):
    assert [kind.name for kind in registered(module)] == METRICS[module]


@pytest.mark.parametrize("module", METRICS)
def test_contract(module):
    for kind in registered(module):
        assert issubclass(kind, harness.Metric)
        signature = kind().signature()
        assert f"|rev:{kind.revision}" in signature or "|version:" in signature
        assert kind.bounds[0] < kind.bounds[1]
        with pytest.raises(ValidationError, match="Extra inputs"):
            kind.Options(no_such_option=1)


def test_additive_statistics_have_one_width(measure):
    for module in METRICS:
        for kind in registered(module):
            found = [measure(kind(), text, ["a b", "c"]) for text in ("", "a b", "d " * 9)]
            widths = {len(row) if isinstance(row, list) else 1 for row in found}
            assert len(widths) == 1, module
