"""Which automatic metric can be believed: each against what people said of the same answers.

Two views of one set of ratings:

* *answers*: each rated answer has the people's overall score and the metric's value; does the
  metric rank answers as people do, whatever their prompts?
* *differences*: two answers to one prompt, later round minus earlier; does the metric prefer the
  one that people prefer? Pairwise ratings give only this view.

Spearman's and Kendall's coefficients are SciPy's; their draws, over whole groups, are computed
under weights for all draws at once, which gives what SciPy would give for the drawn answers.
Pairwise accuracy follows T. Kocmi et al., *To Ship or Not to Ship*, 2021, for pairs of answers.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.rating import rubric as rubrics
from harness.rating.agreement import FEW_GROUPS, Figure, bootstrap, figure, ratio, shown
from harness.rating.quality import between, checked, group_of
from harness.rating.records import SETTLED, Batch, Rating
from harness.records import to_json
from harness.stats import DRAWS, Floats, Ints, encode, weights
from harness.text import one_line

SCHEMA = "harness.validity/1"

Answer = tuple[str, int, str]
"""(arm, round, example id): where one answer came from."""

_NO_SAMPLE = (
    "This batch was drawn for finding errors ({}), so it is no sample of all answers, and a metric "
    "may do better or worse on those."
)
_BLOCK = 1 << 20  # numbers held at once: 8 MiB
_WHOLE = 800  # groups up to which pairs between each two of them are held: 5 MiB a table


@dataclass(frozen=True, slots=True)
class Rows:
    """People's numbers beside a metric's, one row each.

    Attributes:
        people, metric: ``(n,)``, oriented so that more is better.
        groups: one per row.
    """

    people: Floats
    metric: Floats
    groups: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(set(self.groups))


def validity_of(
    batch: Batch,
    ratings: Iterable[Rating],
    scores: Mapping[str, Mapping[Answer, float | None]],
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
    lower_is_better: Iterable[str] = (),
) -> dict[str, Any]:
    """How well each automatic metric does what people do, as a JSON-like document.

    Raters are averaged within an item; a value that was settled afterwards stands for all of
    them. Hidden repeats are left out.

    Args:
        scores: metric -> (arm, round, example id) -> value of the answer; None = not scored.
        groups: item -> group of rows that belong together; by default the placing's.
        lower_is_better: metrics of which less is better; their values are turned round.

    Returns:
        A document of schema ``harness.validity/1``; see ``docs/agreement.md``.

    Raises:
        DataError: a value that its scale does not know.
    """
    items = people_of(batch, ratings)
    of_item = {item: (groups or {}).get(item) or group_of(batch, item) for item in items}
    turned = set(lower_is_better)
    metrics = [
        _metric(batch, name, items, of_item, values, -1.0 if name in turned else 1.0, seed)
        for name, values in scores.items()
    ]
    return {
        "schema": SCHEMA,
        "batch": batch.name,
        "rated": len(items),
        "groups": len(set(of_item.values())),
        "metrics": metrics,
        "sentences": [line for metric in metrics for line in metric["sentences"]]
        + ([] if batch.verdicts else [_NO_SAMPLE.format(one_line(batch.strategy, 40))]),
    }


def people_of(batch: Batch, ratings: Iterable[Rating]) -> dict[str, float]:
    """Item -> mean overall score of its raters (for pairs the preference for A), 0 to 1.

    Raises:
        DataError: a value that its scale does not know.
    """
    given: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    settled: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in checked(batch, ratings):
        if batch.placings[one.item].repeat_of is not None:
            continue
        if one.rater.startswith(SETTLED):
            settled[one.item][one.criterion] = one.value
        elif one.rater in batch.raters:
            given[one.item][one.rater][one.criterion] = one.value
    found = {}
    for item in batch.placings:
        raters = list(given[item].values()) or [{}]
        each = [rubrics.overall(batch.rubric, {**one, **settled[item]}) for one in raters]
        known = [value for value in each if value is not None]
        if known:
            found[item] = _clean(math.fsum(known) / len(known))
    return found


# -- from items to rows -------------------------------------------------------------------------


def _metric(
    batch: Batch,
    name: str,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    values: Mapping[Answer, float | None],
    sign: float,
    seed: int,
) -> dict[str, Any]:
    known = {
        answer: _clean(sign * value)
        for answer, value in values.items()
        if value is not None and math.isfinite(value)
    }
    answers = None if batch.rubric.pairwise else _answers(batch, items, groups, known)
    changes = list(_changes(batch, items, groups, known))
    found: dict[str, Any] = {
        "metric": name,
        "answers": None if answers is None else compared(answers, seed),
        "differences": differences(_rows([change for _, change in changes]), seed),
        "rounds": _rounds(changes, seed),
    }
    found["sentences"] = _in_words(name, found)
    return found


_Row = tuple[float, float, str]
"""People's number, the metric's, and the group."""


def _answers(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    known: Mapping[Answer, float],
) -> Rows:
    rows = []
    for item, people in items.items():
        (answer,) = _sources(batch, item)
        if answer in known:
            rows.append((people, known[answer], groups[item]))
    return _rows(rows)


def _changes(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    known: Mapping[Answer, float],
) -> Iterator[tuple[tuple[Answer, Answer], _Row]]:
    """Two answers to one prompt: ``(earlier, later)`` and the difference, later - earlier."""
    for item, one, other, people in _pairs(batch, items):
        if one in known and other in known:
            yield (one, other), (people, _clean(known[other] - known[one]), groups[item])


def _pairs(batch: Batch, items: Mapping[str, float]) -> Iterator[tuple[str, Answer, Answer, float]]:
    """Item, earlier and later answer, and by how much people prefer the later one."""
    if batch.rubric.pairwise:
        for item, prefers_a in items.items():
            a, b = _sources(batch, item)
            preference = 1 - 2 * prefers_a  # of B
            yield (item, a, b, preference) if _when(a) <= _when(b) else (item, b, a, -preference)
        return
    of_example: dict[str, list[tuple[Answer, str]]] = defaultdict(list)
    for item in items:
        (answer,) = _sources(batch, item)
        of_example[answer[2]].append((answer, item))
    for found in of_example.values():
        ordered = sorted(found, key=lambda pair: _when(pair[0]))
        for (one, first), (other, second) in itertools.combinations(ordered, 2):
            if one != other:
                yield second, one, other, _clean(items[second] - items[first])


def _sources(batch: Batch, item: str) -> tuple[Answer, ...]:
    placing = batch.placings[item]
    return tuple((placing.arm, number, placing.example_id) for number in placing.rounds)


def _clean(value: float) -> float:
    """A number of 12 digits, so that rounding makes no differences."""
    return float(f"{value:.12g}")


def _when(answer: Answer) -> tuple[int, str]:
    return answer[1], answer[0]


def _rows(rows: Sequence[_Row]) -> Rows:
    people, metric, groups = zip(*rows, strict=True) if rows else ((), (), ())
    return Rows(np.array(people, np.float64), np.array(metric, np.float64), tuple(groups))


# -- figures ------------------------------------------------------------------------------------


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

    Accuracy is the share of pairs in which the metric prefers the answer that people prefer. A
    metric that sees no difference counts one half, as a coin would; pairs between which people
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
        why = "people preferred no answer to another" if len(clear) else _NO_PAIRS
        return Figure(None, why=why)

    (found,) = bootstrap(table, ratio, rows.groups, seed, (0.0, 1.0), clear[:, None])
    return found


_NO_PAIRS = "no prompt has two answers that are both rated and scored"


def _rounds(
    changes: Sequence[tuple[tuple[Answer, Answer], _Row]], seed: int
) -> list[dict[str, Any]]:
    """For each two rounds rated on the same prompts: mean difference by people, by the metric."""
    by_rounds: dict[tuple[tuple[str, int], tuple[str, int]], list[_Row]] = defaultdict(list)
    for (one, other), row in changes:
        by_rounds[one[:2], other[:2]].append(row)
    found = []
    for (earlier, later), rows in sorted(by_rounds.items()):
        both = _rows(rows)
        people, metric = (to_json(_mean(side, both, seed)) for side in (both.people, both.metric))
        found.append(
            {
                "from": {"arm": earlier[0], "round": earlier[1]},
                "to": {"arm": later[0], "round": later[1]},
                "n": len(rows),
                "people": people,
                "metric": metric,
                "says": _says(people, metric),
            }
        )
    return found


def _mean(values: Floats, rows: Rows, seed: int) -> Figure:
    table = np.column_stack([values, np.ones(len(values))])
    (found,) = bootstrap(table, ratio, rows.groups, seed, (-math.inf, math.inf))
    return found


def _says(people: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """Whether two mean differences, with intervals, point the same way."""
    sides = [_side(one) for one in (people, metric)]
    if sides[0] is None:
        return "people see no clear difference"
    if sides[1] is None:
        return "people see a difference, the metric no clear one"
    return "both see the same" if sides[0] == sides[1] else "they contradict each other"


def _side(found: Mapping[str, Any]) -> bool | None:
    if found["low"] is None or found["low"] <= 0 <= found["high"]:
        return None
    return bool(found["value"] > 0)


# -- Spearman -----------------------------------------------------------------------------------


def spearman(rows: Rows, seed: int, draws: int = DRAWS) -> Figure:
    """Spearman's rank correlation, ties sharing their middle rank."""
    if why := _flat(rows):
        return Figure(None, n=len(rows.people), groups=rows.count, why=why)
    from scipy import stats as scipy_stats

    value = float(scipy_stats.spearmanr(rows.people, rows.metric).statistic)
    return _drawn_figure(value, rows, _weighted_spearman(rows), seed, (-1.0, 1.0), draws)


