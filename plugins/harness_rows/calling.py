"""Tools and their calls as public data sets write them, in the form that chat templates take."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness import Answer

_TYPES = {
    "str": "string", "string": "string", "text": "string", "int": "integer", "integer": "integer",
    "float": "number", "number": "number", "bool": "boolean", "boolean": "boolean",
    "list": "array", "array": "array", "tuple": "array", "set": "array", "dict": "object",
    "object": "object",
}  # fmt: skip
"""Types of Python, as xLAM's parameters have them -> JSON Schema's."""
_SHORT = {"type", "description", "default", "required"}
_TYPE = re.compile(r"(\w*)(?:\[(\w+))?")
_TOOLS = re.compile(r"<tools>(.*?)</tools>", re.DOTALL)
_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESULT = re.compile(r"<tool_response>(.*?)</tool_response>", re.DOTALL)


class BadTurnError(ValueError):
    """A turn that cannot be read, or whose calls do not fit the row; its text is the reason."""


def listed(value: Any) -> list[Any] | None:
    """A list, also where it is written as JSON in a text (as tables have to)."""
    if isinstance(value, list):
        return value
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        parsed = _parsed(value)
        return parsed if isinstance(parsed, list) else None
    return None


def calls_of(value: Any) -> list[dict[str, Any]]:
    """Calls of tools as chat templates take them: their arguments are objects, not JSON texts.

    Raises:
        BadTurnError: one has no name.
    """
    if isinstance(value, str):
        value = _parsed(value)
    calls = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    as_read = []
    for call in calls:
        inner = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
            raise BadTurnError("a call of a tool must have a `name` and `arguments`")
        arguments = inner.get("arguments", {})
        if isinstance(arguments, str):
            parsed = _parsed(arguments or "{}")
            arguments = parsed if isinstance(parsed, dict) else arguments
        outer = {key: call[key] for key in ("id",) if inner is not call and call.get(key)}
        function = {"name": inner["name"], "arguments": arguments}
        as_read.append({**outer, "type": "function", "function": function})
    return as_read


def tool_of(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tool's schema as chat templates take it.

    Some data sets have only its inner part, and xLAM's parameters are no JSON Schema. Tables fill
    objects up with the keys of all rows: what is null is left out.
    """
    tool = _without_nulls(tool)
    bare = "function" not in tool and "name" in tool and tool.get("type") in (None, "function")
    inner = {key: tool[key] for key in tool if key != "type"} if bare else tool.get("function")
    if not isinstance(inner, Mapping):
        return tool
    parameters = inner.get("parameters")
    if isinstance(parameters, Mapping) and _is_short(parameters):
        inner = {**inner, "parameters": _schema(parameters)}
    return {"type": "function", "function": inner}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(of) for key, of in value.items() if of is not None}
    return [_without_nulls(of) for of in value] if isinstance(value, list) else value


def _is_short(parameters: Mapping[str, Any]) -> bool:
    """Whether these are xLAM's: names of parameters with a description and a type of Python."""
    return bool(parameters) and all(
        isinstance(value, Mapping) and isinstance(value.get("type"), str) and value.keys() <= _SHORT
        for value in parameters.values()
    )


def _schema(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    properties, required = {}, []
    for name, parameter in parameters.items():
        [(outer, inner)] = _TYPE.findall(parameter["type"])[:1]
        schema: dict[str, Any] = {**parameter, "type": _TYPES.get(outer.casefold(), "string")}
        if schema["type"] == "array" and inner and (item := _TYPES.get(inner.casefold())):
            schema["items"] = {"type": item}
        properties[name] = schema
        if "optional" not in parameter["type"] and "default" not in parameter:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def tools_told(system: object) -> list[Mapping[str, Any]]:
    """The tools that Hermes's system turn lists between ``<tools>`` tags; empty without them."""
    told = _TOOLS.search(system) if isinstance(system, str) else None
    if told is None:
        return []
    tools = listed(told[1].strip()) or [_parsed(line) for line in told[1].strip().splitlines()]
    return [tool for tool in tools if isinstance(tool, Mapping)]


def untagged(
    turns: Iterable[dict[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Turns with the calls and results that Hermes's rows have as tagged texts.

    The system turn that lists the tools is left out: the model's template lists them. So are
    arguments that are null and that the tool does not know, with which tables fill objects up.

    Raises:
        BadTurnError: what stands between the tags of a call is none.
    """
    plain: list[dict[str, Any]] = []
    for turn in turns:
        role, text = turn["role"], str(turn["content"])
        if role == "system" and tools_told(text):
            continue
        if role == "assistant" and (tagged := _CALL.findall(text)):
            calls = [call for inner in tagged for call in calls_of(inner) or calls_of([inner])]
            turn = {**turn, "content": _CALL.sub("", text).strip(), "tool_calls": calls}
        if role == "tool" and (results := _RESULT.findall(text)):
            plain += [{**turn, "content": result.strip()} for result in results]
            continue
        for call in turn.get("tool_calls") or ():
            function = call["function"]
            if isinstance(function["arguments"], dict):
                known = _parameters(function["name"], tools)
                function["arguments"] = {
                    name: value
                    for name, value in function["arguments"].items()
                    if value is not None or name in known
                }
        plain.append(turn)
    return plain


def _parameters(name: str, tools: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, Mapping) and function.get("name") == name:
            parameters = function.get("parameters")
            inner = parameters.get("properties") if isinstance(parameters, Mapping) else None
            return inner if isinstance(inner, Mapping) else {}
    return {}


def answer_of(turn: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> Answer:
    """What an assistant's turn that calls tools is as an answer.

    Raises:
        BadTurnError: the row has no tools, or a call is of none of them or has arguments that are
            no object.
    """
    calls = turn["tool_calls"]
    if not tools:
        raise BadTurnError("the last turn calls a tool, and the row has no `tools`")
    known = {tool.get("function", tool).get("name") for tool in tools}
    for call in calls:
        function = call.get("function", call)
        name, arguments = function.get("name"), function.get("arguments")
        if name not in known:
            name = json.dumps(name, default=repr)[:60]
            raise BadTurnError(f"the last turn calls {name}, which is none of the row's `tools`")
        if not isinstance(arguments, Mapping):
            raise BadTurnError(f"the arguments of the call of {name} are no JSON object")
    return Answer.of(turn)


def _parsed(text: str) -> Any:
    """The value of JSON, or None where the text is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
