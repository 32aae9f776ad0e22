"""Whether a metric orders answers as raters do: pairwise accuracy and Kendall's tau.

Kendall's coefficient is SciPy's; its draws are computed from sums over pairs of groups. Pairwise
accuracy follows T. Kocmi et al., *To Ship or Not to Ship*, 2021, for pairs of answers.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness import to_json
from harness.stats import Floats, Ints, encode, weights
from harness_rating.figures import Figure, bootstrap, figure, ratio
from harness_rating.outcomes.ranks import BLOCK, Rows, flat, spearman

_WHOLE = 800  # groups up to which pairs between each two of them are held: 5 MiB a table
_NO_PAIRS = "no prompt has two answers that are both rated and scored"


def compared(rows: Rows, seed: int) -> dict[str, Any]:
    """Rank correlations and pairwise accuracy of answers to any prompts."""
    accuracy, tau, ties = _concordance(rows, seed)
    return {
        "n": len(rows.people),
        "groups": rows.count,
        "spearman": to_json(spearman(rows, seed)),
        "kendall": to_json(tau),
        "accuracy": to_json(accuracy),
        **ties,
    }


def differences(rows: Rows, seed: int) -> dict[str, Any]:
    """The same for differences of two answers to one prompt.

    Accuracy is the share of pairs in which the metric prefers the answer that raters prefer. A
    metric that sees no difference counts one half, as a coin would; pairs between which raters
    see none are left out.
    """
    clear = rows.people != 0
    right = np.sign(rows.people) * np.sign(rows.metric)
    table = np.column_stack([np.where(clear, (1 + right) / 2, 0.0), clear.astype(np.float64)])
    ties = {
        "people_tied": int(np.count_nonzero(~clear)),
        "metric_tied": int(np.count_nonzero(clear & (rows.metric == 0))),
    }
    _, tau, _ = _concordance(rows, seed)
    return {
        "n": len(rows.people),
        "groups": rows.count,
        "spearman": to_json(spearman(rows, seed)),
        "kendall": to_json(tau),
        "accuracy": to_json(_share(table, rows, clear, seed)),
        **ties,
    }


def _share(table: Floats, rows: Rows, clear: Any, seed: int) -> Figure:
    if not clear.any():
        why = "raters preferred no answer to another" if len(clear) else _NO_PAIRS
        return Figure(None, why=why)

    (found,) = bootstrap(table, ratio, rows.groups, seed, (0.0, 1.0), clear[:, None])
    return found


# -- Kendall and pairs of answers ---------------------------------------------------------------


def _concordance(rows: Rows, seed: int) -> tuple[Figure, Figure, dict[str, int]]:
    """Pairwise accuracy, Kendall's tau-b, and pairs that are ties, from all pairs of rows.

    Pairs are summed within each two groups first: a draw that takes one group v times and
    another w times has each pair between them v w times.
    """
    if len(rows.people) < 2:
        none = Figure(None, n=len(rows.people), groups=rows.count, why=flat(rows))
        return none, none, {"people_tied": 0, "metric_tied": 0}
    codes, count = encode(rows.groups)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    tables = _pair_tables(rows, codes, count)
    concord, ordered, _, tied = (float(table.sum()) for table in tables)
    drawn = _drawn_pairs(tables[:3], count, seed) if count > 1 else None
    with np.errstate(all="ignore"):
        share = (1 + concord / ordered) / 2 if ordered else math.nan
        shares = None if drawn is None else (1 + drawn[0] / drawn[1]) / 2
        taus = None if drawn is None else drawn[0] / np.sqrt(drawn[1] * drawn[2])
    accuracy = figure(share, shares, sizes, (0.0, 1.0))
    if not ordered:
        accuracy = dataclasses.replace(accuracy, why=flat(rows))
    every = len(rows.people) * (len(rows.people) - 1) // 2
    ties = {"people_tied": every - int(ordered / 2), "metric_tied": int(tied / 2)}
    return accuracy, _tau(rows, taus, sizes), ties


def _tau(rows: Rows, drawn: Floats | None, sizes: Floats) -> Figure:
    if why := flat(rows):
        return Figure(None, n=len(rows.people), groups=rows.count, why=why)
    from scipy import stats as scipy_stats

    value = float(scipy_stats.kendalltau(rows.people, rows.metric).statistic)
    return figure(value, drawn, sizes, (-1.0, 1.0))


def _pair_tables(rows: Rows, codes: Ints, count: int) -> tuple[Floats, ...]:
    """Sums over ordered pairs of rows by their groups, ``(K, K)``, or ``(K,)`` for many groups.

    Returns:
        Concordant minus discordant pairs; pairs that raters order; pairs that the metric orders;
        pairs that raters order and the metric does not.
    """
    order = np.argsort(codes, kind="stable")
    people, metric, own = rows.people[order], rows.metric[order], codes[order]
    starts = np.searchsorted(own, np.arange(count))
    whole = count <= _WHOLE
    tables = tuple(np.zeros((count, count) if whole else count) for _ in range(4))
    step = max(1, BLOCK // len(people))
    for start in range(0, len(people), step):
        some = slice(start, start + step)
        one = np.sign(people[some, None] - people[None, :])
        two = np.sign(metric[some, None] - metric[None, :])
        into, first = np.unique(own[some], return_index=True)
        parts = (one * two, np.abs(one), np.abs(two), np.abs(one) * (two == 0))
        for table, part in zip(tables, parts, strict=True):
            by_group = np.add.reduceat(part, starts, axis=1) if whole else part.sum(axis=1)
            table[into] += np.add.reduceat(by_group, first, axis=0)
    return tables


def _drawn_pairs(tables: Sequence[Floats], count: int, seed: int) -> list[Floats]:
    """Totals ``(draws,)`` of each table under each draw's weights w.

    For tables ``(K, K)`` that is w'Tw. For row sums ``(K,)`` it is what is left of it without
    the term that is quadratic in w - 1, which with so many groups is a trifle: 2 w't - sum of t.
    """
    found: list[list[Floats]] = [[] for _ in tables]
    step = max(1, BLOCK // count)
    for block in weights(count, seed):
        for start in range(0, len(block), step):
            copies = block[start : start + step].astype(np.float64)
            for into, table in zip(found, tables, strict=True):
                moved = copies @ table
                whole = table.ndim == 2
                into.append(
                    np.einsum("bk,bk->b", moved, copies) if whole else 2 * moved - table.sum()
                )
    return [np.concatenate(parts) for parts in found]
