"""What would help where the loop finds nothing more to gain: said plainly, with a number."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.kit.blocks import Paragraph
from harness.kit.numbers import signed
from harness_reports import figures, findings
from harness_reports.figures import Document

FAR = 50
"""Times today's dev rows, from which on more of them are no advice."""


def advice(document: Document) -> Iterator[Paragraph]:
    """Of a run that has ended: nothing underperforms, and the latest round did not improve."""
    later = [e for e in document["rounds"] if e["round"] > document["kept_round"]]
    if not ended(document) or not later or _weak(document):
        return
    since = f"after round {document['kept_round']} " if document["kept_round"] else ""
    found = (
        f"No round {since}improved, and no slice underperforms by more than chance, so more "
        "rounds of this kind will hardly help."
    )
    levers = (
        "other training data (kinds of rows that neither train nor pool has), another lever "
        "(learning rate, epochs, a larger base model, another prompt), or stop here"
    )
    yield Paragraph(f"{found} What would: {_more_rows(document, later)}{levers}.")


def ended(document: Document) -> bool:
    """Whether the run has walked all its rounds."""
    return bool(document["test"] or document["sealed"])


def _weak(document: Document) -> bool:
    latest = document["rounds"][-1]
    known = [*findings.weak(document)[1], *latest["slices"]]
    return any(map(findings.holds, known))


def _more_rows(document: Document, later: list[Document]) -> str:
    """``about 900 dev rows instead of 160, which find … four times out of five; ``, or nothing."""
    gain = float((document["settings"] or {}).get("min_gain") or 0.0)
    judged = [e for e in later if (e["verdict"]["difference"] or 0.0) > gain]
    if not judged:
        return "" if any(e["verdict"]["difference"] is None for e in later) else (
            "not more dev rows, as no such round scored higher; "
        )  # fmt: skip
    largest = max(judged, key=lambda entry: entry["verdict"]["difference"])
    verdict = largest["verdict"]
    rows = rows_needed(verdict["n"], verdict["difference"], verdict["detectable"], gain)
    if rows is None or rows <= (verdict["n"] or 0):
        return ""
    digits = figures.score_digits(document, document["primary"])
    seen = f"{signed(verdict['difference'], digits)} in round {largest['round']}"
    if rows > FAR * verdict["n"]:
        return f"not more dev rows (the largest gain, {seen}, would take {rows:,}); "
    return (
        f"about {rows:,} dev rows instead of {verdict['n']}, with which a true gain as large as "
        f"the largest seen ({seen}) is found four times out of five; "
    )


def rows_needed(
    n: int | None, difference: float, detectable: float | None, min_gain: float = 0.0
) -> int | None:
    """Rows with which a true gain of this size is found with 80 % power, to two digits.

    The minimum detectable effect D of n rows is m + c / sqrt(n), where m is the gain that is
    required; it comes down to the gain d with n ((D - m) / (d - m))^2 rows, in groups as large as
    those of today.

    Returns:
        None where it is not known.
    """
    if not n or detectable is None or difference <= min_gain:
        return None
    exact = n * ((detectable - min_gain) / (difference - min_gain)) ** 2
    unit = 10 ** max(0, math.floor(math.log10(max(exact, 1.0))) - 1)
    return int(math.ceil(exact / unit) * unit)
