"""The settings by which the next run takes over an arm."""

from __future__ import annotations

import json
from typing import Any

from harness_advise.run import Document, Run

SEARCH = "search"
"""The name of the arm by which a search's winner meets the reference."""


def sets_of(run: Run, arm: Document) -> list[str]:
    """``KEY=VALUE`` of what makes the arm the run's own; a base model is set whole.

    The levers that the arms of the run came from are cleared: an arm whose settings are the run's
    own is refused.
    """
    changed = {key: _value(text) for key, text in (arm.get("changed") or {}).items()}
    if arm.get("kind") == "model":
        model = {key.removeprefix("model."): value for key, value in changed.items()}
        return [f"model={json.dumps(model)}", *_cleared(run)]
    sets = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in changed.items()
    ]
    return [*sets, *_cleared(run)]


def _cleared(run: Run) -> list[str]:
    settings = {arm.get("name") for arm in run.arms if arm.get("kind") == "settings"}
    given = {
        "arms=[]": bool(settings - {SEARCH}),
        "models=[]": any(arm.get("kind") == "model" for arm in run.arms),
        "search=null": SEARCH in settings,
    }
    return [word for word, found in given.items() if found]


def _value(text: str) -> Any:
    """A setting as the summary shows it, as a config has it."""
    try:
        return json.loads(text)
    except ValueError:
        return text
