"""Settings by search: what is tried next, by what was measured so far."""

from __future__ import annotations

import harness
from harness_search.tpe import Optuna


@harness.hookimpl
def register_searchers() -> list[type[harness.Searcher]]:
    return [Optuna]
