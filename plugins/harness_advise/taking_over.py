"""The settings by which a command takes over arms, or repeats them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.kit.text import ELLIPSIS, one_line
from harness.kit.yaml_file import key_value
from harness_advise.run import Document, Run

SEARCH = "search"
"""The name of the arm by which a search's winner meets the reference."""
WINNER = "best of search"
CUT = 75
"""Characters from which on a text that ends in an ellipsis may have been cut: keys are cut to 80,
and what stands before the ellipsis may have ended in a blank."""


def sets_of(run: Run, arm: Document) -> list[str] | None:
    """``KEY=VALUE`` of what makes the arm the run's own; a base model is set whole.

    The levers that the arms of the run came from are cleared: an arm whose settings are the run's
    own is refused. None where the document may not hold a value as the arm had it.
    """
    changed = dict(arm.get("changed") or {})
    words = []
    if arm.get("kind") == "model":
        names = [key for key in changed if key.count(".") == 1 and key.startswith("model.")]
        words.append(_model({key: changed.pop(key) for key in names}))
    words += [_word(key, text) for key, text in changed.items()]
    known = [word for word in words if word is not None]
    return [*known, *_cleared(run)] if len(known) == len(words) else None


def as_arms(arms: Sequence[Document]) -> str | None:
    """``arms=`` of these, of which the winner of a search has the name of one like the others."""
    found = []
    for arm in arms:
        changed = arm.get("changed") or {}
        if any(map(_cut, [*changed, *changed.values()])):
            return None
        name = WINNER if arm["name"] == SEARCH else arm["name"]
        found.append({"name": name, "set": {key: _value(text) for key, text in changed.items()}})
    return _same(f"arms={json.dumps(found, ensure_ascii=False)}", found)


def _model(changed: Document) -> str | None:
    """``model=`` with a mapping of these settings."""
    if any(map(_cut, [*changed, *changed.values()])):
        return None
    found = {key.removeprefix("model."): _value(text) for key, text in changed.items()}
    return _same(f"model={json.dumps(found, ensure_ascii=False)}", found)


def _word(key: str, text: str) -> str | None:
    """``KEY=VALUE`` of a setting as the summary shows it."""
    # A place in a list cannot be set where the run's own list is shorter.
    if _cut(key) or _cut(text) or any(part.isdigit() for part in key.split(".")):
        return None
    value = _value(text)
    bare = _same(f"{key}={text}", value)
    return bare or _same(f"{key}={json.dumps(value, ensure_ascii=False)}", value)


def _same(word: str, value: Any) -> str | None:
    """The word, if a command line that shows it in one line gives that value."""
    given = key_value(word)
    return word if given and given[1] == value and one_line(word) == word else None


def _cut(text: str) -> bool:
    """Whether the text was longer than the document holds it."""
    return text.endswith(ELLIPSIS) and len(text) >= CUT


def _cleared(run: Run) -> list[str]:
    settings = {arm.get("name") for arm in run.arms if arm.get("kind") == "settings"}
    given = {
        "arms=[]": bool(settings - {SEARCH}),
        "models=[]": any(arm.get("kind") == "model" for arm in run.arms),
        "search=null": SEARCH in settings or bool(run.levers.get("search")),
    }
    return [word for word, found in given.items() if found]


def _value(text: str) -> Any:
    """A setting as the summary shows it, as a config has it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
