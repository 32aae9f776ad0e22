"""Settings by which a row takes another time, in training or answering, than was measured."""

from __future__ import annotations

from collections.abc import Iterator

from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.config.searching import config_with, space_of
from harness.forecast.listing import schedule_of


def moving(config: Config, other: Config) -> tuple[str, ...]:
    """What differs in another config, and is not known to leave the time of a row as it is."""
    model = ("model",) if other.model.shown() != config.model.shown() else ()
    known = other.train.instance.same_pace
    trained = [key for key in _differing(config.train, other.train) if key not in known]
    answered = _differing(config.generate, other.generate)
    return (
        *model,
        *(f"train.{key}" for key in trained),
        *(f"generate.{key}" for key in answered),
    )


def trains_otherwise(config: Config, other: Config) -> bool:
    """Whether it trains another model than a config with the same rows and seed."""
    return any(
        one.shown() != own.shown()
        for one, own in ((other.model, config.model), (other.train, config.train))
    )


def searched(config: Config, entry: PluginEntry, rows: int) -> tuple[Config, tuple[str, ...]]:
    """Of the settings that a search may try, those that go through the rows most often.

    Args:
        rows: that one of its trainings learns.

    Returns:
        The config with these, and the settings that are :func:`moving`.
    """
    tried = [
        config_with(config, {key: value})
        for key, values in space_of(entry).items()
        for value in values
    ]
    moved = dict.fromkeys(key for one in tried for key in moving(config, one))
    return max([config, *tried], key=lambda one: _passes(one, rows)), tuple(moved)


def _passes(config: Config, rows: int) -> float:
    planned = schedule_of(config.train, rows)
    return planned.passes if planned else 1.0


def _differing(own: PluginEntry, other: PluginEntry) -> Iterator[str]:
    """Options with another value; of another plugin nothing else is comparable."""
    if own.plugin != other.plugin:
        yield "plugin"
        return
    before, after = own.shown(), other.shown()
    yield from (key for key in after if after[key] != before.get(key))
