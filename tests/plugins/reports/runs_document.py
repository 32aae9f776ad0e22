"""A ``harness.runs/1`` document with answers, by hand: three runs, the last in progress."""

from __future__ import annotations

from typing import Any

import harness
from harness_reports.runs.document import CAUTION
from harness_reports.runs.entry import run_entry
from tests.support import hostile_texts
from tests.support.arms import ARMS, BASELINES, judged, levers, scored
from tests.support.documents import whole

Document = dict[str, Any]


def summary(name: str, value: float, labels: list[str], **changes: Any) -> Document:
    rounds = [
        {
            "scores": scored(value),
            "train_rows": 40,
            "verdict": judged(label, 0.03),
            "forgetting": None,
        }
        for label in ("baseline", *labels)
    ]
    nothing = dict.fromkeys(("test", "sealed", "best_prompt", "beats_prompts", "forgot"))
    started = f"2026-11-2{len(labels)}T10:00:00Z"
    return {
        "run": name, "primary": "overlap", "rounds": rounds, "kept_round": 1, **nothing,
        "dates": {"started": started, "finished": started}, "model": {"base": f"model of {name}"},
        "settings": {"rounds": 3}, "seconds": {"train": 61.5}, "arms": [], "experiments": {},
        **changes,
    }  # fmt: skip


def run_of(name: str, place: int, **changes: Any) -> Document:
    """An entry of a run, by :func:`run_entry` of a summary."""
    labels = [["improved", "improved", "no evidence"], ["regressed", "improved"], ["improved"]]
    value = (0.40, 0.45, 0.90)[place]
    of_run = summary(name, value, labels[place], **changes)
    groups = {"dev": "dev A" if place < 2 else "dev B", "test": "test A"}
    config = {"train.gain": 0.01, "seed": 7}
    entry = run_entry(whole(of_run), config, groups, against=None, changed=[])
    return {**harness.to_json(entry), "report": None}


def group(name: str, runs: int) -> Document:
    return {
        "id": name, "split": name.split()[0], "primary": "overlap", "signature": "x",
        "higher_is_better": True, "rows": 48, "exact": True, "runs": runs,
    }  # fmt: skip


def document() -> Document:
    test = {"looks": 3, "kept": scored(0.38), "verdict": judged("improved", 0.04)}
    together = {"levers": levers(sentences=["Twice the rows bring +0.010."])}
    one = run_of("run-1", 0, test=test, arms=ARMS, baselines=BASELINES, experiments=together)
    changed = [{"key": "train.gain", "from": 0.01, "to": 0.02}]
    two = run_of("run-2", 1) | {"against": "run-1", "changed": changed}
    dates = {"started": "2026-11-26T10:00:00Z", "finished": None}
    three = run_of("run-3", 2, dates=dates) | {"changed": None}
    return {
        "schema": "harness.runs/1", "caution": CAUTION, "notes": ["2 runs chose."],
        "runs": [one, two, three],
        "groups": [group("dev A", 2), group("dev B", 1), group("test A", 1)],
    }  # fmt: skip


def poisoned() -> Document:
    """The same with hostile text in every place, names of runs and groups included."""
    found: Document = hostile_texts.filled(document(), hostile_texts.TEXTS)
    one, two, _ = found["runs"]
    two["against"] = one["run"]
    for arm in one["arms"]:
        arm["against"] = two["run"]
    return found
