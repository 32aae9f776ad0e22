"""How it is said that something beside the rounds failed."""

from __future__ import annotations

from harness.cli.iterate import some_failed
from harness.errors import DataError, EnvironmentFailure, PluginError


def test_the_first_of_several_is_told_with_its_own_hint_alone() -> None:
    pinned = EnvironmentFailure("it differs", where="round 1", hint="begin another run: X")
    told = some_failed([pinned, PluginError("no value")])
    assert told is pinned and told.hint == "begin another run: X"
    assert told.what == "2 failures beside the rounds, all else stands; the first one: it differs"


def test_what_needs_nothing_is_tried_again_by_the_same_command() -> None:
    told = some_failed([DataError("it ended")])
    assert told.what == "1 failure beside the rounds, all else stands: it ended"
    assert told.hint == "the same command tries again"
