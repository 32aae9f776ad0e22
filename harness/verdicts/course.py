"""How a training went, from its log: still learning, converged, overfitting or unstable.

The same rows are measured at several points, so changes are tested by row
(:mod:`harness.stats.repeated`), one-sided at :data:`ALPHA`. Whether a change matters is judged
beside what the training learned, by the 2 % criterion for the settling of first-order systems
(Ogata, *Modern Control Engineering*, section 5.3).

* *unstable*: the loss rose on the rows that are learned: at some step more than half of what had
  been learned was lost, by more than the noise of steps; or the validation loss rose, and mostly
  because the loss of training rows did. The last step of an epoch may have a single row and is not
  looked at.
* *overfitting*: the validation loss at the end is above that of an earlier point.
* *still learning*: the second half of the training took more off the validation loss than it would
  of a process that has gone 98 % of its way. Halves are those of the sum of the learning rates
  (the measure of progress of Tissue et al. 2024, arXiv:2408.11029), since a schedule that ends at
  0 flattens every curve.
* *converged*: it took less off, and the rise since the least validation loss is below 2 %.

Where the rows are too few for each of these, there is no kind.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.kit.numbers import percent
from harness.records import Course, CourseKind, Noisy
from harness.stats import Floats
from harness.stats.repeated import Change, contrast, greatest_rise
from harness.verdicts.losses import Line, Losses, Side, read

ALPHA = 0.05
SETTLED = 0.02
"""Share of the way that is left to a process that is called settled."""
MOST_OF = 0.5
LEAST_POINTS = 3
"""A beginning, a middle and an end."""

_LOWER_RATE = (
    "Lower the learning rate (to a third, say) or warm up for longer; look at rows with wrong or "
    "very long answers where that does not help."
)
_PUT_OFF = "more rows, or more varied ones, put overfitting off."
_HIGHER_RATE = "or at a higher learning rate where that is low."
_NO_CHANGE = "More epochs at this learning rate would change little."
_MORE_ROWS = "More validation rows tell it, and so does a longer training."


def course(log: Sequence[Line]) -> Course | None:
    """What a training's log shows; None for a log without losses.

    Args:
        log: lines with ``step``, ``epoch`` and ``loss`` (of a step) or ``eval_loss``; beside these,
            ``learning_rate``, and ``eval_rows`` and ``train_rows``: ``losses`` (each row's sum),
            ``tokens`` (each row's number) and ``of`` (rows that there are).
    """
    found = read(log)
    if not found.steps and not found.points:
        return None
    judged = _blown_up(found) or _unknown(found) or _overfitting(found) or _direction(found)
    sentence = f"{judged.kind or 'cannot be told'}{judged.words}{_ending(found)}."
    return dataclasses.replace(
        _figures(found),
        kind=judged.kind,
        since=judged.since,
        sentence=sentence,
        advice=judged.advice,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A kind (or none), and what follows it in the sentence."""

    kind: CourseKind | None
    words: str
    advice: str
    since: float | None = None


def _blown_up(found: Losses) -> _Judged | None:
    """Whether a step lost more than half of what the steps before it had learned."""
    places = _of_whole_batches(found)
    rise = greatest_rise(found.by_step[places])
    if rise is None or rise.p >= ALPHA:
        return None
    begin, start, end = (places[place] for place in (0, rise.start, rise.end))
    first, low, top = (float(found.by_step[place]) for place in (begin, start, end))
    if top - low <= MOST_OF * (first - low):
        return None
    words = (
        f": the training loss rose from {_loss(low)} at step {found.steps[start]} to "
        f"{_loss(top)} at step {found.steps[end]}, {rise.z:.0f} times the noise of a step"
    )
    return _Judged("unstable", words, _LOWER_RATE, found.epochs[start])


def _of_whole_batches(found: Losses) -> list[int]:
    """The places of the steps but the last of each epoch, which learns from the rows that are left.

    All of them where each epoch is one step, or epochs are not told as fractions.
    """
    within = [place for place, epoch in enumerate(found.epochs) if epoch % 1]
    return within or list(range(len(found.epochs)))


def _unknown(found: Losses) -> _Judged | None:
    """Why nothing can be said of the validation loss."""
    if not found.points:
        return _Judged(None, ": there are no validation rows", "Set some aside (valid: 0.1).")
    if found.valid is None:
        return _Judged(None, ": the log has no losses of single rows, so no noise is known", "")
    count = len(found.valid.tokens)
    if count < 2:
        return _Judged(None, f": only {count} validation row was measured", _MORE_ROWS)
    if len(found.points) < LEAST_POINTS:
        return _Judged(None, f": the losses were measured {len(found.points)} times", _MORE_ROWS)
    return None


def _overfitting(found: Losses) -> _Judged | None:
    """Whether the validation loss ends above an earlier point, and whose doing that is."""
    valid, train = _sides(found)
    means, last = valid.means, len(found.points) - 1
    least = int(means.argmin())
    rises = [_change(valid, last, place).above_zero() for place in range(last)]
    size = float(means[last] - means[least])
    if min(rises) * last >= ALPHA or size <= SETTLED * float(means[0] - means[least]):
        return None
    rise = _change(valid, last, least)
    said = (
        f": the validation loss rose from {_loss(means[least])} at epoch "
        f"{found.point_epochs[least]:.3g} to {_loss(means[last])} ({_noisy(rise)}; "
        f"{_of_rows(valid)})"
    )
    since = found.point_epochs[least]
    if train is not None:
        also = _change(train, last, least)
        if also.above_zero() < ALPHA and also.value > MOST_OF * size:
            words = f"{said}, and so did the loss of training rows ({_noisy(also)})"
            return _Judged("unstable", words, _LOWER_RATE, since)
        said += f", while that of training rows ended at {_loss(train.means[last])}"
    return _Judged("overfitting", f" since epoch {since:.3g}{said}", _shorter(found), since)


def _direction(found: Losses) -> _Judged:
    """Whether the validation loss still falls, as far as the rows tell it."""
    valid, _ = _sides(found)
    means, last, half = valid.means, len(found.points) - 1, _half(found)
    fell = f"from {_loss(means[0])} to {_loss(means[last])}; {_of_rows(valid)}"
    if _change(valid, 0, last).above_zero() >= ALPHA:
        words = f": the validation loss did not fall by more than its noise ({fell})"
        return _Judged(None, words, f"{_MORE_ROWS} {_longer(found)}")
    limit = (SETTLED ** found.time[half] - SETTLED) / (1 - SETTLED)
    beyond = _change(valid, half, last, part=limit, of=(0, last))
    share = (means[half] - means[last]) / (means[0] - means[last])
    words = (
        f": {percent(float(share))} of the fall of the validation loss ({fell}) came in the second "
        f"half of the training, by learning rate"
    )
    if beyond.above_zero() < ALPHA:
        return _Judged("still learning", words, _longer(found))
    least = int(means.argmin())
    risen = _change(valid, last, least, part=SETTLED, of=(0, least))
    if beyond.below_zero() < ALPHA and risen.below_zero() < ALPHA:
        return _Judged("converged", words, _NO_CHANGE)
    return _Judged(None, f"{words}, and {_few(valid)} cannot say whether it goes on", _MORE_ROWS)


def _shorter(found: Losses) -> str:
    """What helps against overfitting, beside what was done against it already."""
    if found.kept is not None:
        return f"{_PUT_OFF[:1].upper()}{_PUT_OFF[1:]}"
    less = "Train for fewer epochs" if found.stopped is None else "Stop sooner (less patience)"
    return f"{less}, or keep the adapter with the least validation loss; {_PUT_OFF}"


def _longer(found: Losses) -> str:
    """What lets a training learn more; of one that was stopped, more epochs would not."""
    more = "for more epochs" if found.stopped is None else "on for longer (more patience)"
    return f"Train {more}, {_HIGHER_RATE}"


def _half(found: Losses) -> int:
    """The point nearest to half of the sum of the learning rates, between first and last."""
    return 1 + int(np.abs(found.time[1:-1] - 0.5).argmin())


def _change(
    side: Side, after: int, before: int, *, part: float = 0.0, of: tuple[int, int] = (0, 0)
) -> Change:
    """The loss at one point minus that at another, and minus a part of another such difference."""
    weights = np.zeros(len(side.sums))
    for place, weight in ((after, 1), (before, -1), (of[0], -part), (of[1], part)):
        weights[place] += weight
    return contrast(side.sums, side.tokens, weights)


def _sides(found: Losses) -> tuple[Side, Side | None]:
    assert found.valid is not None, "_unknown() has seen to it"
    return found.valid, found.train


def _figures(found: Losses) -> Course:
    """A course without its kind: the numbers alone."""
    least = int(found.eval_loss.argmin()) if found.points else None
    bare = Course(
        None, None, "",
        best_step=None if least is None else found.points[least],
        best_epoch=None if least is None else found.point_epochs[least],
        kept_step=found.kept, stopped_step=found.stopped,
    )  # fmt: skip
    valid, train = found.valid, found.train
    if valid is None:
        return bare
    last, means = len(found.points) - 1, valid.means
    least = int(means.argmin())
    bare = dataclasses.replace(
        bare,
        valid_rows=len(valid.tokens), valid_of=valid.of,
        train_rows=0 if train is None else len(train.tokens),
        gap=None if train is None else _gap(valid, train),
        rise=_as_noisy(_change(valid, last, least)),
    )  # fmt: skip
    if last + 1 < LEAST_POINTS or means[0] <= means[last]:
        return bare
    half = _half(found)
    share = float((means[half] - means[last]) / (means[0] - means[last]))
    return dataclasses.replace(bare, late_share=share, slope=_slope(found, valid, half))


def _gap(valid: Side, train: Side) -> Noisy:
    """Validation loss minus training loss at the end; the rows differ, so the variances add up."""
    last = np.zeros(len(valid.sums))
    last[-1] = 1
    of_valid, of_train = (contrast(side.sums, side.tokens, last) for side in (valid, train))
    known = of_valid.se is not None and of_train.se is not None
    noise = math.hypot(of_valid.se or 0.0, of_train.se or 0.0) if known else None
    return Noisy(of_valid.value - of_train.value, noise)


def _slope(found: Losses, valid: Side, half: int) -> Noisy | None:
    """Least squares over the epochs of the points from ``half`` on."""
    epochs: Floats = np.array(found.point_epochs[half:])
    centred = epochs - epochs.mean()
    if not centred.any():
        return None
    weights = np.zeros(len(valid.sums))
    weights[half:] = centred / (centred @ centred)
    return _as_noisy(contrast(valid.sums, valid.tokens, weights))


def _as_noisy(change: Change) -> Noisy:
    return Noisy(change.value, change.se)


def _ending(found: Losses) -> str:
    stopped = kept = ""
    if found.stopped is not None:
        stopped = f"; it was stopped early, after step {found.stopped}"
    if found.kept is not None:
        kept = f"; the model of step {found.kept} was kept, whose validation loss was least"
    return stopped + kept


def _loss(value: float) -> str:
    return f"{value:.3g}"


def _noisy(change: Change) -> str:
    return f"{change.value:+.2g}, standard error {change.se:.1g}"


def _few(side: Side) -> str:
    count = len(side.tokens)
    return f"{count} row{'s' if count > 1 else ''}"


def _of_rows(side: Side) -> str:
    count = len(side.tokens)
    return f"{count} of {side.of} rows" if side.of not in (None, count) else f"{count} rows"
