"""Conditions under which a criterion is asked: ``accuracy < 3 and relevance >= 2``.

    condition  = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" condition ")" | test
    test       = CRITERION ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "has" ) VALUE
    VALUE      = a number, a word, or "quoted text"

A criterion that is unanswered or that could not be judged makes its test *unknown*, and unknown
is carried on as in Kleene's logic: ``not`` of it is unknown, too, ``and`` and ``or`` are known
only where the other side decides. A criterion is asked only where its condition is known to hold,
so nothing is asked on the grounds of an answer that nobody has given yet.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from harness import ConfigError

Op = Literal["=", "!=", "<", "<=", ">", ">=", "has"]
OPS = ("=", "!=", "<", "<=", ">", ">=", "has")
KEYWORDS = ("and", "or", "not", "has")
LONGEST = 500
"""Characters of a condition."""
DEEPEST = 16
"""Brackets and ``not`` within one another."""

_TOKEN = re.compile(
    r"\s*(?:(?P<op><=|>=|!=|<|>|=)|(?P<bracket>[()])|\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<number>-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?![\w.-]))|(?P<word>[^\W\d][\w-]*))"
)


@dataclass(frozen=True, slots=True)
class Test:
    """One criterion compared with one value."""

    criterion: str
    op: Op
    value: float | str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    of: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Conditions that must all hold."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions of which one must hold."""

    of: tuple[Condition, ...]


Condition = Test | Not | All | AnyOf


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Condition:
    """The condition that a text says.

    Raises:
        ConfigError: it cannot be read; the message says where.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"a condition of at most {LONGEST} characters is needed")
    return _Parser(_tokens(text)).whole()


def evaluate(condition: Condition, values: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds; None where answers are missing that would decide it.

    Args:
        values: criterion id -> value; one that is absent or None counts as unknown.
    """
    if isinstance(condition, Test):
        return _compare(condition, values.get(condition.criterion))
    if isinstance(condition, Not):
        inner = evaluate(condition.of, values)
        return None if inner is None else not inner
    decisive = isinstance(condition, AnyOf)
    found = [evaluate(inner, values) for inner in condition.of]
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def tests(condition: Condition) -> Iterator[Test]:
    """All comparisons of a condition, from left to right."""
    if isinstance(condition, Test):
        yield condition
    elif isinstance(condition, Not):
        yield from tests(condition.of)
    else:
        for inner in condition.of:
            yield from tests(inner)


def unparse(condition: Condition) -> str:
    """Text that :func:`parse` reads as the same condition."""
    if isinstance(condition, Test):
        return f"{condition.criterion} {condition.op} {_written(condition.value)}"
    if isinstance(condition, Not):
        return f"not {_bracketed(condition.of)}"
    word = " and " if isinstance(condition, All) else " or "
    return word.join(_bracketed(inner) for inner in condition.of)


def tree(condition: Condition) -> dict[str, Any]:
    """The condition as JSON, for a page that has no parser.

    Returns:
        ``{"op": "and" | "or" | "not", "of": [...]}`` or
        ``{"op": "<", "criterion": "accuracy", "value": 3}``.
    """
    if isinstance(condition, Test):
        return {
            "op": condition.op,
            "criterion": condition.criterion,
            "value": condition.value,
        }
    if isinstance(condition, Not):
        return {"op": "not", "of": [tree(condition.of)]}
    op = "and" if isinstance(condition, All) else "or"
    return {"op": op, "of": [tree(inner) for inner in condition.of]}


def _compare(test: Test, given: Any) -> bool | None:
    value: Any = ("yes" if given else "no") if isinstance(given, bool) else given
    if test.op == "has":
        return test.value in value if isinstance(value, (list, tuple)) else None
    if isinstance(test.value, str):
        same = value == test.value if isinstance(value, str) else None
        return {"=": same, "!=": None if same is None else not same}.get(test.op)
    if not isinstance(value, (int, float)):
        return None
    return {
        "=": value == test.value,
        "!=": value != test.value,
        "<": value < test.value,
        "<=": value <= test.value,
        ">": value > test.value,
        ">=": value >= test.value,
    }[test.op]


def _written(value: float | str) -> str:
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return format(value, "f") if isinstance(value, float) else str(value)


def _bracketed(condition: Condition) -> str:
    text = unparse(condition)
    return text if isinstance(condition, Test) else f"({text})"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ConfigError(f"cannot be read from column {at + 1}: {text[at : at + 20]!r}")
        kind = str(match.lastgroup)
        quoted = kind in ("double", "single")
        found.append(_Token("text" if quoted else kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return [*found, _Token("end", "", end + 1)]


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    def whole(self) -> Condition:
        condition = self.any_of()
        if self.token.kind != "end":
            self.fail("'and', 'or' or the end")
        return condition

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def sees(self, word: str) -> bool:
        """Whether this keyword or bracket comes next; if so, it is taken."""
        found = self.token.kind in ("word", "bracket") and self.token.text == word
        self.at += found
        return found

    def any_of(self) -> Condition:
        found = [self.all_of()]
        while self.sees("or"):
            found.append(self.all_of())
        return AnyOf(tuple(found)) if len(found) > 1 else found[0]

    def all_of(self) -> Condition:
        found = [self.one()]
        while self.sees("and"):
            found.append(self.one())
        return All(tuple(found)) if len(found) > 1 else found[0]

    def one(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConfigError(f"more than {DEEPEST} brackets within one another")
        condition = self.inner()
        self.depth -= 1
        return condition

    def inner(self) -> Condition:
        if self.sees("not"):
            return Not(self.one())
        if not self.sees("("):
            return self.test()
        condition = self.any_of()
        if not self.sees(")"):
            self.fail("')'")
        return condition

    def test(self) -> Test:
        if self.token.kind != "word" or self.token.text in KEYWORDS:
            self.fail("the id of a criterion")
        criterion = self.take().text
        if self.token.text not in OPS or self.token.kind not in ("op", "word"):
            self.fail(f"one of {' '.join(OPS)}")
        op: Any = self.take().text
        return Test(criterion, op, self.value())

    def value(self) -> float | str:
        token = self.token
        if token.kind == "number":
            self.take()
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind != "text" and (token.kind != "word" or token.text in KEYWORDS):
            self.fail("a number, a word or a quoted text")
        return self.take().text

    def fail(self, needed: str) -> NoReturn:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text)
        raise ConfigError(f"column {token.column}: {needed} is needed, not {found}")
