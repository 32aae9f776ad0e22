"""Which metrics fit a kind of answers, and which of their scores should decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.stats.assumed import Values
from harness_rows.initial.answers import Answers

ASCII_ALONE = frozenset({"en"})
"""Languages that ROUGE's original tokenizer reads whole: it knows ASCII letters alone."""
UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})
"""Languages without spaces between words."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Metrics for a config.

    Attributes:
        metrics: each entry as the config has it.
        primary: name of the score that decides.
        values: how that score of single rows lies on its range.
        reason: why these, for the comment beside them.
        detect: detectors that see more than the default one; empty where that is enough.
        advice: what these scores cannot see, where something better could be had; else empty.
    """

    metrics: tuple[Mapping[str, str], ...]
    primary: str
    values: Values
    reason: str
    detect: tuple[str, ...] = ()
    advice: str = ""


def propose(answers: Answers, language: str, tests: str = "") -> Proposal:
    """Metrics for answers of a kind.

    Args:
        language: ISO 639-1 code of most answers; empty where it is not known.
        tests: column of the tests that answers have to pass; empty where there is none.
    """
    if tests:
        column = {} if tests == "tests" else {"tests": tests}
        reason = "the share of answers that pass their tests"
        return Proposal(({"plugin": "executes", **column},), "executes", "pass or fail", reason)
    if answers.kind == "calls":
        return Proposal(
            ({"plugin": "tool-call"},),
            "tool-call",
            "pass or fail",
            "the share of answers that call what the references call, and nothing else",
            detect=("basic", "tool-call"),
        )
    exact = {"plugin": "exact"}
    if answers.kind in ("labels", "numbers"):
        return Proposal((exact,), "exact", "pass or fail", f"the share of right {answers.kind}")
    if answers.kind == "JSON":
        metrics = ({"plugin": "json"}, exact)
        return Proposal(metrics, "json", "mostly 0 or 1", "the share of right fields")
    if answers.kind == "short" and language in UNSPACED:
        reason = "shared runs of characters, as these answers have no spaces"
        return Proposal(({"plugin": "chrf"}, exact), "chrf", "in between", reason)
    if answers.kind == "short":
        metrics = ({"plugin": "token-f1"}, exact)
        return Proposal(metrics, "token-f1", "mostly 0 or 1", "shared words")
    rouge = {"plugin": "rouge"}
    if language not in ASCII_ALONE:
        rouge = {"plugin": "rouge", "tokenizer": "unicode"}
    other = {"plugin": "chrf"} if language in UNSPACED else {"plugin": "bleu"}
    advice = ""
    if answers.worked:
        advice = (
            "nearly all answers end in a marked result, and rougeL compares the way there as well: "
            "a metric of your own should compare the result (harness docs metric)"
        )
    elif answers.fenced:
        advice = (
            "most answers hold code, and rougeL sees its words, not what it does: "
            "give rows a column of tests, and executes runs them (harness docs metrics/executes)"
        )
    return Proposal(
        (rouge, other), "rougeL", "in between", "longest common sequence of words", advice=advice
    )
