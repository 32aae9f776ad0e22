"""The rule for searchers: what they propose follows from the record, and is one of their space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.boundary import searching as boundary
from harness.errors import NO_FAULT, PluginError
from harness.records import Trial
from harness.stages import Searcher
from harness.testing.outcomes import Failed, reason
from harness.testing.subject import Subject

_SEED, _MOST = 7, 6
_MEASURED = Trial(_MOST, {}, (1.0,), "done", course=(3.0, 2.0, 1.5))


def proposals(subject: Subject) -> str | None:
    """The same record and seed give the same values, of every key of the space, and within it."""
    kind: Any = type(subject.instance).Options
    if not issubclass(kind, Searcher.Options):
        mend = "Derive them from harness.Searcher.Options, which has trials, by, folds and seed"
        raise Failed("its Options lack those of a search", mend)
    mend = "Compute it from the arguments and the options alone; keep nothing between calls"
    try:
        space = boundary.space(subject.instance.space())
        trials = [Trial(0, {}, (1.0, 1.0), "done")]
        while len(trials) < _MOST:
            made, again = (
                _proposed(one, space, trials) for one in (subject.instance, subject.make())
            )
            if made != again:
                raise Failed(f"trial {len(trials)}: one record gives two proposals", mend)
            if made is None:
                break
            trials.append(Trial(len(trials), made, (1.0 + 1 / len(trials),) * 2, "done"))
        boundary.hopeless(subject.instance.hopeless((9.0,), tuple(trials), False))
        boundary.limits(subject.instance.limits((*trials, _MEASURED)))
    except PluginError as error:
        raise Failed(error.what, "Return what the docstrings of harness.Searcher say") from None
    except (*NO_FAULT, Failed):
        raise
    except Exception as error:
        raise Failed(f"it raises {reason(error)}", "Trials may lie outside of the space") from None
    return f"{len(trials) - 1} proposals of {len(space)} settings"


def _proposed(
    searcher: Searcher, space: Mapping[str, Sequence[Any]], trials: Sequence[Trial]
) -> dict[str, Any] | None:
    return boundary.proposal(searcher.propose(tuple(trials), _SEED, False), space)
