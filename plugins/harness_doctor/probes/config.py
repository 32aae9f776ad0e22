"""What a config needs of this machine: its plugins are asked, as ``harness check`` asks them.

No row is read and no model is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness_doctor.probes.answering import answer, reason

STAGES = {
    "data": "source", "model": "model", "train": "trainer", "generate": "generator",
    "metrics": "metric", "detect": "detector", "analyze": "analyzer", "augment": "augmenter",
    "baselines": "baseline", "probes": "probe", "search": "searcher", "report": "reporter",
    "sections": "section",
}  # fmt: skip
"""Key of the config -> stage of the plugins that it names."""
_SOURCES = ("data", "model")
"""Keys whose entries call their plugin ``source``."""
_OF_THE_CORE = {"plugin", "name", "rows", "control"}


def look(path: str | None, sets: Sequence[str]) -> dict[str, Any]:
    """What the config needs.

    Returns:
        ``entries`` (what each plugin says), ``needs`` (hub and index, and for what) and ``failed``
        (packages of plugins that cannot be loaded); or ``refused``, where the config is wrong.
    """
    try:
        view = harness.open_config(Path(path) if path else None, sets)
        config = view.config()
        registry = harness.Registry.build([Path(file) for file in config.get("plugins", ())])
    except harness.HarnessError as error:
        details = [*error.details, *([error.hint] if error.hint else [])]
        return {
            "refused": error.placed, "details": details,
            "machine": isinstance(error, harness.EnvironmentFailure),
        }  # fmt: skip
    entries = [
        _asked(registry, key, place, raw, config)
        for key in STAGES
        for place, raw in _listed(key, config.get(key, ()))
    ]
    return {
        "entries": entries,
        "needs": list(_network(view, config)),
        "failed": dict(registry.failed),
    }


def _listed(key: str, given: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The entries under a key, each with its place in the config, as ``harness check`` names it."""
    if isinstance(given, (list, tuple)):
        return [(f"{key}.{number}", one) for number, one in enumerate(given)]
    return [(key, given)]


def _name(key: str, raw: Mapping[str, Any]) -> str:
    return str(raw["source" if key in _SOURCES else "plugin"])


def _asked(
    registry: harness.Registry, key: str, place: str, raw: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """What one plugin needs and says of its entry; a check that fails has found nothing out."""
    name = _name(key, raw)
    owned = {"source"} if key in _SOURCES else _OF_THE_CORE
    found: dict[str, Any] = {"place": place, "plugin": name, "libraries": [], "problems": []}
    try:
        kind: Any = registry.get(STAGES[key], name).plugin
        plugin = kind(kind.Options(**{k: v for k, v in raw.items() if k not in owned}))
        found["libraries"] = list(map(str, plugin.libraries or ()))
        found["problems"] = [_said(place, one) for one in plugin.check(config)]
    except (Exception, SystemExit) as error:
        message = f"it cannot be asked ({reason(error)})"
        found["problems"] = [_said(place, harness.Problem(message, level="unknown"))]
    return found


def _said(place: str, one: harness.Problem) -> dict[str, str]:
    return {
        "place": ".".join([place, *map(str, one.place)]),
        "message": one.message,
        "level": one.level,
    }


def _network(view: harness.ConfigView, config: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What has to be fetched, and from where."""
    model = config["model"]
    where = {"hub": "hub", "pypi": "index"}.get(_name("model", model))
    if where is not None:
        try:
            missing = not view.at_hand()
        except harness.HarnessError:
            missing = True
        if missing:
            name = model.get("id") or model.get("name") or ""
            yield {"from": where, "what": f"the model '{name}'"}
    for key in STAGES:
        for _, raw in _listed(key, config.get(key, ())):
            if isinstance(raw.get("hub"), str) and raw["hub"]:
                yield {"from": "hub", "what": f"'{raw['hub']}' of {key}"}


def main() -> None:
    given = json.loads(sys.argv[1])
    answer(lambda: look(given["config"], given["sets"]))


if __name__ == "__main__":
    main()
