"""How steps call plugins: what is stored of it, and what follows from the row of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.boundary.lending import Lent
from harness.config import loading as configuration
from harness.config.plugin_entries import PluginEntry
from harness.errors import PluginError
from harness.records.context import Quiet
from harness.run.at import At
from harness.run.run import Run
from harness.steps import Steps
from harness.steps.call import called, results_of

ROWS = [harness.Example(str(n), ({"role": "user", "content": "x" * n},)) for n in range(4)]


class Short(harness.Verifier):
    """Passes short prompts."""

    name = "short"
    asked = 0

    def verify(self, row, context):
        Short.asked += 1
        context.remark("prompts are counted in characters")
        return harness.Verification(len(row.prompt) < 2, "its length")


class Wrong(Short):
    """It forgets to say why."""

    name = "wrong"

    def verify(self, row, context):
        return harness.Verification(True, "")


def entry(plugin: type[Short]) -> PluginEntry:
    return PluginEntry("verifier", plugin.name, plugin.name, plugin(), "here")


@pytest.fixture
def steps(project, monkeypatch) -> Iterator[Steps]:
    monkeypatch.chdir(project.folder)
    run = Run(configuration.load(project.write()), Quiet(), root=Path.cwd())
    run.prepare()
    yield Steps(run)
    run.workers.close()


def test_a_kind_is_called_by_its_row_and_found_in_the_store(steps: Steps) -> None:
    Short.asked = 0
    first = called(steps, entry(Short), At(), rows=ROWS)
    assert [each.passes for each in first] == [True, True, False, False]
    assert called(steps, entry(Short), At(), rows=ROWS) == first and Short.asked == 4
    assert steps.run.cached == ["round 0: verifier"]
    assert steps.run.notes == ["prompts are counted in characters"]
    called(steps, entry(Short), At(), rows=ROWS[:1])  # other rows are another stage
    assert Short.asked == 5


def test_what_a_row_does_not_allow_names_plugin_and_place(steps: Steps) -> None:
    with pytest.raises(PluginError, match="no reason") as caught:
        called(steps, entry(Wrong), At(2), rows=ROWS)
    assert "verifier 'wrong' from here, round 2: verifier" in str(caught.value)


def test_of_several_plugins_one_that_fails_costs_its_own_result_alone(steps: Steps) -> None:
    def call(plugin: Short) -> str:
        if plugin.name == "wrong":
            raise ValueError("no idea")
        return plugin.name

    entries = [entry(plugin) for plugin in (Wrong, Short)]
    results, failed = results_of(steps, "look", entries, At(), call, Lent(ROWS))
    assert results == ["short"] and "no idea" in failed["wrong"]
