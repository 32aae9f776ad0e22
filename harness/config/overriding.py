"""A config with some of its keys changed, for a training beside the rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config import dotted, loading
from harness.config.loading import Config
from harness.errors import ConfigError

MAY_DIFFER = ("model", "train", "generate", "seed")
"""Keys in which an arm may differ: its rows and its scores are the run's."""
_LEVERS: Mapping[str, Any] = {
    "arms": [], "models": [], "curve": None, "seeds": None, "baselines": [], "search": None,
    "report": [], "sections": [],
}  # fmt: skip
_BESIDE: Mapping[str, Any] = {
    **_LEVERS, "rounds": 1, "augment": [], "analyze": [], "guard": [], "objective": None,
}  # fmt: skip
"""What a training beside the rounds has no use for."""


def overridden(config: Config, changed: Mapping[str, Any], where: str) -> Config:
    """The config of one arm.

    Args:
        changed: dotted key -> value.
        where: the place in the run's config that asks for it.

    Raises:
        ConfigError: a key is none that an arm may change, is unknown, or has no such value.
    """
    _check_heads(changed, where)
    return _with(config, {**_of_answers(config), **_BESIDE}, changed, where)


def looped(config: Config, seed: int, where: str) -> Config:
    """The config of the whole loop with another seed: all rounds, and no levers."""
    return _with(config, {**_of_answers(config), **_LEVERS}, {"seed": seed}, where)


def _of_answers(config: Config) -> dict[str, Any]:
    """The config without the scores of people, who rate the answers of rounds alone."""
    values = config.shown()
    shown = zip(values["metrics"], config.metrics, strict=True)
    return {**values, "metrics": [one for one, e in shown if not e.instance.by_people]}


def _with(config: Config, values: dict[str, Any], changed: Mapping[str, Any], where: str) -> Config:
    try:
        for key, value in changed.items():
            dotted.assign(values, dotted.place_of(key), value, "set")
        return loading.check(values, config.path, {}, {})
    except ConfigError as error:
        raise ConfigError(
            error.what, where=where, hint=error.hint, details=error.details
        ) from error


def _check_heads(changed: Mapping[str, Any], where: str) -> None:
    for key in changed:
        inner = next((one for one in changed if one.startswith(f"{key}.")), None)
        if inner is not None:
            raise ConfigError(
                f"'{key}' and '{inner}' are both given, and one holds the other", where=where,
                hint=f"put it into '{key}'",
            )  # fmt: skip
        if dotted.place_of(key)[0] not in MAY_DIFFER:
            raise ConfigError(
                f"'{key}' cannot differ between trainings that are compared: they have the same "
                "rows and scores",
                where=where,
                hint="keys of model, train and generate can; for another one begin another run",
            )
