"""Calls of tools out of a model's answer, in the form in which its own chat template writes them.

The form is learned from the template: it renders calls, and what stands around the JSON of them is
the form. So the tags of Hermes and Qwen, ``[TOOL_CALLS]`` of Mistral, the bare JSON of Llama 3 and
those of later families are read without a list of families.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import harness
from harness.kit.tool_calls import calls_in, json_values

PROBES = (
    harness.ToolCall("probe_call", {"probe_key": "probe value"}),
    harness.ToolCall("other_call", {"probe_key": "other value"}),
)
PROBE_TOOLS = tuple(
    {
        "type": "function",
        "function": {
            "name": call.name,
            "description": "A probe.",
            "parameters": {
                "type": "object",
                "properties": {"probe_key": {"type": "string", "description": "A key."}},
                "required": ["probe_key"],
            },
        },
    }
    for call in PROBES
)
_NAME = re.compile(r"\s*([\w.:-]+)\s*")
_SEPARATOR = re.compile(r"\s*[;,]?\s*")
_PYTHON_TAG = "<|python_tag|>"
"""Llama 3 may write it before a call; its template does not."""


@dataclass(frozen=True, slots=True)
class CallForm:
    """How a model writes calls.

    White space counts nowhere.

    Attributes:
        begin: what stands before the first call; empty where the answer is bare JSON.
        middle: what stands between a function's name and its arguments where these alone are
            JSON; None where the name is in the JSON, too.
        between: what stands between two calls.
        end: what stands after the last.
    """

    begin: str = ""
    middle: str | None = None
    between: str = ""
    end: str = ""

    def read(self, text: str) -> harness.Answer | None:
        """What is said and called; None where no call is made, or not in this form."""
        text = text if self.begin else text.strip().removeprefix(_PYTHON_TAG)
        begins = _loose(self.begin).search(text)
        # Bare JSON is a call only where the answer is nothing else.
        if begins is None or (not self.begin and text.strip()[:1] not in ("{", "[")):
            return None
        calls, place = list[harness.ToolCall](), begins.end()
        following: re.Match[str] | None = begins
        while following is not None:
            call = self._call(text, following.end())
            if call is None and (not calls or following[0].strip()):
                return None
            if call is None:
                break
            calls += call[0]
            place = call[1]
            following = self._following(text, place)
        ends = _loose(self.end).match(text, place)
        rest = text[ends.end() if ends else place :]
        said = "\n".join(part.strip() for part in (text[: begins.start()], rest) if part.strip())
        return harness.Answer(said, tuple(calls)) if self.begin or not said else None

    def _following(self, text: str, place: int) -> re.Match[str] | None:
        """What stands between a call and the next, if one may follow."""
        if self.begin and (again := _loose(f"{self.end} {self.begin}").match(text, place)):
            return again
        between = _loose(self.between) if self.between else _SEPARATOR
        return between.match(text, place)

    def _call(self, text: str, place: int) -> tuple[tuple[harness.ToolCall, ...], int] | None:
        """The calls that stand at a place, and where they end."""
        name = None
        if self.middle is not None:
            name = _NAME.match(text, place)
            follows = _loose(self.middle).match(text, name.end()) if name else None
            if follows is None:
                return None
            place = follows.end()
        start, end, value = next(json_values(text[place:]), (0, 0, None))
        if text[place : place + start].strip():
            return None
        if name is None:
            calls = calls_in(value)
        else:
            calls = (harness.ToolCall(name[1], value),) if isinstance(value, dict) else ()
        return (calls, place + end) if calls else None


def learned_form(rendered: Callable[[harness.Answer], str]) -> CallForm | None:
    """The form of calls that a chat template writes.

    Args:
        rendered: an answer as the template writes it, without the end of the turn.

    Returns:
        None where a call does not stand there as JSON.

    Raises:
        DataError: the template refuses an answer that calls a tool.
    """
    first, second = PROBES
    text = rendered(harness.Answer("", (first,)))
    place = _placed(text, first)
    if place is None:
        return None
    start, middle, end = place
    form = CallForm(text[:start].strip(), middle, end=text[end:].strip())
    try:
        both = rendered(harness.Answer("", PROBES))
    except harness.DataError:
        return form  # Llama 3.1's template takes a single call
    other = _placed(both, second)
    if other is None or both[:end] != text[:end]:
        return form  # a list of calls
    return CallForm(form.begin, middle, both[end : other[0]].strip(), both[other[2] :].strip())


def _placed(text: str, probe: harness.ToolCall) -> tuple[int, str | None, int] | None:
    """Where a call begins and ends, and what stands between its name and its arguments."""
    for start, end, value in json_values(text):
        if calls_in(value) == (probe,):
            return start, None, end
        if value == dict(probe.arguments) and probe.name in text[:start]:
            name = text.rindex(probe.name, 0, start)
            return name, text[name + len(probe.name) : start].strip(), end
    return None


def _loose(mark: str) -> re.Pattern[str]:
    """A mark, with any white space before, in and behind it."""
    return re.compile(r"\s*".join(["", *map(re.escape, mark.split()), ""]))
