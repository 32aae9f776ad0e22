"""What a baseline hands over, checked: it asks what was asked, and shows no held-out row."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.boundary import results
from harness.boundary.record_checks import short
from harness.errors import PluginError
from harness.kit.text import given, one_line
from harness.records import Example, Message

SYSTEM = ("system", "developer")
ROLES = (*SYSTEM, "user", "assistant")
"""Of turns that may stand before a prompt."""
_DUE = f"one of {', '.join(ROLES)}"
TOLD = 400
"""Characters of what a baseline says of itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """Prompts that must not be shown.

    Attributes:
        prompts: of rows of dev and test, but for texts that users say in train, too.
        families: what users say in train -> the families in which they say it.
    """

    prompts: Collection[str]
    families: Mapping[str, Collection[str]]

    def refuses(self, text: str, family: str) -> str:
        """Why the prompt of a row of that family must not show this text, or an empty string."""
        if text in self.prompts:
            return "a row of dev or test"
        if set(self.families.get(text, ())) == {family}:
            return "a row that belongs together with it"
        return ""


def prompts(values: Any, asked: Sequence[Example], held: Held) -> Iterator[Example]:
    """One row for each that was asked for, in order: the row itself, with other turns before.

    Args:
        asked: each with its family as ``group``.
    """
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise _wrong(f"prompts() is {given(values)}, where an iterable of harness.Example is due")
    found = iter(values)
    for row in asked:
        what = f"prompts() for '{short(row.id)}'"
        made = results.example(next(found, None), what)
        if made.id != row.id:
            raise _wrong(f"{what}: id is '{short(made.id)}', where the id of the row is due")
        own = _spoken(row)
        if not own or list(made.messages[-len(own) :]) != own:
            raise _wrong(f"{what}: its last turns are not those of the row")
        _check_added(made.messages[: -len(own)], row, held, what)
        # A copy: nobody may change afterwards what has passed.
        yield replace(row.as_asked(), messages=copy.deepcopy(made.messages))


def told(value: Any) -> str:
    """What a baseline says that it puts before the prompts."""
    if not isinstance(value, str) or not value.strip():
        raise _wrong(f"told() is {given(value)}, where a line of text is due")
    return one_line(value, TOLD)


def _spoken(row: Example) -> list[Message]:
    """The turns of a row without those of the system."""
    return [turn for turn in row.messages if turn.get("role") not in SYSTEM]


def _check_added(added: Sequence[Message], row: Example, held: Held, what: str) -> None:
    for turn in added:
        role, content = turn.get("role"), turn.get("content")
        if role not in ROLES:
            raise _wrong(f"{what}: the role of a turn is {given(role)}, where {_DUE} is due")
        shown = content if role == "user" and isinstance(content, str) else None
        if shown is not None and (why := held.refuses(shown, row.group)):
            raise _wrong(f"{what}: it shows {why}")


def _wrong(what: str) -> PluginError:
    return PluginError(what, hint="correct the plugin")
