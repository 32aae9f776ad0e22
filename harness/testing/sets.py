"""Rules on what a metric says of many examples: sums, blocks, order, gaps, speed."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.errors import NO_FAULT, PluginError
from harness.testing import fresh, texts as probes
from harness.testing.outcomes import Failed, Noted, Skipped
from harness.testing.subject import Pair, Subject, close, statistics_of, with_references

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_BLOCKS = (1, 2, 3, 7)
_SLOW = 10.0
_TIMED_ROWS = 1000
_TIMED_SECONDS = 0.4
_ROUGHLY = 0.05


def permutation(subject: Subject) -> str | None:
    """The order of the rows changes nothing."""
    pairs = subject.pairs
    order = list(range(len(pairs)))
    random.Random(1).shuffle(order)
    turned = [pairs[place] for place in order]
    if subject.single:
        before, after = subject.numbers(pairs), subject.numbers(turned)
        if [before[place] for place in order] != after:
            what = "an example's statistics depend on the order of the rows"
            raise Failed(what, "Look at one example at a time, and keep no state between them")
    _same_scores(subject.corpus(pairs), subject.corpus(turned), "with the rows in another order")
    return None


def _same_scores(one: dict[str, float], other: dict[str, float], when: str) -> None:
    for name in one:
        if not close(one[name], other[name]):
            what = f"{name} is {one[name]:.9g}, and {other[name]:.9g} {when}"
            raise Failed(what, "The whole set's score must be a function of the sums alone")


def determinism(subject: Subject) -> str | None:
    """The same rows give the same numbers: again, in a new instance, in a fresh process."""
    first = subject.numbers(subject.pairs)
    mend = "Draw no random numbers; where they are needed, from a fixed seed"
    if subject.numbers(subject.pairs) != first:
        raise Failed("the same rows give other numbers the second time", mend)
    if subject.numbers(subject.pairs, subject.make()) != first:
        mend = "Keep no state on the class or in the module"
        raise Failed("a new instance gives other numbers for the same rows", mend)
    if not subject.single:
        return None
    report = subject.fresh
    if report.found and report.statistics != tuple(map(fresh.exact, first)):
        mend = "Do not depend on the order of a set, on hash(), id(), time or place"
        raise Failed("a fresh process gives other numbers for the same rows", mend)
    return None if report.found else f"not tried in a fresh process: {report.problem}"


def batch(subject: Subject) -> str | None:
    """measure_all() gives in any block what measure() gives for one, bit for bit."""
    subject.need_single()
    alone = [subject.alone(pair) for pair in subject.pairs]
    for size in (*_BLOCKS, len(subject.pairs)):
        found = _in_blocks(subject, subject.pairs, size)
        if found != alone:
            place = next(n for n, (x, y) in enumerate(zip(found, alone, strict=True)) if x != y)
            what = f"in blocks of {size}, an example gets {found[place]}, alone {alone[place]}"
            mend = "measure_all() must give each example the very numbers that measure() gives"
            raise Failed(what, mend)
    return None


def _in_blocks(
    subject: Subject, pairs: Sequence[Pair], size: int
) -> list[tuple[float, ...] | None]:
    """Statistics from measure_all() alone; a wrong number of results is no excuse to go on."""
    found: list[tuple[float, ...] | None] = []
    for start in range(0, len(pairs), size):
        block = pairs[start : start + size]
        try:
            raw = list(subject.instance.measure_all(block))
        except NO_FAULT:
            raise
        except Exception:
            found += map(subject.alone, block)  # as the core does, to find the culprit
            continue
        if len(raw) != len(block):
            what = f"measure_all() gives {len(raw)} results for {len(block)} examples"
            raise Failed(what, "Give one result for each, in order; None where not scored")
        found += map(statistics_of, raw)
    return found


def additivity(subject: Subject) -> str | None:
    """aggregate() takes weighted sums of any leading shape, and knows nothing else."""
    if not subject.instance.additive:
        return f"not additive: corpus() gives {_corpus(subject)}, and no interval"
    table = _table(subject)
    entry = subject.entry()
    m, k = len(subject.names), table.shape[1]
    try:
        values = entry.own_values(given := table.copy())
        _unchanged("values() or aggregate()", (given, table))
        _shapes(subject, table)
    except PluginError as error:
        mend = f"aggregate() maps sums (..., {k}) and weights (...) to (..., {m}); use axis -1"
        raise Failed(error.what, mend) from None
    if not (values == values).all():
        raise Noted("values() gives some examples no number of their own")
    return f"{k} statistic{'s' if k > 1 else ''} an example"


def _corpus(subject: Subject) -> str:
    found = subject.instance.corpus(subject.pairs)
    names = sorted(map(str, found))
    if names != sorted(subject.names):
        raise Failed(f"corpus() gives {names}", f"Give a number for each of {subject.names}")
    return ", ".join(f"{name} {value:.4g}" for name, value in subject.corpus(subject.pairs).items())


def _table(subject: Subject) -> Floats:
    """Statistics ``(n, k)`` of the ordinary rows."""
    import numpy as np

    rows = [row for row in map(subject.alone, subject.pairs) if row is not None]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        what = f"examples have {' or '.join(map(str, lengths))} statistics"
        raise Failed(what, "Return the same number of statistics for every example")
    if not rows:
        raise Skipped("none of the rows is scored")
    return np.array(rows, dtype=np.float64)


def _shapes(subject: Subject, table: Floats) -> None:
    """Equal scores for any leading shape; weights count; the arguments are left alone."""
    import numpy as np

    entry = subject.entry()
    weights = np.random.default_rng(0).integers(1, 4, size=(2, 3, len(table))).astype(np.float64)
    sums, totals = weights @ table, weights.sum(axis=-1)
    cube = entry.aggregate(given := sums.copy(), over := totals.copy())
    _unchanged("aggregate()", (given, sums), (over, totals))
    for i, j in itertools.product(range(2), range(3)):
        apart = entry.aggregate(sums[i, j], totals[i, j])
        flat = entry.aggregate(sums[i], totals[i])[j]
        if not (_alike(cube[i, j], apart) and _alike(flat, apart)):
            what = "aggregate() gives other scores for several sums at once than for each"
            raise Failed(what, "Work along the last axis only (axis=-1, `[..., 0]`)")
    _twice(subject, table)


def _unchanged(what: str, *arrays: tuple[Floats, Floats]) -> None:
    """Each array, and what it was before the call."""
    if not all((now == before).all() for now, before in arrays):
        raise Failed(f"{what} changes the arrays that it is given", "Work on a copy")


def _alike(one: Floats, other: Floats) -> bool:
    import numpy as np

    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


def _twice(subject: Subject, table: Floats) -> None:
    """Every row twice, or with weight 2, is the same set."""
    import numpy as np

    entry, count = subject.entry(), np.array(float(len(table)))
    once = entry.aggregate(table.sum(axis=0), count)
    twice = entry.aggregate(2 * table.sum(axis=0), 2 * count)
    for name, x, y in zip(subject.names, once.tolist(), twice.tolist(), strict=True):
        if close(x, y):
            continue
        what = f"{name} is {x:.6g}, and {y:.6g} when every row has the weight 2"
        if abs(x - y) > _ROUGHLY * max(abs(x), abs(y)):
            raise Failed(what, "Divide by the sum of the weights, not by a number of rows")
        raise Noted(f"{what}: right only for a smoothed score")


def missing(subject: Subject) -> str | None:
    """Rows that are not scored are left out, and change nothing for the others."""
    subject.need_single()
    subject.need_references()
    gap = with_references(subject.pairs[0], ())
    alone = subject.alone(gap)
    mixed = [one for pair in subject.pairs for one in (pair, gap)]
    found = _in_blocks(subject, mixed, len(mixed))
    mend = "Give one result for each example, in order; None where not scored, never 0"
    if any(row != alone for row in found[1::2]):
        raise Failed("an example without references gets other numbers in a block", mend)
    if found[::2] != _in_blocks(subject, subject.pairs, len(subject.pairs)):
        what = "an example without references changes the numbers of the others in its block"
        raise Failed(what, mend)
    return None


def speed(subject: Subject) -> str | None:
    """Milliseconds for a thousand rows of forty words."""
    subject.corpus(subject.pairs[:1])  # whatever is loaded once
    done, spent, size = 0, 0.0, 4
    rows, kind = list(probes.crowd(_TIMED_ROWS)), "rows of 40 words"
    if subject.own_rows:
        rows, kind = (subject.pairs * _TIMED_ROWS)[:_TIMED_ROWS], "rows"
    while spent < _TIMED_SECONDS and done < _TIMED_ROWS:
        block = rows[done : done + size]
        start = time.perf_counter()
        list(subject.instance.measure_all(block)) if subject.single else subject.corpus(block)
        spent += time.perf_counter() - start
        done, size = done + len(block), size * 2
    seconds = spent / done * 1000
    line = f"{seconds * 1000:,.0f} ms for 1,000 {kind}"
    if seconds > _SLOW:
        raise Noted(f"{line}: slow; see what is done anew for every row, or override measure_all()")
    return line
