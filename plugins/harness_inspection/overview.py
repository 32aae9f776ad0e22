"""All runs of this folder side by side: what was changed, scores, verdicts, cost.

Nothing is computed: what each run's summary says is put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import harness
from harness.kit.yaml_file import flattened

SCHEMA = "harness.runs/1"
Document = dict[str, Any]


def overview() -> Document:
    """The runs in the order in which they were begun.

    Each is set against the earlier run whose config differs in the fewest keys, the latest of
    several: what was changed is mostly one setting then.
    """
    latest_last = reversed(list(harness.summaries()))
    found = sorted(latest_last, key=lambda each: each["dates"]["started"] or "")
    configs = [_settings(each["run"]) for each in found]
    return {
        "schema": SCHEMA,
        "runs": [
            {**_run(summary), **_against(place, found, configs)}
            for place, summary in enumerate(found)
        ],
    }


def _settings(run: str) -> dict[str, Any]:
    """A run's config, flattened; empty if it is not known."""
    config = harness.open_run(run).config()
    return dict(flattened(config)) if config else {}


def _run(summary: Mapping[str, Any]) -> Document:
    kept = summary["rounds"][summary["kept_round"]]
    primary, test = summary["primary"], summary["test"]
    return {
        "run": summary["run"],
        **summary["dates"],
        "model": summary["model"]["base"],
        "primary": primary,
        "rounds": len(summary["rounds"]) - 1,
        "best": summary["kept_round"],
        "train_rows": kept["train_rows"],
        "dev": _score(kept["scores"][primary]),
        "verdicts": [each["verdict"]["label"] for each in summary["rounds"]],
        "test": test and {
            **_score(test["kept"][primary]),
            "verdict": test["verdict"]["label"],
            "opening": test["looks"],
        },
        "seconds": sum(summary["seconds"].values()),
    }  # fmt: skip


def _score(score: Mapping[str, Any]) -> Document:
    return {key: score[key] for key in ("value", "low", "high")}


def _against(
    place: int, found: Sequence[Mapping[str, Any]], configs: Sequence[Mapping[str, Any]]
) -> Document:
    """The earlier run that a run is set against, and the keys in which the two differ."""
    own = configs[place]
    if not own:
        return {"against": None, "changed": None}
    others = [(list(_changed(configs[at], own)), at) for at in range(place) if configs[at]]
    if not others:
        return {"against": None, "changed": []}
    changed, at = min(others, key=lambda other: (len(other[0]), -other[1]))
    return {"against": found[at]["run"], "changed": changed}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Document]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield {"key": key, "from": before.get(key), "to": after.get(key)}
