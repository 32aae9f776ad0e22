"""How much of the long tests runs: all of it with ``pytest --nightly``, a thin version without.

A test that is marked ``nightly`` runs there only. What it holds is held without the option too,
by a smaller test beside it: other rows, fewer kills, or fewer draws. Of one that is marked
``nightly(but_each=6)`` each sixth case runs without the option too.
"""

from __future__ import annotations

FULL = False
"""Set by ``tests/conftest.py`` before any test is collected."""


def draws(full: int, least: int = 20) -> int:
    """How often a simulation is repeated: ``full`` times, or a tenth of it (at least ``least``)."""
    return full if FULL else max(full // 10, min(full, least))
