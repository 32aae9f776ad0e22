"""The outcome of a batch in sentences: what raters or a rubric wrote is one harmless line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness import BASE_ARM
from harness.kit.numbers import counted
from harness.kit.text import one_line

NO_SAMPLE = "this sample is for finding errors and not representative of the whole set"
ALL_EQUAL = "no group of examples differs between the two rounds"
UNRATED = "nothing that counts is rated"
_NOTHING = "Nothing that counts is rated yet."
_NO_OVERLAP = "No example has a rating of both rounds by the same rater, so none can be compared."
_ONE_ROUND = (
    "This batch holds one round, so there is no verdict: to compare two, let both be rated in one "
    "blind batch (harness rate create --round K --vs J)."
)
_PAIRS_ONLY = "Pairs of answers give verdicts and win rates, and no score of a round."
_MANY = (
    "The overall score decides, by the difference of its values. Each criterion is judged by "
    "itself: the more of them one looks at, the more will seem changed by chance."
)

Document = Mapping[str, Any]


def lopsided(count: int, total: int) -> str:
    """Why nothing is concluded where only one of two answers has a value."""
    has = "has" if count == 1 else "have"
    return (
        f"{count:,} of {total:,} examples {has} a value in one round only, or by different raters, "
        "and what is missing is seldom missing by chance"
    )


def comparison(row: Document, doubt: str) -> str:
    """The label, what was found and how sure that is; then the power and the size.

    Args:
        doubt: why there is no verdict, or an empty string.
    """
    statement = _preferred(row) if row["difference"] is None else _changed(row)
    if doubt:
        return f"no evidence: {statement}, but {doubt}."
    size = f"{counted(row['n'], 'example')} in {counted(row['groups'], 'group')}"
    return f"{row['label']}: {statement}; {_surely(row)}{_detectable(row)}; {size}."


def _preferred(row: Document) -> str:
    new, old = _source(row, "round"), _source(row, "against")
    return (
        f"{title(row)}: {new} is preferred to {old} in {counted(row['wins'], 'example')}, {old} in "
        f"{row['losses']:,}, neither in {row['ties']:,}: a win rate of "
        f"{rate(row['win_rate']['value'])}"
    )


def _changed(row: Document) -> str:
    new, old = _source(row, "round"), _source(row, "against")
    value = row["difference"]["value"]
    moved = "no change"
    if value:
        moved = f"{'up' if value > 0 else 'down'} by {points(abs(value))}"
    return (
        f"{title(row)}, {new} against {old}: {moved} on a scale of 0 to 1, better in "
        f"{counted(row['wins'], 'example')}, worse in {row['losses']:,}, equal in {row['ties']:,}"
    )


def _surely(row: Document) -> str:
    level = f"at {percent(row['level'])} confidence"
    low, high = row["low"], row["high"]
    pairs = row["difference"] is None
    what, written = ("win rate", rate) if pairs else ("gain", points)
    if row["label"] == "improved":
        return f"the true {what} is at least {written(low)} {level}"
    if row["label"] == "regressed" and pairs:
        return f"the true win rate is at most {rate(high)} {level}"
    if row["label"] == "regressed":
        return f"the true loss is at least {points(-high)} {level}"
    return (
        f"the true {what} may be anything from {written(low)} to {written(high)}, each end {level}"
    )


def rate(value: float) -> str:
    """A share with two places, or as many as tell it from one half."""
    for places in (2, 3, 4):
        text = f"{value:.{places}f}"
        if float(text) != 0.5:
            return text
    return f"{value:.2f}"


def points(value: float) -> str:
    """A difference with three places, or as many as tell it from nothing."""
    text = f"{value:.3f}"
    return f"{value:.1g}" if value and not float(text) else text


def _detectable(row: Document) -> str:
    """The minimum detectable effect."""
    least = row["detectable"]
    if least is None:
        return ""
    if row["difference"] is not None:
        what = f"effect {points(least)}"
    elif least <= 0.5:
        what = f"win rate {rate(0.5 + least)}"
    else:
        return ""
    return f"; minimum detectable {what} at 80 % power"


def missing(score: Document, why: str) -> str:
    """Why a round has no score, or its score no interval."""
    lacks = "score" if score["value"] is None else "interval"
    name = f"{title(score)}, {_source(score, 'round')}"
    return f"{name}: there is no {lacks}, because {why}."


def sentences(
    document: Document,
    strategy: str,
    total: int,
    gaps: Sequence[str],
    bias: Mapping[str, float | None] | None,
) -> list[str]:
    """All that a document says, in words.

    Args:
        strategy: how the batch was drawn.
        total: examples that might be compared.
        gaps: what scores lack (:func:`missing`).
        bias: share of preferences for the answer shown first, where there are any.
    """
    return [
        *_about_rounds(document, total, gaps),
        *_about_places(document, bias),
        *_about_the_sample(document, strategy),
    ]


def _about_rounds(document: Document, total: int, gaps: Sequence[str]) -> Iterator[str]:
    comparisons, scores = document["comparisons"], document["scores"]
    if not comparisons and not any(score["n"] for score in scores):
        yield _NOTHING
        return
    yield from (comparison["sentence"] for comparison in comparisons)
    yield from gaps
    if not comparisons:
        yield _NO_OVERLAP if len({score["round"] for score in scores}) > 1 else _ONE_ROUND
        return
    if len({comparison["criterion"] for comparison in comparisons}) > 1:
        yield _MANY
    rated = comparisons[0]["n"]
    if rated < total:
        yield (
            f"{rated:,} of {total:,} examples are rated on both sides. Decide when all are in: "
            "repeated looks find differences by chance."
        )
    if not scores:
        yield _PAIRS_ONLY


def _about_places(document: Document, bias: Mapping[str, float | None] | None) -> Iterator[str]:
    if bias is None or document["position"] is None:
        return
    value, low, high = bias["value"], bias["low"], bias["high"]
    if value is None or low is None or high is None or low <= 0.5 <= high:
        return
    side = "first"
    if value < 0.5:
        side, value, low, high = "second", 1 - value, 1 - high, 1 - low
    count = document["position"]["a"] + document["position"]["b"]
    yield (
        f"Position bias: {percent(value, 0)} [{100 * low:.0f}, {100 * high:.0f}] of "
        f"{count:,} preferences are for the answer shown {side}. Sides are balanced, so this "
        "favours no round, but it draws the win rate towards one half."
    )


def _about_the_sample(document: Document, strategy: str) -> Iterator[str]:
    if not document["verdicts"]:
        yield (
            f"This sample ({one_line(strategy, 40)}) is for finding errors: it is not "
            "representative of the whole set, so it gives no verdict and no intervals."
        )


def title(row: Document) -> str:
    return one_line(row["title"], 60) or "(no title)"


def percent(share: float, digits: int = 1) -> str:
    """``98.3 %``."""
    text = f"{100 * share:.{digits}f}"
    return (text.removesuffix(".0") if digits == 1 else text) + " %"


def _source(row: Document, key: str) -> str:
    arm = "" if row["arm"] == BASE_ARM else f" of arm {one_line(row['arm'], 40)}"
    return f"round {row[key]}{arm}"
