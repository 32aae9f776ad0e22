"""What a metric is worth, in words: the sentences of a validity document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit.numbers import share as shown_share, span
from harness.kit.text import one_line
from harness_rating.agreement.grid import shown
from harness_rating.figures import FEW_GROUPS

ANY_TWO = "orders any two answers"
ONE_PROMPT = "orders two answers to one prompt"


def in_words(name: str, found: Mapping[str, Any]) -> list[str]:
    label = one_line(name, 60)
    lines = []
    if found["answers"] is not None:
        one = found["answers"]
        lines.append(_accuracy_words(label, one, ANY_TWO))
        if one["spearman"]["value"] is not None:
            lines.append(
                f"{label} has a rank correlation of {span(one['spearman'])} with raters' "
                f"overall score ({one['n']:,} answers)."
            )
    lines.append(_accuracy_words(label, found["differences"], ONE_PROMPT))
    return lines + _round_words(label, found["rounds"])


def remarks(document: Mapping[str, Any]) -> list[str]:
    """What tables of a validity document's figures leave unsaid: a sentence for each metric.

    It is of two answers to one prompt where there are such pairs, else of any two answers. Then
    come the rounds, and the document's own remarks.
    """
    lines: list[str] = []
    for metric in document["metrics"]:
        label = one_line(metric["metric"], 60)
        pairs, answers = metric["differences"], metric["answers"]
        if pairs["accuracy"]["value"] is None and answers is not None:
            lines.append(_accuracy_words(label, answers, ANY_TWO))
        else:
            lines.append(_accuracy_words(label, pairs, ONE_PROMPT))
        lines += _round_words(label, metric["rounds"])
    of_metrics = {line for metric in document["metrics"] for line in metric["sentences"]}
    return lines + [line for line in document["sentences"] if line not in of_metrics]


def _round_words(label: str, rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{label}, {_source(one['from'])} to {_source(one['to'])} on "
        f"{one['n']:,} prompt{'' if one['n'] == 1 else 's'}: "
        f"{one['says']} (raters {span(one['people'])}, {label} {span(one['metric'])})."
        for one in rounds
    ]


def _accuracy_words(label: str, found: Mapping[str, Any], does: str) -> str:
    share = found["accuracy"]
    if share["value"] is None:
        return f"Whether {label} {does} as raters do is unknown: {share['why']}."
    text = f"{label} {does} as raters do in {shown_share(share)} of pairs: {_reading(share)}"
    ties = []
    if found["people_tied"] == 1:
        ties.append("1 pair that raters rate equal is left out")
    elif found["people_tied"]:
        ties.append(f"{found['people_tied']:,} pairs that raters rate equal are left out")
    if found["metric_tied"]:
        count = "counts" if found["metric_tied"] == 1 else "count"
        ties.append(f"{found['metric_tied']:,} that {label} scores alike {count} one half")
    return f"{text} ({'; '.join(ties)})." if ties else f"{text}."


def _reading(share: Mapping[str, Any]) -> str:
    if share["groups"] < FEW_GROUPS:
        return f"only {share['groups']} groups of items, too few to judge by"
    value, low, high = share["value"], share["low"], share["high"]
    if low is None:
        return f"there is no interval, because {share['why']}"
    if high < 0.5:
        return "worse than chance; it prefers what raters do not"
    if low <= 0.5:
        return "not shown to be better than chance"
    if value < 0.65:
        return "little better than chance"
    return "often right" if value < 0.8 else "mostly right"


def _source(one: Mapping[str, Any]) -> str:
    arm = "" if one["arm"] == "main" else f" of arm {shown(one['arm'])}"
    return f"round {one['round']}{arm}"