def _weighted_spearman(rows: Rows) -> Callable[[Floats], Floats]:
    """``weights (b, n) -> (b,)``: the correlation of a sample with so many copies of each row."""
    rank = [_ranker(side) for side in (rows.people, rows.metric)]

    def drawn(copies: Floats) -> Floats:
        total = copies.sum(axis=1, keepdims=True)
        one, other = (of(copies) - total / 2 for of in rank)
        spread = [(copies * side * side).sum(axis=1) for side in (one, other)]
        return np.asarray((copies * one * other).sum(axis=1) / np.sqrt(spread[0] * spread[1]))

    return drawn


def _ranker(values: Floats) -> Callable[[Floats], Floats]:
    """``weights (b, n) -> middle ranks (b, n)``; their mean over a sample is half its size."""
    order = np.argsort(values, kind="stable")
    _, starts, place = np.unique(values[order], return_index=True, return_inverse=True)
    back = np.empty(len(values), np.intp)
    back[order] = place

    def ranks(copies: Floats) -> Floats:
        each = np.add.reduceat(copies[:, order], starts, axis=1)
        middle = np.cumsum(each, axis=1) - each / 2
        return np.asarray(middle[:, back])

    return ranks


def _drawn_figure(
    value: float,
    rows: Rows,
    of: Callable[[Floats], Floats],
    seed: int,
    bounds: tuple[float, float],
    draws: int = DRAWS,
) -> Figure:
    codes, count = encode(rows.groups)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    if count < 2:
        return figure(value, None, sizes, bounds)
    step = max(1, _BLOCK // len(codes))
    drawn = []
    with np.errstate(all="ignore"):
        for block in weights(count, seed, draws):
            for start in range(0, len(block), step):
                copies = block[start : start + step].astype(np.float64)[:, codes]
                drawn.append(of(copies))
    return figure(value, np.concatenate(drawn), sizes, bounds)


def _flat(rows: Rows) -> str:
    if len(rows.people) < 2:
        return "fewer than two answers are both rated and scored"
    if np.ptp(rows.people) == 0:
        return "people gave all of them the same"
    return "the metric gives all of them the same" if np.ptp(rows.metric) == 0 else ""


# -- Kendall and pairs of answers ---------------------------------------------------------------


def _concordance(rows: Rows, seed: int) -> tuple[Figure, Figure, dict[str, int]]:
    """Pairwise accuracy, Kendall's tau-b, and pairs that are ties, from all pairs of rows.

    Pairs are summed within each two groups first: a draw that takes one group v times and
    another w times has each pair between them v w times.
    """
    if len(rows.people) < 2:
        none = Figure(None, n=len(rows.people), groups=rows.count, why=_flat(rows))
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
        accuracy = dataclasses.replace(accuracy, why=_flat(rows))
    every = len(rows.people) * (len(rows.people) - 1) // 2
    ties = {"people_tied": every - int(ordered / 2), "metric_tied": int(tied / 2)}
    return accuracy, _tau(rows, taus, sizes), ties


def _tau(rows: Rows, drawn: Floats | None, sizes: Floats) -> Figure:
    if why := _flat(rows):
        return Figure(None, n=len(rows.people), groups=rows.count, why=why)
    from scipy import stats as scipy_stats

    value = float(scipy_stats.kendalltau(rows.people, rows.metric).statistic)
    return figure(value, drawn, sizes, (-1.0, 1.0))


def _pair_tables(rows: Rows, codes: Ints, count: int) -> tuple[Floats, ...]:
    """Sums over ordered pairs of rows by their groups, ``(K, K)``, or ``(K,)`` for many groups.

    Returns:
        Concordant minus discordant pairs; pairs that people order; pairs that the metric orders;
        pairs that people order and the metric does not.
    """
    order = np.argsort(codes, kind="stable")
    people, metric, own = rows.people[order], rows.metric[order], codes[order]
    starts = np.searchsorted(own, np.arange(count))
    whole = count <= _WHOLE
    tables = tuple(np.zeros((count, count) if whole else count) for _ in range(4))
    step = max(1, _BLOCK // len(people))
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
    step = max(1, _BLOCK // count)
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


# -- in words -----------------------------------------------------------------------------------


def _in_words(name: str, found: Mapping[str, Any]) -> list[str]:
    label = one_line(name, 60)
    lines = []
    if found["answers"] is not None:
        one = found["answers"]
        lines.append(_accuracy_words(label, one, "orders any two answers"))
        if one["spearman"]["value"] is not None:
            lines.append(
                f"{label} has a rank correlation of {between(one['spearman'])} with people's "
                f"overall score ({one['n']:,} answers)."
            )
    lines.append(_accuracy_words(label, found["differences"], "orders two answers to one prompt"))
    for one in found["rounds"]:
        lines.append(
            f"{label}, {_source(one['from'])} to {_source(one['to'])} on {one['n']:,} prompts: "
            f"{one['says']} (people {between(one['people'])}, {label} {between(one['metric'])})."
        )
    return lines


def _accuracy_words(label: str, found: Mapping[str, Any], does: str) -> str:
    share = found["accuracy"]
    if share["value"] is None:
        return f"Whether {label} {does} as people do cannot be said: {share['why']}."
    percent = f"{100 * share['value']:.0f} %"
    if share["low"] is not None:
        percent += f" [{100 * share['low']:.0f}, {100 * share['high']:.0f}]"
    text = f"{label} {does} as people do in {percent} of pairs: {_reading(share)}"
    ties = []
    if found["people_tied"]:
        ties.append(f"{found['people_tied']:,} pairs that people rate alike are left out")
    if found["metric_tied"]:
        ties.append(f"{found['metric_tied']:,} that {label} scores alike count one half")
    return f"{text} ({'; '.join(ties)})." if ties else f"{text}."


def _reading(share: Mapping[str, Any]) -> str:
    if share["groups"] < FEW_GROUPS:
        return f"only {share['groups']} groups of items, too few to judge by"
    value, low, high = share["value"], share["low"], share["high"]
    if low is None:
        return f"there is no interval, because {share['why']}"
    if high < 0.5:
        return "worse than a coin; it prefers what people do not"
    if low <= 0.5:
        return "not shown to be better than a coin"
    if value < 0.65:
        return "little better than a coin"
    return "often right" if value < 0.8 else "mostly right"


def _source(one: Mapping[str, Any]) -> str:
    arm = "" if one["arm"] == "main" else f" of arm {shown(one['arm'])}"
    return f"round {one['round']}{arm}"
