"""The settings by which a command takes over an arm."""

from __future__ import annotations

import json
from typing import Any

from harness.kit.text import ELLIPSIS, one_line
from harness.kit.yaml_file import key_value
from harness_advise.run import Document, Run

SEARCH = "search"
"""The name of the arm by which a search's winner meets the reference."""
CUT = 75
"""Characters from which on a text that ends in an ellipsis may have been cut: keys are cut to 80,
and what stands before the ellipsis may have ended in a blank."""


def sets_of(run: Run, arm: Document) -> list[str] | None:
    """``KEY=VALUE`` of what makes the arm the run's own; a base model is set whole.

    The levers that the arms of the run came from are cleared: an arm whose settings are the run's
    own is refused. None where the document may not hold a value as the arm had it.
    """
    changed = dict(arm.get("changed") or {})
    if any(text.endswith(ELLIPSIS) and len(text) >= CUT for one in changed.items() for text in one):
        return None
    words = []
    if arm.get("kind") == "model":
        names = [key for key in changed if key.count(".") == 1 and key.startswith("model.")]
        model = {key.removeprefix("model."): _value(changed.pop(key)) for key in names}
        words.append(_word("model", json.dumps(model, ensure_ascii=False), model))
    words += [_word(key, text, _value(text)) for key, text in changed.items()]
    known = [word for word in words if word is not None]
    return [*known, *_cleared(run)] if len(known) == len(words) else None


def _value(text: str) -> Any:
    """A setting as the summary shows it, as a config has it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _word(key: str, text: str, value: Any) -> str | None:
    """``KEY=VALUE``; None where a command line that shows it in one line gives another value.

    A place in a list cannot be set where the run's own list is shorter.
    """
    if any(part.isdigit() for part in key.split(".")):
        return None
    for written in (text, json.dumps(value, ensure_ascii=False)):
        word = f"{key}={written}"
        read = key_value(word)
        if read and read[1] == value and one_line(word) == word:
            return word
    return None


def _cleared(run: Run) -> list[str]:
    settings = {arm.get("name") for arm in run.arms if arm.get("kind") == "settings"}
    levers = {
        "arms=[]": bool(settings - {SEARCH}),
        "models=[]": any(arm.get("kind") == "model" for arm in run.arms),
        "search=null": SEARCH in settings or bool(run.levers.get("search")),
    }
    return [word for word, is_there in levers.items() if is_there]
