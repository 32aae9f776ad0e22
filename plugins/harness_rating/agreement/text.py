"""Agreement and raters in words: the sentences of an agreement document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.kit.numbers import share, span
from harness.kit.text import one_line
from harness_rating.figures import FEW_GROUPS

OVERALL = "overall"
RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff's customary requirements


def in_words(title: str, part: Mapping[str, Any]) -> list[str]:
    name = one_line(title, 60)
    alpha, raw = part["alpha"], part["raw"]
    if alpha["value"] is None:
        return [f"{name}: agreement cannot be computed, because {alpha['why']}."]
    lines = [
        f"{name}: alpha {span(alpha)} on {alpha['n']:,} items rated twice or more: "
        f"{_reading(alpha)}."
    ]
    if alpha["low"] is None:
        lines.append(f"{name}: there is no interval, because {_without(alpha)}.")
    elif alpha["groups"] < FEW_GROUPS:
        lines.append(f"{name}: only {alpha['groups']} groups of items, so the interval is rough.")
    return (
        lines
        + _alike_words(name, alpha, raw)
        + _side_words(name, part)
        + _severity_words(name, part["severity"])
    )


def remarks(document: Mapping[str, Any]) -> list[str]:
    """What a table of an agreement document's figures leaves unsaid, each thing once."""
    parts = [(one_line(part["title"], 60), part) for part in document["criteria"]]
    whole = [("Overall score", document[OVERALL])] if document[OVERALL] else []
    every = parts + whole
    computed = [(name, part) for name, part in every if part["alpha"]["value"] is not None]
    lines = _each_once(computed, lambda part: f"{_reading(part['alpha'])}.")
    lines += _each_once(every, _missing)
    alphas = [part["alpha"] for _, part in computed if part["alpha"]["low"] is not None]
    few = sorted({alpha["groups"] for alpha in alphas if alpha["groups"] < FEW_GROUPS})
    if few:
        count = f"{few[0]}" if len(few) == 1 else f"{few[0]} to {few[-1]}"
        noun = "group" if few == [1] else "groups"
        lines.append(f"Only {count} {noun} of items, so intervals are rough.")
    for name, part in computed:
        lines += _alike_words(name, part["alpha"], part["raw"]) + _side_words(name, part)
    # The severity in the overall score stands in a table of raters.
    for name, part in parts:
        lines += _severity_words(name, part["severity"])
    return lines


def _each_once(
    parts: Sequence[tuple[str, Mapping[str, Any]]], says: Callable[[Mapping[str, Any]], str]
) -> list[str]:
    """What is to be said of parts, with the names of all of which it is true before it."""
    names: dict[str, list[str]] = {}
    for name, part in parts:
        if text := says(part):
            names.setdefault(text, []).append(name)
    return [f"{', '.join(parts_named)}: {text}" for text, parts_named in names.items()]


def _missing(part: Mapping[str, Any]) -> str:
    """Why a figure of the part, or its interval, is not available; empty where all are."""
    alpha, kappa = part["alpha"], part["kappa"]["mean"]
    if alpha["value"] is None:
        return f"agreement cannot be computed, because {alpha['why']}."
    if alpha["low"] is None:
        return f"alpha has no interval, because {_without(alpha)}."
    if kappa["value"] is None:
        return f"kappa cannot be computed, because {kappa['why']}."
    return f"kappa has no interval, because {_without(kappa)}." if kappa["low"] is None else ""


def _alike_words(name: str, alpha: Mapping[str, Any], raw: Mapping[str, Any]) -> list[str]:
    if raw["value"] < RELIABLE or alpha["value"] >= TENTATIVE:
        return []
    return [
        f"{name}: two raters give the same value in {raw['value']:.0%} of pairs, but nearly "
        f"all values are alike, so chance alone would come close to that."
    ]


def _reading(alpha: Mapping[str, Any]) -> str:
    value, low = alpha["value"], alpha["low"]
    if value >= RELIABLE:
        sure = low is not None and low >= TENTATIVE
        return "raters agree well" if sure else "raters seem to agree well, on few items"
    if value >= TENTATIVE:
        return "enough for careful conclusions only"
    if low is not None and low <= 0:
        return "not shown to be better than chance"
    return "too little to rely on; sharpen the anchors and talk over the items that differ"


def _without(figure: Mapping[str, Any]) -> str:
    if figure["why"] == "all items say the same":
        return f"no two ratings differ on these {figure['n']:,} items"
    return str(figure["why"])


def _side_words(name: str, part: Mapping[str, Any]) -> list[str]:
    first = part.get("first_shown")
    if not first or first["low"] is None or first["low"] <= 0.5 <= first["high"]:
        return []
    side = "first" if first["value"] > 0.5 else "second"
    share = max(first["value"], 1 - first["value"])
    return [
        f"{name}: raters prefer the answer shown {side} in {share:.0%} of pairs, though sides were "
        f"randomised: position bias."
    ]


def _severity_words(name: str, raters: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for rater in raters:
        if rater["low"] is None or rater["low"] <= 0 <= rater["high"]:
            continue
        side = "higher" if rater["value"] > 0 else "lower"
        size = {"value": abs(rater["value"])}
        size["low"], size["high"] = sorted((abs(rater["low"]), abs(rater["high"])))
        lines.append(
            f"{name}: {rater['rater']} scores {span(size)} points {side} than the others on the "
            f"same {rater['n']:,} items."
        )
    return lines


def sentences(document: Mapping[str, Any]) -> list[str]:
    lines = [line for part in document["criteria"] for line in part["sentences"]]
    if document[OVERALL]:
        lines += document[OVERALL]["sentences"]
    for part in document["criteria"]:
        title = one_line(part["title"], 60)
        for rater in part["consistency"]:
            same = share({**rater, "value": rater["same"]})
            lines.append(
                f"{title}: {rater['rater']} gave {same} of {rater['repeats']} hidden repeats the "
                "same value again."
            )
    time = document["time"]
    if time["items"]:
        lines.append(duration(time))
    return lines


def duration(time: Mapping[str, Any]) -> str:
    """How long an item takes: the median, and the quartiles where they differ in whole seconds."""
    lower, upper = f"{time['lower']:.0f}", f"{time['upper']:.0f}"
    spread = "" if lower == upper else f"; half of them take {lower} to {upper} s"
    return f"An item takes {time['median']:.0f} s{spread}."
