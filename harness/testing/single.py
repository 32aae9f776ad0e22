"""Rules on what a metric says of single examples."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from harness.errors import NO_FAULT
from harness.testing import texts as probes
from harness.testing.outcomes import Failed, Noted, Skipped, hushed, reason
from harness.testing.subject import (
    TOLERANCE,
    Pair,
    Subject,
    close,
    statistics_of,
    with_references,
    with_text,
)

_SLOW_TEXT = 5.0
_SHORT = 1000


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
        rows = subject.measured(plain)
        if not any(row.values for row in rows):
            why = next((row.error for row in rows if row.error), "no values")
            raise Failed(f"no ordinary answer gets a score: {why}", "Look at measure()")
        for row in [*rows, *subject.measured(hostile)]:
            yield from row.values.items()
    wrong = [name for name, value in total.items() if not math.isfinite(value)]
    if wrong:
        raise Failed(f"{wrong[0]} of the whole set is no finite number", "Look at aggregate()")


def direction(subject: Subject) -> str | None:
    """An answer that equals a reference scores no worse than an unrelated one."""
    subject.need_references()
    pairs = [pair for pair in subject.pairs if pair[1].references]
    perfect = [with_text(pair, pair[1].references[0]) for pair in pairs]
    far = [with_text(pair, probes.unrelated(n)) for n, pair in enumerate(pairs)]
    best, worst = subject.values(perfect), subject.values(far)
    for one, other in zip(best, worst, strict=True):
        _no_worse(subject, one, other)
    _no_worse(subject, subject.corpus(perfect).values(), subject.corpus(far).values())
    if best == worst:
        raise Noted("a copy of the reference scores exactly as an unrelated answer does")
    way = "higher" if subject.instance.higher_is_better else "lower"
    return f"{way} is better"


def _no_worse(subject: Subject, perfect: Any, far: Any) -> None:
    for name, one, other in zip(subject.names, perfect, far, strict=False):
        if subject.sign * (one - other) < -TOLERANCE * max(1.0, abs(other)):
            what = f"{name} is {one:.4g} for a copy of the reference, {other:.4g} for nonsense"
            better = not subject.instance.higher_is_better
            raise Failed(what, f"Set `higher_is_better = {better}`, or look at measure()")


def texts(subject: Subject) -> str | None:
    """No text breaks it: empty, control characters, markup, right-to-left, emoji, 100 kB."""
    remarks: list[str] = []
    if not subject.single:
        subject.corpus([pair for _, _, pair in _hostile(subject)])
        return "as one set"
    for name, side, pair in _hostile(subject):
        start = time.perf_counter()
        remarks += _one_text(subject, name, side, pair)
        if (seconds := time.perf_counter() - start) > _SLOW_TEXT:
            remarks.append(f"{name} takes {seconds:.0f} s")
    surrogates = with_text(_plain(subject), probes.SURROGATES)
    try:
        subject.one(surrogates)
    except NO_FAULT:
        raise
    except Exception as error:
        remarks.append(f"half characters, which no UTF-8 can hold, stay unscored ({reason(error)})")
    if remarks:
        raise Noted("; ".join(remarks))
    return f"{len(probes.HOSTILE)} kinds of texts"


def _one_text(subject: Subject, name: str, side: str, pair: Pair) -> Sequence[str]:
    try:
        with hushed() as heard:
            numbers = statistics_of(subject.one(pair))
    except NO_FAULT:
        raise
    except Exception as error:
        raise Failed(f"{name} as {side}: {reason(error)}", _MEND) from None
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
    for name, text in probes.HOSTILE.items():
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
    if subject.single and not any(map(subject.alone, pairs)):
        raise Noted("examples with several references are not scored at all")
    turned = [with_references(pair, pair[1].references[::-1]) for pair in pairs]
    before = [*subject.values(pairs), tuple(subject.corpus(pairs).values())]
    after = [*subject.values(turned), tuple(subject.corpus(turned).values())]
    for one, other in zip(before, after, strict=True):
        for name, x, y in zip(subject.names, one, other, strict=False):
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
        for one, more in zip(subject.values(fewer), subject.values(pairs), strict=True)
        for name, x, y in zip(subject.names, one, more, strict=True)
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
            found = statistics_of(subject.one(bare))
        except NO_FAULT:
            raise
        except Exception as error:
            raise Failed(f"without references: {reason(error)}", mend) from None
        if found is not None and subject.uses_references:
            shown = found[0] if len(found) == 1 else found
            raise Failed(f"without references it gives {shown}", mend)
    return "needs no references" if not subject.uses_references else "left unscored"
