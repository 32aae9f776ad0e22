"""What could be done next, with what it promises and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["shown", "likely", "open", "excluded"]
ROW_MINUTES = 1.0
"""Minutes of a person for a row that is written."""
READ_MINUTES = 0.5
"""Minutes of a person for a row that is read and mended."""
BEGIN_HOURS = 0.05
"""Added to every cost: nothing is free, and no quotient is infinite."""
DOUBT = 0.5
"""What a gain counts that signs speak for and no comparison has shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing that could be done.

    Attributes:
        lever: ``prompt``, ``settings``, ``model``, ``rows``, ``labels``, ``round``, ``replay``,
            ``metric``, ``ratings`` or ``stop``.
        state: ``shown``: a comparison has shown the gain. ``likely``: signs speak for it. ``open``:
            nothing is known, and ``command`` finds out. ``excluded``: it is not worth it.
        action: what to do, as a sentence without its end.
        gain, low, high: in the primary score, positive = better; None where not known.
        written, read: rows that a person would write, and read and mend.
        seconds: of computing.
        evidence: sentences.
        command: does it, or finds out; empty where there is none.
        urgency: of an open one: how many signs ask for it; below 0 where what was tried of it did
            not help.
    """

    lever: str
    state: State
    action: str
    evidence: tuple[str, ...] = ()
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    written: int = 0
    read: int = 0
    seconds: float = 0.0
    command: str = ""
    urgency: int = 0

    @property
    def hours(self) -> float:
        """Its cost: a person's time and that of the machine."""
        minutes = ROW_MINUTES * self.written + READ_MINUTES * self.read
        return minutes / 60 + self.seconds / 3600

    @property
    def worth(self) -> float:
        """Expected gain for an hour."""
        expected = (self.gain or 0.0) * (1.0 if self.state == "shown" else DOUBT)
        return expected / (self.hours + BEGIN_HOURS)
