"""Rules for metrics: what they say of single examples, and of many."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import NO_FAULT, PluginError
from harness_testing import fresh, texts as sample_texts
from harness_testing.outcomes import Failed, Noted, Skipped, hushed, reason
from harness_testing.subject import (
    TOLERANCE,
    Pair,
    Subject,
    close,
    statistics_of,
    with_references,
    with_text,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_SHORT = 1000
_BLOCKS = (1, 2, 3, 7)
_ROUGHLY = 0.05


def measure(subject: Subject) -> str | None:
    """It scores ordinary answers, changes nothing that it is given, and remarks in sentences."""
    if subject.flaw is not None:
        raise Failed(*subject.flaw)
    if subject.single and not any(row.values for row in subject.measured(subject.pairs)):
        raise Failed("no ordinary answer gets a score", "Give None only for what cannot be scored")
    try:
        subject.entry().remarks(subject.pairs)
    except PluginError as error:
        place = subject.placed(error)
        raise Failed(f"{error.what}{place}", "Give a list of sentences, mostly none") from None
    return None


def bounds(subject: Subject) -> str | None:
    """The scores of single examples and of the whole set lie within the bounds."""
    low, high = subject.instance.bounds
    least, most = math.inf, -math.inf
    for name, value in _all_values(subject):
        slack = TOLERANCE * max(1.0, *(abs(b) for b in (low, high) if math.isfinite(b)), 0.0)
        if not low - slack <= value <= high + slack:
            mend = "Correct `bounds`, or the value"
            raise Failed(f"{name} is {value:.6g}, outside of {low:g} to {high:g}", mend)
        least, most = min(least, value), max(most, value)
    return f"values from {least:.4g} to {most:.4g}"


def _all_values(subject: Subject) -> Iterator[tuple[str, float]]:
    plain, hostile = subject.pairs, [pair for _, _, pair in _hostile(subject)]
    total = subject.corpus(plain)
    yield from total.items()
    if subject.single:
        for row in [*subject.measured(plain), *subject.measured(hostile)]:
            yield from row.values.items()


def direction(subject: Subject) -> str | None:
    """An answer that equals a reference scores no worse than an unrelated one."""
    subject.need_references()
    pairs = [pair for pair in subject.pairs if pair[1].references]
    perfect = [with_text(pair, pair[1].references[0]) for pair in pairs]
    far = [with_text(pair, sample_texts.unrelated(n)) for n, pair in enumerate(pairs)]
    best, worst = subject.values(perfect), subject.values(far)
    for perfect_values, far_values in zip(best, worst, strict=True):
        _no_worse(subject, perfect_values, far_values)
    _no_worse(subject, subject.corpus(perfect).values(), subject.corpus(far).values())
    if best == worst:
        raise Noted("a copy of the reference scores exactly as an unrelated answer does")
    way = "higher" if subject.instance.higher_is_better else "lower"
    return f"{way} is better"


def _no_worse(subject: Subject, perfect: Any, far: Any) -> None:
    for name, of_copy, of_nonsense in zip(subject.names, perfect, far, strict=False):
        if subject.sign * (of_copy - of_nonsense) < -TOLERANCE * max(1.0, abs(of_nonsense)):
            what = f"{name} is {of_copy:.4g} for a copy of the reference"
            what += f", {of_nonsense:.4g} for nonsense"
            better = not subject.instance.higher_is_better
            raise Failed(what, f"Set `higher_is_better = {better}`, or look at measure()")


def texts(subject: Subject) -> str | None:
    """No text breaks it: empty, control characters, markup, right-to-left, emoji, 100 kB."""
    remarks: list[str] = []
    if not subject.single:
        subject.corpus([pair for _, _, pair in _hostile(subject)])
        return "as one set"
    for name, side, pair in _hostile(subject):
        remarks += _one_text(subject, name, side, pair)
    surrogates = with_text(_plain(subject), sample_texts.SURROGATES)
    try:
        subject.raw(surrogates)
    except NO_FAULT:
        raise
    except Exception as error:
        remarks.append(f"half characters, which no UTF-8 can hold, stay unscored ({reason(error)})")
    if remarks:
        raise Noted("; ".join(remarks))
    return f"{len(sample_texts.HOSTILE)} kinds of texts"


def _one_text(subject: Subject, name: str, side: str, pair: Pair) -> Sequence[str]:
    try:
        with hushed() as heard:
            numbers = statistics_of(subject.raw(pair))
    except NO_FAULT:
        raise
    except Exception as error:
        what = f"{name} as {side}: {reason(error)}{subject.placed(error)}"
        raise Failed(what, _MEND) from None
    if heard.getvalue():
        raise Failed(f"{name}: it prints", "Print nothing; tell the reader through remarks()")
    if numbers is None and name in _EMPTY and side == "answer":
        return (f"{name} stays unscored",)
    return ()


_MEND = "Return the worst value for an answer without any content, None only for *cannot be scored*"
_EMPTY = ("an empty text", "white space only", "full stops only")


def _plain(subject: Subject) -> Pair:
    return next((pair for pair in subject.pairs if pair[1].references), subject.pairs[0])


def _hostile(subject: Subject) -> Iterator[tuple[str, str, Pair]]:
    """Each text as the answer, and, where short, as the reference and as both."""
    plain = _plain(subject)
    for name, text in sample_texts.HOSTILE.items():
        yield name, "answer", with_text(plain, text)
        if subject.uses_references and len(text) < _SHORT:
            yield name, "reference", with_references(plain, [text])
            yield name, "answer and reference", with_references(with_text(plain, text), [text])


def references(subject: Subject) -> str | None:
    """The order of several references changes nothing."""
    subject.need_references()
    pairs = [pair for pair in subject.pairs if len(pair[1].references) > 1]
    if not pairs:
        raise Skipped("no row has several references")
    turned = [with_references(pair, pair[1].references[::-1]) for pair in pairs]
    before = [*subject.values(pairs), tuple(subject.corpus(pairs).values())]
    after = [*subject.values(turned), tuple(subject.corpus(turned).values())]
    for values, others in zip(before, after, strict=True):
        for name, x, y in zip(subject.names, values, others, strict=False):
            if not close(x, y):
                what = f"{name} is {x:.6g}, and {y:.6g} with the references in another order"
                raise Failed(what, "Take the best over all references, not the first or the last")
    _more_references(subject, pairs)
    return None


def _more_references(subject: Subject, pairs: Sequence[Pair]) -> None:
    """More references never make a best-of score worse; BLEU's lengths may, so it is no fault."""
    fewer = [with_references(pair, pair[1].references[:1]) for pair in pairs]
    worse = [
        name
        for with_one, more in zip(subject.values(fewer), subject.values(pairs), strict=True)
        for name, x, y in zip(subject.names, with_one, more, strict=True)
        if subject.sign * (y - x) < -TOLERANCE * max(1.0, abs(x))
    ]
    if worse:
        raise Noted(f"one more reference can make {worse[0]} worse: right for BLEU's lengths only")


