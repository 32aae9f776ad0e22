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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.kit.numbers import percent
from harness.records import Course, CourseKind
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
    losses = read(log)
    if not losses.steps and not losses.points:
        return None
    judged = _blown_up(losses) or _unknown(losses) or _overfitting(losses) or _direction(losses)
    sentence = f"{judged.kind or 'cannot be told'}{judged.words}{_ending(losses)}."
    valid = losses.valid
    return Course(
        judged.kind,
        judged.since,
        sentence,
        judged.advice,
        valid_rows=0 if valid is None else len(valid.tokens),
        valid_of=None if valid is None else valid.of,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A kind (or none), and what follows it in the sentence."""

    kind: CourseKind | None
    words: str
    advice: str
    since: float | None = None


def _blown_up(losses: Losses) -> _Judged | None:
    """Whether a step lost more than half of what the steps before it had learned."""
    places = _of_whole_batches(losses)
    rise = greatest_rise(losses.by_step[places])
    if rise is None or rise.p >= ALPHA:
        return None
    begin, start, end = (places[place] for place in (0, rise.start, rise.end))
    first, low, top = (float(losses.by_step[place]) for place in (begin, start, end))
    if top - low <= MOST_OF * (first - low):
        return None
    words = (
        f": the training loss rose from {_loss(low)} at step {losses.steps[start]} to "
        f"{_loss(top)} at step {losses.steps[end]}, {rise.z:.0f} times the noise of a step"
    )
    return _Judged("unstable", words, _LOWER_RATE, losses.epochs[start])


def _of_whole_batches(losses: Losses) -> list[int]:
    """The places of the steps but the last of each epoch, which learns from the rows that are left.

    All of them where each epoch is one step, or epochs are not told as fractions.
    """
    within = [place for place, epoch in enumerate(losses.epochs) if epoch % 1]
    return within or list(range(len(losses.epochs)))


def _unknown(losses: Losses) -> _Judged | None:
    """Why nothing can be said of the validation loss."""
    if not losses.points:
        return _Judged(None, ": there are no validation rows", "Set some aside (valid: 0.1).")
    if losses.valid is None:
        return _Judged(None, ": the log has no losses of single rows, so no noise is known", "")
    count = len(losses.valid.tokens)
    if count < 2:
        return _Judged(None, f": only {count} validation row was measured", _MORE_ROWS)
    if len(losses.points) < LEAST_POINTS:
        return _Judged(None, f": the losses were measured {len(losses.points)} times", _MORE_ROWS)
    return None


def _overfitting(losses: Losses) -> _Judged | None:
    """Whether the validation loss ends above an earlier point, and whose doing that is."""
    valid, train = _sides(losses)
    means, last = valid.means, len(losses.points) - 1
    least = int(means.argmin())
    rises = [_change(valid, last, place).above_zero() for place in range(last)]
    size = float(means[last] - means[least])
    # Times their number (Bonferroni): the end is compared with every earlier point.
    if min(rises) * last >= ALPHA or size <= SETTLED * float(means[0] - means[least]):
        return None
    rise = _change(valid, last, least)
    rose = (
        f": the validation loss rose from {_loss(means[least])} at epoch "
        f"{losses.point_epochs[least]:.3g} to {_loss(means[last])} ({_with_error(rise)}; "
        f"{_of_rows(valid)})"
    )
    since = losses.point_epochs[least]
    if train is not None:
        train_rise = _change(train, last, least)
        if train_rise.above_zero() < ALPHA and train_rise.value > MOST_OF * size:
            words = f"{rose}, and so did the loss of training rows ({_with_error(train_rise)})"
            return _Judged("unstable", words, _LOWER_RATE, since)
        rose += f", while that of training rows ended at {_loss(train.means[last])}"
    return _Judged("overfitting", f" since epoch {since:.3g}{rose}", _shorter(losses), since)


def _direction(losses: Losses) -> _Judged:
    """Whether the validation loss still falls, as far as the rows tell it."""
    valid, _ = _sides(losses)
    means, last, half = valid.means, len(losses.points) - 1, _half(losses)
    fell = f"from {_loss(means[0])} to {_loss(means[last])}; {_of_rows(valid)}"
    if _change(valid, 0, last).above_zero() >= ALPHA:
        words = f": the validation loss did not fall by more than its noise ({fell})"
        return _Judged(None, words, f"{_MORE_ROWS} {_longer(losses)}")
    # What a process exp(-t), of which 2 % are left at the end, loses after the point `half`.
    limit = (SETTLED ** losses.time[half] - SETTLED) / (1 - SETTLED)
    beyond = _change(valid, half, last, part=limit, of=(0, last))
    share = (means[half] - means[last]) / (means[0] - means[last])
    words = (
        f": {percent(float(share))} of the fall of the validation loss ({fell}) came in the second "
        f"half of the training, by learning rate"
    )
    if beyond.above_zero() < ALPHA:
        return _Judged("still learning", words, _longer(losses))
    least = int(means.argmin())
    risen = _change(valid, last, least, part=SETTLED, of=(0, least))
    if beyond.below_zero() < ALPHA and risen.below_zero() < ALPHA:
        return _Judged("converged", words, _NO_CHANGE)
    return _Judged(None, f"{words}, and {_few(valid)} cannot say whether it goes on", _MORE_ROWS)


def _shorter(losses: Losses) -> str:
    """What helps against overfitting, beside what was done against it already."""
    if losses.kept is not None:
        return f"{_PUT_OFF[:1].upper()}{_PUT_OFF[1:]}"
    less = "Train for fewer epochs" if losses.stopped is None else "Stop sooner (less patience)"
    return f"{less}, or keep the adapter with the least validation loss; {_PUT_OFF}"


def _longer(losses: Losses) -> str:
    """What lets a training learn more; of one that was stopped, more epochs would not."""
    more = "for more epochs" if losses.stopped is None else "on for longer (more patience)"
    return f"Train {more}, {_HIGHER_RATE}"


def _half(losses: Losses) -> int:
    """The point nearest to half of the sum of the learning rates, between first and last."""
    return 1 + int(np.abs(losses.time[1:-1] - 0.5).argmin())


def _change(
    side: Side, after: int, before: int, *, part: float = 0.0, of: tuple[int, int] = (0, 0)
) -> Change:
    """The loss at one point minus that at another, and minus a part of another such difference."""
    weights = np.zeros(len(side.sums))
    for place, weight in ((after, 1), (before, -1), (of[0], -part), (of[1], part)):
        weights[place] += weight
    return contrast(side.sums, side.tokens, weights)


def _sides(losses: Losses) -> tuple[Side, Side | None]:
    assert losses.valid is not None, "_unknown() has seen to it"
    return losses.valid, losses.train


def _ending(losses: Losses) -> str:
    stopped = best = ""
    if losses.stopped is not None:
        stopped = f"; it was stopped early, after step {losses.stopped}"
    if losses.kept is not None:
        best = f"; the model of step {losses.kept} was kept, "
        best += "which scored best on valid" if losses.scored else "whose validation loss was least"
    return stopped + best


def _loss(value: float) -> str:
    return f"{value:.3g}"


def _with_error(change: Change) -> str:
    return f"{change.value:+.2g}, standard error {change.se:.1g}"


def _few(side: Side) -> str:
    count = len(side.tokens)
    return f"{count} row{'s' if count > 1 else ''}"


def _of_rows(side: Side) -> str:
    count = len(side.tokens)
    return f"{count} of {side.of} rows" if side.of not in (None, count) else f"{count} rows"
