"""A calibration in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.kit.numbers import share, span
from harness.kit.text import one_line

Document = Mapping[str, Any]
"""A calibration, or a part of it."""


def label_words(whole: Document, bar: float, needed: int) -> str:
    """*Calibrated* or *uncalibrated*, with what that rests on or what is missing."""
    kappa, n = whole["kappa"], whole["n"]
    if whole["calibrated"]:
        below = kappa["low"] is None or kappa["low"] <= bar
        doubt = ", though its interval does not exclude less" if below else ""
        return (
            f"calibrated: weighted kappa with raters {span(kappa)} on {n:,} items is above "
            f"the bar of {bar:g}{doubt}"
        )
    return f"uncalibrated: {'; '.join(_lacking(kappa, n, bar, needed))}"


def _lacking(kappa: Document, n: int, bar: float, needed: int) -> list[str]:
    reasons = []
    if n < needed:
        reasons.append(
            f"raters and the judge have both rated {n:,} items, and {needed:,} are needed"
        )
    if kappa["value"] is None:
        if n:
            reasons.append(f"weighted kappa cannot be computed, because {kappa['why']}")
    elif kappa["value"] <= bar:
        reasons.append(f"weighted kappa with raters {span(kappa)} is not above the bar of {bar:g}")
    return reasons


def in_words(document: Document) -> list[str]:
    """One sentence for each thing that a reader has to know."""
    lines = _whole(document)
    for part in document["criteria"]:
        if part["kappa"]["value"] is not None:
            lines.append(
                f"{_title(part)}: {_state(part)}, weighted kappa {span(part['kappa'])} on "
                f"{part['n']:,} items, bias {span(part['bias'], plus=True)}."
            )
    return lines


def in_short(document: Document) -> str:
    """The same as one remark, the label first, for beside a score."""
    sentences = _whole(document)
    known = [part for part in document["criteria"] if part["kappa"]["value"] is not None]
    each = [f"{_title(part)} {part['kappa']['value']:.2f} ({_state(part)})" for part in known]
    if each:
        sentences.append(f"Weighted kappa by criterion: {', '.join(each)}.")
    return " ".join(sentences)


def _whole(document: Document) -> list[str]:
    whole = document["overall"]
    sentences = [
        f"{document['label']}.", _bias(whole), _length(whole), _consistency(whole), _position(whole)
    ]  # fmt: skip
    if document["unreadable"]:
        sentences.append(
            f"{document['unreadable']:,} of {document['judgements']:,} judgements could not be "
            "read, and have no value."
        )
    return [sentence for sentence in sentences if sentence]


def _title(part: Document) -> str:
    return one_line(part["title"], 60)


def _state(part: Document) -> str:
    return "calibrated" if part["calibrated"] else "uncalibrated"


def _bias(whole: Document) -> str:
    bias = whole["bias"]
    if bias["value"] is None:
        return ""
    if _clear(bias):
        side = "higher" if bias["value"] > 0 else "lower"
        return f"Bias: the judge scores {side} than raters, by {span(bias, plus=True)}."
    return f"Bias: not significant, {span(bias, plus=True)} (judge minus raters)."


def _length(whole: Document) -> str:
    length = whole["length"]
    if length["value"] is None:
        return ""
    if _clear(length, 0.5):
        side = "longer" if length["value"] > 0.5 else "shorter"
        return (
            f"Length bias: compared with raters, the judge favours {side} answers (the longer of "
            f"two in {share(length)} of pairs)."
        )
    return (
        "Length bias: not significant (compared with raters, the judge favours the longer of two "
        f"answers in {share(length)} of pairs)."
    )


def _consistency(whole: Document) -> str:
    same = whole["consistency"]
    if same["value"] is None:
        return ""
    return f"Self-consistency: two samples give the same value in {share(same)} of cases."


def _position(whole: Document) -> str:
    same = whole["position"]
    if same["value"] is None:
        return ""
    return f"Position: the judge prefers the same answer in both orders in {share(same)} of pairs."


def _clear(figure: Document, nothing: float = 0) -> bool:
    return figure["low"] is not None and not figure["low"] <= nothing <= figure["high"]