def no_reference(subject: Subject) -> str | None:
    """An example without references is not scored, unless the metric needs none."""
    subject.need_single()
    mend = "Begin measure() with `if not example.references: return None`"
    for pair in subject.pairs:
        bare = with_references(pair, ())
        try:
            statistics = statistics_of(subject.raw(bare))
        except NO_FAULT:
            raise
        except Exception as error:
            what = f"without references: {reason(error)}{subject.placed(error)}"
            raise Failed(what, mend) from None
        if statistics is not None and subject.uses_references:
            shown = statistics[0] if len(statistics) == 1 else statistics
            raise Failed(f"without references it gives {shown}", mend)
    return "needs no references" if not subject.uses_references else "left unscored"


def permutation(subject: Subject) -> str | None:
    """The order of the rows changes nothing."""
    turned = list(subject.pairs)
    random.Random(1).shuffle(turned)
    in_order, shuffled = subject.corpus(subject.pairs), subject.corpus(turned)
    for name, value in in_order.items():
        if not close(value, shuffled[name]):
            what = f"{name} is {value:.9g}, and {shuffled[name]:.9g} with the rows in another order"
            raise Failed(what, "The whole set's score must be a function of the sums alone")
    return None


def determinism(subject: Subject) -> str | None:
    """A fresh process, with another hash seed, gives the same numbers for the same rows."""
    subject.need_single()
    report = subject.fresh
    numbers = tuple(map(fresh.exact, subject.numbers(subject.pairs)))
    if report.rebuilt and report.statistics != numbers:
        mend = "Draw no random numbers, keep no state, use no hash(), id(), time or order of a set"
        raise Failed("a fresh process gives other numbers for the same rows", mend)
    return None if report.rebuilt else f"not tried in a fresh process: {report.problem}"


