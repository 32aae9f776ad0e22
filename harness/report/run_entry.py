"""One run, its arms and its baselines, as the document of all runs holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engine import ledger
from harness.kit.documents import as_json, finite
from harness.kit.text import one_line
from harness.records.summary import LONGEST_TEXT
from harness.report.reading import Document

COSTS = ("seconds", "tokens", "memory")


def run_entry(summary: Mapping[str, Any], config: Mapping[str, Any]) -> Document:
    """A run's entry.

    Args:
        summary: a whole one, as :func:`harness.report.summary.read` gives it.
        config: the run's, flattened; empty where it is not known.
    """
    primary, sealed = summary["primary"], summary["sealed"]
    kept = summary["rounds"][summary["kept_round"]]
    score = kept["scores"][primary]
    return {
        "run": summary["run"],
        "started": _text(summary["dates"]["started"]),
        "finished": _text(summary["dates"]["finished"]),
        "model": _text(summary["model"]["base"]),
        "primary": _text(primary),
        "caveat": _text(score["caveat"]),
        "higher_is_better": score["higher_is_better"],
        "rounds": len(summary["rounds"]) - 1,
        "planned": finite(summary["settings"].get("rounds")),
        "best": summary["kept_round"],
        "train_rows": kept["train_rows"],
        "dev": _score(score),
        "verdicts": [each["verdict"]["label"] for each in summary["rounds"]],
        "test": summary["test"] and _test(summary["test"], primary),
        "sealed": sealed and _text(sealed["sentence"]),
        "best_prompt": summary["best_prompt"] and _best_prompt(summary["best_prompt"]),
        "beats_prompts": summary["beats_prompts"],
        "forgetting": _forgetting(summary),
        "seconds": sum(summary["seconds"].values(), 0.0),
        "tokens": None,  # a run's rounds do not say
        "memory": None,
        "arms": [_arm(each, primary, config) for each in summary["arms"]],
        "levers": [
            one_line(sentence, LONGEST_TEXT)
            for experiment in summary["experiments"].values()
            for sentence in experiment.get("sentences", ())
        ],
        "baselines": [_baseline(each, primary) for each in summary.get("baselines", ())],
    }


def _text(value: str | None) -> str | None:
    """Cut, since whoever edited the file by hand was bound by no length."""
    return None if value is None else one_line(value, LONGEST_TEXT)


def _score(score: Mapping[str, Any]) -> Document:
    return {key: score[key] for key in ("value", "low", "high", "n")}


def _test(test: Mapping[str, Any], primary: str) -> Document:
    opening = test["looks"]
    return {
        **_score(test["kept"][primary]),
        "verdict": test["verdict"]["label"],
        "sentence": _text(test["verdict"]["sentence"]),
        "opening": opening,
        "bound": ledger.bound(opening),
    }


def _best_prompt(found: Mapping[str, Any]) -> Document:
    """What the best round was compared with on the rows of the headline."""
    verdict = _verdict(found["verdict"])
    return {"name": _text(found["name"]), "split": found["split"], "verdict": verdict}


def _forgetting(summary: Mapping[str, Any]) -> Document | None:
    """The best round's model (the latest's, where none improved) beside the task."""
    found = summary["rounds"][summary["kept_round"] or -1]["forgetting"]
    if found is None:
        return None
    forgot, answers = summary["forgot"], found["instructions"]
    return {
        **{key: found[key] for key in ("difference", "low", "high")},
        **{key: answers[key] for key in ("asked", "right_before", "right_after")},
        "forgot": _text(forgot["sentence"]) if forgot else "",
    }


def _verdict(found: Mapping[str, Any]) -> Document:
    return {
        "label": found["label"],
        "sentence": _text(found["sentence"]),
        **{key: found[key] for key in ("difference", "low", "high")},
    }


def _primary(scores: Mapping[str, Any], primary: str) -> Document | None:
    return _score(scores[primary]) if primary in scores else None


def _arm(arm: Mapping[str, Any], primary: str, config: Mapping[str, Any]) -> Document:
    return {
        "name": _text(arm["name"]),
        "kind": arm["kind"],
        "what": _text(arm["what"]),
        "changed": [
            {
                "key": one_line(key, LONGEST_TEXT),
                "from": as_json(_before(key, config)),
                "to": value,
            }
            for key, value in arm["changed"].items()
        ],
        "share": arm["share"],
        "train_rows": arm["rows"],
        "trainings": len(arm["trainings"]),
        "dev": _mean(arm, primary),
        "against": _text(arm["against"]),
        "verdict": arm["verdict"] and _verdict(arm["verdict"]),
        "worth": arm["worth"],
        **{key: arm[key] for key in COSTS},
        "failed": _text(arm["failed"]),
    }


def _mean(arm: Mapping[str, Any], primary: str) -> Document | None:
    """An arm's score; of several trainings their mean, whose interval over rows is not known."""
    found = _primary(arm["scores"], primary)
    given = [training["values"].get(primary) for training in arm["trainings"]]
    values = [value for value in given if value is not None]
    if found is None or len(values) < 2:
        return found
    return {**found, "value": sum(values) / len(values), "low": None, "high": None}


def _before(key: str, config: Mapping[str, Any]) -> Any:
    """The run's own value of a key, or all that stands below it; None where there is neither."""
    below = {name: value for name, value in config.items() if name.startswith(f"{key}.")}
    return config.get(key, {name[len(key) + 1 :]: value for name, value in below.items()} or None)


def _baseline(found: Mapping[str, Any], primary: str) -> Document:
    """The base model under another prompt; its verdict is that of the best round against it."""
    return {
        "name": _text(found["name"]),
        "what": _text(found["what"]),
        "dev": _primary(found["scores"], primary),
        "verdict": _verdict(found["verdict"]),
    }
