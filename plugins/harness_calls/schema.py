"""The JSON Schema of a tool's arguments, as far as the comparison of two values needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_STEPS = 8
"""References and alternatives that are followed from one place of a schema."""
ABSENT: Any = object()
"""What is not given."""


@dataclass(frozen=True)
class Schema:
    """A place in a JSON Schema.

    Attributes:
        parts: what holds there: the schema itself, what ``$ref`` refers to, and what ``anyOf``,
            ``oneOf`` and ``allOf`` list.
        root: the whole, in which references are looked up.
    """

    parts: tuple[Mapping[str, Any], ...]
    root: Mapping[str, Any]

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Schema:
        """Of a tool's ``parameters``."""
        return cls(tuple(_parts(parameters, parameters, MOST_STEPS)), parameters)

    def member(self, name: str) -> Schema:
        """Of a member of an object."""
        for part in self.parts:
            properties = part.get("properties")
            if isinstance(properties, Mapping) and name in properties:
                return self._at(properties[name])
        return self._at({})

    @property
    def items(self) -> Schema:
        """Of the elements of a list."""
        return self._at(next((part["items"] for part in self.parts if "items" in part), {}))

    def requires(self, name: str) -> bool:
        """Whether a member must be given."""
        return any(name in _listed(part.get("required")) for part in self.parts)

    @property
    def default(self) -> Any:
        """The value of what is not given; :data:`ABSENT` where none is named."""
        return next((part["default"] for part in self.parts if "default" in part), ABSENT)

    @property
    def is_choice(self) -> bool:
        """Whether the values are listed."""
        return any("enum" in part or "const" in part for part in self.parts)

    def fits(self, value: Any, other: Any) -> bool:
        """Whether a value has a type that is named; where none is, that of another value."""
        types = {name for part in self.parts for name in _listed(part.get("type"))}
        types = types or {_type_of(other)}
        kind = _type_of(value)
        return kind in types or (kind == "integer" and "number" in types)

    def _at(self, schema: Any) -> Schema:
        return Schema(tuple(_parts(schema, self.root, MOST_STEPS)), self.root)


def _type_of(value: Any) -> str:
    """The type of a JSON value, in the words of JSON Schema; 2.0 is an integer there."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case Mapping():
            return "object"
    return "array"


def _parts(schema: Any, root: Mapping[str, Any], steps: int) -> Iterator[Mapping[str, Any]]:
    if not isinstance(schema, Mapping) or not steps:
        return
    yield schema
    if isinstance(place := schema.get("$ref"), str):
        yield from _parts(_referred(place, root), root, steps - 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for other in schema.get(key) or () if isinstance(schema.get(key), list) else ():
            yield from _parts(other, root, steps - 1)


def _referred(place: str, root: Mapping[str, Any]) -> Any:
    """What a JSON pointer within the schema leads to; None where it leads elsewhere."""
    if not place.startswith("#"):
        return None
    value: Any = root
    for step in place.removeprefix("#").split("/")[1:]:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
