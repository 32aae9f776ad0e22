"""One run, its arms and its baselines, as the document of all runs holds them.

A summary may be edited by hand: what a run cannot be told without was asked where it was read;
what is no number or text here becomes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.engine import ledger
from harness.kit.text import one_line
from harness.records.summary import LONGEST_TEXT
from harness.report.reading import Document
from harness.report.values import as_json, finite

COSTS = ("seconds", "tokens", "memory")


def run_entry(summary: Mapping[str, Any], config: Mapping[str, Any]) -> Document:
    """A run's entry.

    Args:
        summary: a whole one, as :func:`harness.report.summary.read` gives it.
        config: the run's, flattened; empty where it is not known.
    """
    primary = summary["primary"]
    kept = summary["rounds"][summary["kept_round"]]
    score, sealed = kept["scores"][primary], summary.get("sealed")
    dates = summary["dates"]
    return {
        "run": summary["run"],
        "started": _text(dates["started"]),
        "finished": _text(dates["finished"]),
        "model": _required(summary["model"]["base"]),
        "primary": _required(primary),
        "caveat": _text(score.get("caveat")) or "",
        "higher_is_better": score.get("higher_is_better") is not False,
        "rounds": len(summary["rounds"]) - 1,
        "planned": finite(summary["settings"].get("rounds")),
        "best": summary["kept_round"],
        "train_rows": finite(kept["train_rows"]),
        "dev": _score(score),
        "verdicts": [_required(each["verdict"]["label"]) for each in summary["rounds"]],
        "test": summary["test"] and _test(summary["test"], primary),
        "sealed": _text(sealed["sentence"]) if sealed else None,
        "best_prompt": _best_prompt(summary.get("best_prompt")),
        "beats_prompts": beats if isinstance(beats := summary.get("beats_prompts"), bool) else None,
        "forgetting": _forgetting(summary),
        "seconds": sum(finite(took) or 0.0 for took in summary["seconds"].values()),
        "tokens": finite(summary.get("tokens")),
        "memory": finite(summary.get("memory")),
        "arms": [_arm(each, primary, config) for each in summary.get("arms") or ()],
        "levers": list(_levers(summary.get("levers") or {})),
        "baselines": [_baseline(each, primary) for each in summary.get("baselines") or ()],
    }  # fmt: skip


def _required(value: str) -> str:
    return one_line(value, LONGEST_TEXT)


def _text(value: Any) -> str | None:
    return one_line(value, LONGEST_TEXT) if isinstance(value, str) else None


def _score(score: Mapping[str, Any]) -> Document:
    return {key: finite(score.get(key)) for key in ("value", "low", "high", "n")}


def _test(test: Mapping[str, Any], primary: str) -> Document:
    opening = test["looks"]
    return {
        **_score(test["kept"][primary]),
        "verdict": _required(test["verdict"]["label"]),
        "sentence": _text(test["verdict"].get("sentence")),
        "opening": opening,
        "bound": ledger.bound(opening),
    }


def _best_prompt(found: Any) -> Document | None:
    """What the best round was compared with on the rows of the headline."""
    if not isinstance(found, Mapping):
        return None
    return {
        "name": _text(found.get("name")) or "",
        "split": _text(found.get("split")) or "",
        "verdict": _verdict(found.get("verdict")),
    }


def _forgetting(summary: Mapping[str, Any]) -> Document | None:
    """The best round's model (the latest's, where none improved) beside the task."""
    entry = summary["rounds"][summary["kept_round"] or -1]
    found, forgot = entry.get("forgetting"), summary.get("forgot")
    if not isinstance(found, Mapping):
        return None
    asked = found.get("instructions")
    counts = asked if isinstance(asked, Mapping) else {}
    return {
        **{key: finite(found.get(key)) for key in ("difference", "low", "high")},
        **{key: finite(counts.get(key)) for key in ("asked", "right_before", "right_after")},
        "forgot": (_text(forgot.get("sentence")) if isinstance(forgot, Mapping) else None) or "",
    }


def _verdict(found: Any) -> Document | None:
    if not found:
        return None
    return {
        "label": _required(found["label"]),
        "sentence": _text(found.get("sentence")),
        **{key: finite(found.get(key)) for key in ("difference", "low", "high")},
    }


def _primary(scores: Any, primary: str) -> Document | None:
    found = (scores or {}).get(primary)
    return _score(found) if found else None


def _arm(arm: Mapping[str, Any], primary: str, config: Mapping[str, Any]) -> Document:
    return {
        "name": _required(arm["name"]),
        "kind": _text(arm.get("kind")),
        "what": _text(arm.get("what")),
        "changed": [
            {
                "key": one_line(str(key), LONGEST_TEXT),
                "from": as_json(_before(str(key), config)),
                "to": as_json(value),
            }
            for key, value in (arm.get("changed") or {}).items()
        ],
        "share": finite(arm.get("share")),
        "train_rows": finite(arm.get("rows")),
        "trainings": len(arm.get("trainings") or ()) or 1,
        "dev": _mean(arm, primary),
        "against": _text(arm.get("against")),
        "verdict": _verdict(arm.get("verdict")),
        "worth": _text(arm.get("worth")),
        **{key: finite(arm.get(key)) for key in COSTS},
        "failed": _text(arm.get("failed")),
    }


def _mean(arm: Mapping[str, Any], primary: str) -> Document | None:
    """An arm's score; of several trainings their mean, whose interval over rows is not known."""
    found = _primary(arm.get("scores"), primary)
    given = [finite((one.get("values") or {}).get(primary)) for one in arm.get("trainings") or ()]
    values = [value for value in given if value is not None]
    if found is None or len(values) < 2:
        return found
    return {**found, "value": sum(values) / len(values), "low": None, "high": None}


def _before(key: str, config: Mapping[str, Any]) -> Any:
    """The run's own value of a key, or all that stands below it; None where there is neither."""
    below = {name: value for name, value in config.items() if name.startswith(f"{key}.")}
    return config.get(key, {name[len(key) + 1 :]: value for name, value in below.items()} or None)


def _levers(levers: Mapping[str, Any]) -> Iterator[str]:
    """What the arms say together: more rows, base models, the method; a sentence each."""
    curve, models, method = (levers.get(key) or {} for key in ("curve", "models", "method"))
    for found in (curve, models, method.get("verdict") or {}):
        if sentence := _text(found.get("sentence")):
            yield sentence


def _baseline(found: Mapping[str, Any], primary: str) -> Document:
    """The base model under another prompt; its verdict is that of the best round against it."""
    return {
        "name": _required(found["name"]),
        "what": _text(found.get("what")),
        "dev": _primary(found.get("scores"), primary),
        "verdict": _verdict(found.get("verdict")),
    }
