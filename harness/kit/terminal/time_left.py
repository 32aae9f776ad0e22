"""How long a piece of work still takes, once its pace is steady enough to say it."""

from __future__ import annotations

from dataclasses import dataclass, field

STEADY = 1.5
"""How far the paces of the two halves may lie apart."""
SHARE = 0.05
"""Of all work, that the pace has to be known of."""
KEPT = 256
"""Points that are remembered; every other one is dropped where there are more."""


@dataclass(slots=True)
class TimeLeft:
    """How long the rest takes, by what was done by when.

    The pace is that of the second half of what is done, so that a slow beginning (a model that is
    loaded, a first batch) is forgotten. Its time is halved in turn: where one of these halves was
    much faster than the other the pace is not steady, and no time is known.
    """

    _points: list[tuple[float, float]] = field(default_factory=list)
    """Time in seconds and amount done, both rising."""

    def reached(self, now: float, done: float) -> None:
        """So much is done at this time; less than before begins a new piece of work."""
        last = self._points[-1][1] if self._points else -1.0
        if done == last:
            return
        if done < last:
            self._points.clear()
        self._points.append((now, done))
        if len(self._points) > KEPT:
            self._points = [self._points[0], *self._points[1:-1][1::2], self._points[-1]]

    def seconds(self, total: float) -> float | None:
        """Seconds from the last report on, at the pace until then; None if not known."""
        if len(self._points) < 3:
            return None
        end, done = self._points[-1]
        begun = max(at for at, (_, n) in enumerate(self._points) if at == 0 or n <= done / 2)
        (start, first), *inner, _ = self._points[begun:]
        if not inner or done - first < SHARE * total:
            return None
        middle = (start + end) / 2
        # The report that is nearest to the middle: work may come in few large pieces.
        at, half = min(inner, key=lambda point: abs(point[0] - middle))
        if not start < at < end:
            return None
        before, after = (half - first) / (at - start), (done - half) / (end - at)
        if max(before / after, after / before) > STEADY:
            return None
        return max(0.0, total - done) * (end - start) / (done - first)
