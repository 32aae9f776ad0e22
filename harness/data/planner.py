"""From weak slices to rows: how many rows each slice shall get under a budget.

The planner never sees a row. It knows only what the analyzers found (aggregates of dev), and
it is the one place where findings turn into a :class:`harness.records.Plan`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from harness.kit.features import same_as
from harness.kit.numbers import percent
from harness.records import Findings, Plan, PlanItem, Slice

WEAK_AT = 0.1
"""A slice counts as weak up to this q-value (false discovery rate)."""


def plan(
    findings: Findings,
    budget: int,
    strategy: str = "targeted",
    explore: float = 0.2,
    seed: int = 0,
    remedy: str = "add rows",
) -> Plan:
    """Divide ``budget`` rows over the weak slices.

    Args:
        findings: what the analyzers found on dev.
        budget: rows to be added; the items' rows sum to it (to 0 under ``none``).
        strategy: ``targeted``, ``random`` (from everywhere, whatever was found) or ``none``.
        explore: share of the budget that ``targeted`` leaves for rows from everywhere, 0 to 1.
        seed: decides between slices with equal claims to the last row.
        remedy: what the augmenter does to a weak slice, in words.
    """
    items: tuple[PlanItem, ...] = ()
    if strategy == "targeted":
        items = _targeted(findings, budget, explore, seed, remedy)
    elif strategy == "random":
        items = (PlanItem(None, budget, remedy, "rows from everywhere, whatever was found"),)
    return Plan(strategy, tuple(item for item in items if item.rows))


def weak(findings: Findings) -> tuple[Slice, ...]:
    """The slices that a plan may address: weak by evidence, and known by their prompts.

    One slice found by two analyzers counts once.
    """
    slices = {
        tuple(map(same_as, piece.conditions)): piece
        for piece in findings.slices
        if piece.from_prompt and piece.conditions and _holds(piece) and 0 < _gap(piece) < math.inf
    }
    return tuple(slices.values())


def _holds(piece: Slice) -> bool:
    """Whether its weakness is more than chance; where its finder does not say, q decides."""
    if piece.holds is not None:
        return piece.holds
    return piece.q is not None and piece.q <= WEAK_AT


def _gap(piece: Slice) -> float:
    """What to expect of it: the shrunken gap where there is one; 0 where nothing is known."""
    gap = piece.gap if piece.shrunken is None else piece.shrunken
    return 0.0 if gap is None else gap


def claims(slices: Sequence[Slice]) -> list[float]:
    """What each slice costs the whole: its gap times its share of the traffic.

    The number of rows stands for the share where not every finder gives one.
    """
    weighted = all(piece.weight is not None and 0 <= piece.weight < math.inf for piece in slices)
    return [_gap(piece) * ((piece.weight or 0.0) if weighted else piece.n) for piece in slices]


def apportion(weights: Sequence[float], total: int, seed: int = 0) -> list[int]:
    """Whole numbers in proportion to ``weights`` that sum to ``total`` (largest remainder).

    Each number is its exact quota rounded down or up. The seed orders equal remainders. All
    weights zero gives all zeros.

    Source: the Hare-Niemeyer method, e.g. Balinski and Young, *Fair Representation* (1982).
    """
    whole = math.fsum(weights)
    if whole <= 0:
        return [0] * len(weights)
    quotas = [total * (weight / whole) for weight in weights]
    counts = [math.floor(quota) for quota in quotas]
    draw = random.Random(seed)
    lots = [draw.random() for _ in weights]
    # A weight of zero takes no part: rounding errors must not hand it a row.
    order = sorted(
        (i for i, weight in enumerate(weights) if weight > 0),
        key=lambda i: (counts[i] - quotas[i], lots[i]),
    )
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts


def _targeted(
    findings: Findings, budget: int, explore: float, seed: int, remedy: str
) -> tuple[PlanItem, ...]:
    slices = weak(findings)
    if not slices:
        return (PlanItem(None, budget, remedy, _why_none(findings)),)
    claimed = claims(slices)
    whole = math.fsum(claimed)
    if whole <= 0:
        return (PlanItem(None, budget, remedy, "weak slices without any traffic"),)
    shares = [explore, *((1 - explore) * claim / whole for claim in claimed)]
    everywhere, *rows = apportion(shares, budget, seed)
    items = [
        PlanItem(piece, count, remedy, _why(piece))
        for piece, count in zip(slices, rows, strict=True)
    ]
    kept_back = f"{percent(explore)} of the rows are kept for exploration"
    return (*items, PlanItem(None, everywhere, remedy, kept_back))


def _why(piece: Slice) -> str:
    reasons = [] if piece.q is None else [f"q = {piece.q:.2g}"]
    if piece.shrunken is not None:
        reasons.append(f"counted as {piece.shrunken:.2g}, chance taken off")
    added = f" ({'; '.join(reasons)})" if reasons else ""
    gap = _gap(piece) if piece.gap is None else piece.gap
    return f"its gap to the rest is {gap:.3g} on {piece.n} rows of {piece.groups} groups{added}"


def _why_none(findings: Findings) -> str:
    addressed = [piece for piece in findings.slices if piece.from_prompt and _holds(piece)]
    if any(piece.shrunken is not None and piece.shrunken <= 0 for piece in addressed):
        return "the slices differ no more than chance makes them differ"
    return "no slice that prompts can address is weak by evidence"
