"""Conditions under which a criterion is asked, as mappings of criteria.

    {accuracy: {below: 3}}                          also above, at_least and at_most
    {polite: no}                                    this value, as {is: no}
    {errors: {has: wrong facts}}                    among the choices that were made
    {accuracy: {below: 3}, polite: no}              all of these
    {any: [{accuracy: {below: 3}}, {polite: no}]}   one of these or more
    {not: {polite: no}}

A criterion that is unanswered or that could not be judged makes its test *unknown*, and unknown
is carried on as in Kleene's logic: ``not`` of it is unknown, too, *all* and ``any`` are known only
where another part decides. A criterion is asked only where its condition is known to hold, so
nothing is asked on the grounds of an answer that nobody has given yet.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Condition = Mapping[str, Any]

KEYWORDS = ("any", "not")
TESTS = {"is": "=", "below": "<", "at_most": "<=", "above": ">", "at_least": ">=", "has": "has"}
"""Word of a test -> its sign."""
_COMPARE = {
    "is": operator.eq, "below": operator.lt, "at_most": operator.le, "above": operator.gt,
    "at_least": operator.ge,
}  # fmt: skip
FORM = (
    "a condition is a mapping, as in {accuracy: {below: 3}} or {polite: no}; "
    "{any: [{accuracy: {below: 3}}, {polite: no}]} holds where one of these does"
)


def tree(condition: Condition) -> dict[str, Any]:
    """The condition with signs, for a page that knows no mappings.

    Returns:
        ``{"op": "and" | "or" | "not", "of": [...]}`` or
        ``{"op": "<", "criterion": "accuracy", "value": 3}``.
    """
    parts = [part for key, wanted in condition.items() for part in _parts(key, wanted)]
    return parts[0] if len(parts) == 1 else {"op": "and", "of": parts}


def _parts(key: str, wanted: Any) -> Iterator[dict[str, Any]]:
    if key == "any":
        yield {"op": "or", "of": [tree(inner) for inner in wanted]}
    elif key == "not":
        yield {"op": "not", "of": [tree(wanted)]}
    else:
        tests = wanted if isinstance(wanted, Mapping) else {"is": wanted}
        for word, value in tests.items():
            yield {"op": TESTS[word], "criterion": key, "value": value}


def evaluate(condition: Condition, values: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds; None where answers are missing that would decide it.

    Args:
        values: criterion id -> value; one that is absent or None counts as unknown.
    """
    return _all_hold([_holds(key, wanted, values) for key, wanted in condition.items()])


def _holds(key: str, wanted: Any, values: Mapping[str, Any]) -> bool | None:
    if key == "any":
        return _one_holds([evaluate(inner, values) for inner in wanted])
    if key == "not":
        inner = evaluate(wanted, values)
        return None if inner is None else not inner
    value = values.get(key)
    if not isinstance(wanted, Mapping):
        return _compare("is", wanted, value)
    return _all_hold([_compare(word, limit, value) for word, limit in wanted.items()])


def _all_hold(parts: Sequence[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _one_holds(parts: Sequence[bool | None]) -> bool | None:
    if True in parts:
        return True
    return None if None in parts else False


def _compare(word: str, wanted: Any, value: Any) -> bool | None:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if word == "has":
        return bool(wanted in value) if isinstance(value, (list, tuple)) else None
    # A value of any other kind is unknown: None says that it could not be judged.
    comparable = (str,) if isinstance(wanted, str) else (int, float)
    return bool(_COMPARE[word](value, wanted)) if isinstance(value, comparable) else None


def names_in(condition: Condition | None) -> frozenset[str]:
    """The criteria that a condition is about; none where there is no condition."""
    names: set[str] = set()
    for key, wanted in (condition or {}).items():
        if key == "any":
            for inner in wanted:
                names |= names_in(inner)
        elif key == "not":
            names |= names_in(wanted)
        else:
            names.add(key)
    return frozenset(names)


def in_words(condition: Condition) -> str:
    """A condition as raters read it: ``accuracy < 3 or polite = no``."""
    return _words(tree(condition))


def _words(node: Mapping[str, Any]) -> str:
    if "criterion" in node:
        return f"{node['criterion']} {node['op']} {node['value']}"
    parts = [
        _words(inner) if "criterion" in inner else f"({_words(inner)})" for inner in node["of"]
    ]
    return f"not {parts[0]}" if node["op"] == "not" else f" {node['op']} ".join(parts)