def batch(subject: Subject) -> str | None:
    """measure_all() gives in any block what measure() gives for one, bit for bit."""
    subject.need_single()
    # Every other row lacks its references, which must change nothing for its neighbours.
    pairs = [each for pair in subject.pairs for each in (pair, with_references(pair, ()))]
    alone = [subject.alone(pair) for pair in pairs]
    for size in (*_BLOCKS, len(pairs)):
        in_blocks = _in_blocks(subject, pairs, size)
        if in_blocks != alone:
            place = next(n for n, (x, y) in enumerate(zip(in_blocks, alone, strict=True)) if x != y)
            what = f"in blocks of {size}, an example gets {in_blocks[place]}, alone {alone[place]}"
            mend = "measure_all() must give each example the very numbers that measure() gives"
            raise Failed(what, mend)
    return None


def _in_blocks(
    subject: Subject, pairs: Sequence[Pair], size: int
) -> list[tuple[float, ...] | None]:
    """Statistics from measure_all() alone; a wrong number of results is no excuse to go on."""
    statistics: list[tuple[float, ...] | None] = []
    for start in range(0, len(pairs), size):
        block = pairs[start : start + size]
        try:
            raw = list(subject.instance.measure_all(block))
        except NO_FAULT:
            raise
        except Exception:
            statistics += map(subject.alone, block)  # as the core does, to find the culprit
            continue
        if len(raw) != len(block):
            what = f"measure_all() gives {len(raw)} results for {len(block)} examples"
            raise Failed(what, "Give one result for each, in order; None where not scored")
        statistics += map(statistics_of, raw)
    return statistics


def additivity(subject: Subject) -> str | None:
    """aggregate() takes weighted sums of any leading shape, and knows nothing else."""
    if not subject.instance.additive:
        scores = subject.corpus(subject.pairs).items()
        listed = ", ".join(f"{name} {value:.4g}" for name, value in scores)
        return f"not additive: corpus() gives {listed}, and no interval"
    table = _table(subject)
    entry = subject.entry()
    m, k = len(subject.names), table.shape[1]
    try:
        entry.own_values(copy := table.copy())
        _unchanged("values() or aggregate()", (copy, table))
        _shapes(subject, table)
    except PluginError as error:
        mend = f"aggregate() maps sums (..., {k}) and weights (...) to (..., {m}); use axis -1"
        raise Failed(error.what, mend) from None
    return f"{k} statistic{'s' if k > 1 else ''} an example"


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
    cube = entry.aggregate(sums_copy := sums.copy(), totals_copy := totals.copy())
    _unchanged("aggregate()", (sums_copy, sums), (totals_copy, totals))
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


def _alike(scores: Floats, other: Floats) -> bool:
    import numpy as np

    return bool(np.allclose(scores, other, rtol=1e-9, atol=1e-12, equal_nan=True))


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
