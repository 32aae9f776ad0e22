"""Values by dotted keys, ``train.r=8``: as the command line and arms give them."""

from __future__ import annotations

from typing import Any

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness.kit.yaml_file import Place


def place_of(key: str) -> Place:
    """``("metrics", 0, "name")`` of ``metrics.0.name``."""
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


def parsed(text: str) -> tuple[Place, Any]:
    """Place and value of ``KEY=VALUE``.

    Raises:
        ConfigError: it is something else.
    """
    pair = yaml_file.key_value(text)
    if pair is None:
        raise ConfigError(f"--set takes KEY=VALUE, not {text!r}")
    return place_of(pair[0]), pair[1]


def assign(values: dict[str, Any], place: Place, value: Any, by: str) -> None:
    """Put a value in its place, with the mappings on the way that are missing.

    Args:
        by: who asks for it, as messages name them (``--set``).

    Raises:
        ConfigError: something on the way is no mapping, or there is no such place in a list.
    """
    target: Any = values
    named = f"{by} {'.'.join(map(str, place))}"
    for part in place[:-1]:
        try:
            if isinstance(target, dict) and part not in target:
                target[part] = {}
            target = target[part]
        except (KeyError, IndexError, TypeError):
            raise ConfigError(f"{named}: there is no {part!r}") from None
        if not isinstance(target, (dict, list)):
            raise ConfigError(f"{named}: {part!r} holds {target!r}, not keys")
    try:
        target[place[-1]] = value
    except (IndexError, TypeError):
        raise ConfigError(f"{named}: no such place") from None
