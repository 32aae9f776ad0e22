"""Arms and baselines of a run, written by hand as a summary holds them."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def levers_of(summary: Document) -> Document:
    """What a summary tells of all arms together."""
    levers: Document = summary["experiments"]["levers"]
    return levers


def scored(value: float, primary: str = "overlap") -> Document:
    score = {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 48, "unscored": 0}
    return {primary: {**score, "signature": "x", "higher_is_better": True, "caveat": ""}}


def judged(label: str, difference: float) -> Document:
    bounds = {"difference": difference, "low": difference - 0.02, "high": difference + 0.02}
    return {
        "label": label,
        "sentence": f"{label}: by {difference:+.3f}.",
        "against": "main",
        **bounds,
        "level": 0.95,
        "detectable": None,
        "n": 48,
        "groups": 48,
    }


def training(seed: int = 0, **values: float) -> Document:
    return {"seed": seed, "values": values, "seconds": {}, "failed": None}


def levers(**parts: Any) -> Document:
    own = {
        "rows": 50, "seconds": 12.5, "tokens": None, "memory": None, "parameters": None,
        "seconds_by_stage": {},
    }  # fmt: skip
    none = dict.fromkeys(("worth", "curve", "models", "method", "search"))
    return {"reference": 1, "own": own, **none, **parts}


def arm(name: str, kind: str, changed: Document, **facts: Any) -> Document:
    return {
        "name": name, "kind": kind, "what": f"another {kind}", "changed": changed, "rows": 50,
        "scores": scored(0.41), "against": "main", "verdict": judged("improved", 0.03),
        "worth": None, "share": 1.0, "trainings": [training()], "seconds": 12.5, "tokens": None,
        "memory": None, "parameters": None, "failed": None, **facts,
    }  # fmt: skip


ARMS = [
    arm("fast", "settings", {"train.gain": "0.02"}, tokens=81_234, memory=2_400_000_000),
    arm("again", "seed", {"seed": "8"}, verdict=judged("no evidence", 0.004), worth="open"),
    arm(
        "half", "data", {}, share=0.5, verdict=None, trainings=[training(), training(1)],
        failed="seed 1: no disk",
    ),
    arm(
        "large", "model", {"model": '{"skill": 0.5}'}, rows=0, scores={}, verdict=None,
        seconds=0.0, failed="the base model needs 4.2 GB of memory, and 3.1 GB are free",
    ),
]  # fmt: skip
BASELINES = [
    {
        "name": "prompted", "what": "a system turn of its own", "scores": scored(0.30),
        "verdict": judged("improved", 0.05),
    }
]  # fmt: skip
