"""Questions about a function whose answers follow from its syntax tree, in one format each."""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from harness_sources import function_code
from harness_sources.function_code import Located
from harness_sources.python_files import PythonFile

Kind = Literal["parameters", "calls", "assigns", "returns", "raises", "defaults"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MAX_ITEMS = 3
MAX_ANSWER = 50
"""An answer has 1 to 3 items and at most 50 printable characters: short, for a small model."""

QUESTIONS: Mapping[Kind, str] = {
    "parameters": "Which parameters does this Python function take?",
    "calls": "Which functions does this Python function call?",
    "assigns": "Which names does this Python function assign to?",
    "returns": "Which values does this Python function return?",
    "raises": "Which exceptions does this Python function raise?",
    "defaults": "Which default values does this Python function have?",
}

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_Answer = list[str] | dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A function, and what it answers.

    Attributes:
        code: source text without the docstring, without its indentation.
        answers: kind of question -> answer as JSON text; only of kinds that have one here.
        form: function, method, class method, static method, property or async.
        number: line of the file at which the code begins.
    """

    module: str
    qualname: str
    code: str
    answers: Mapping[Kind, str]
    form: str
    number: int

    @property
    def id(self) -> str:
        return f"{self.module}:{self.qualname}"

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def read(file: PythonFile, least: int, most: int) -> list[Asked]:
    """The functions of a file with ``least`` to ``most`` characters of code and an answer.

    Raises:
        ValueError, SyntaxError, OSError, RecursionError, MemoryError: as
            :func:`harness_sources.function_code.parse`.
    """
    found, lines = function_code.parse(file.path)
    asked = []
    for item in found:
        code = None if _is_empty(item) else function_code.code_of(item, lines)
        if code is None or not least <= len(code) <= most:
            continue
        answers = answers_of(item)
        if answers:
            name = ".".join(item.path)
            asked.append(Asked(file.module, name, code, answers, item.kind, item.start))
    return asked


def _is_empty(function: Located) -> bool:
    """Nothing but a docstring, ``pass`` or ``...``."""
    return all(
        isinstance(item, ast.Pass)
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in function.node.body
    )


def answers_of(function: Located) -> dict[Kind, str]:
    """Kind of question -> answer as JSON text, without the kinds that do not apply.

    A function that defines others answers nothing: whose parameters would be meant?
    """
    inside = list(_inside(function.node))
    if any(isinstance(node, _SCOPES) for node in inside):
        return {}
    answers = {}
    for kind, answer in _ANSWERS.items():
        value = answer(function, inside)
        if value is None or not 1 <= len(value) <= MAX_ITEMS:
            continue
        text = json.dumps(value, ensure_ascii=False)
        if len(text) <= MAX_ANSWER and text.isprintable():
            answers[kind] = text
    return answers


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of the body, in the order of the text."""
    waiting = list(reversed(getattr(node, "body", ())))
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(list(ast.iter_child_nodes(found))))


def _parameters(function: Located, inside: list[ast.AST]) -> _Answer:
    return function_code.parameters(function)


def _calls(function: Located, inside: list[ast.AST]) -> _Answer:
    """Dotted names that are called, each once; none where something else is called."""
    names = [_dotted(node.func) for node in inside if isinstance(node, ast.Call)]
    return None if None in names else list(dict.fromkeys(filter(None, names)))


def _assigns(function: Located, inside: list[ast.AST]) -> _Answer:
    """Names and attributes that are assigned to, each once."""
    stored = [
        node
        for node in inside
        if isinstance(getattr(node, "ctx", None), ast.Store)
        and isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))
    ]
    names = [_dotted(node) for node in stored]
    return None if None in names else list(dict.fromkeys(filter(None, names)))


def _returns(function: Located, inside: list[ast.AST]) -> _Answer:
    """The expressions that are returned, each once."""
    values = [node.value for node in inside if isinstance(node, ast.Return) and node.value]
    return list(dict.fromkeys(map(ast.unparse, values)))


def _raises(function: Located, inside: list[ast.AST]) -> _Answer:
    """Name of the exception -> number of statements that raise it."""
    raised = [node.exc for node in inside if isinstance(node, ast.Raise)]
    names = [_dotted(exc.func if isinstance(exc, ast.Call) else exc) for exc in raised]
    return None if None in names else dict(Counter(filter(None, names)))


def _defaults(function: Located, inside: list[ast.AST]) -> _Answer:
    """Parameter -> its default value; none where one is no value of JSON."""
    spec = function.node.args
    positional = [*spec.posonlyargs, *spec.args]
    given = zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True)
    named = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    pairs = [(item.arg, value) for item, value in (*given, *named) if value is not None]
    if not all(_is_json(value) for _, value in pairs):
        return None
    return {name: ast.literal_eval(value) for name, value in pairs}


def _is_json(node: ast.expr) -> bool:
    """Whether an expression is a constant, or a number with a sign, that JSON has too."""
    signed = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    if not (signed or isinstance(node, ast.Constant)):
        return False
    try:
        value = ast.literal_eval(node)
    except ValueError:  # the sign of a name, of a string
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (str, bool, int))


def _dotted(node: ast.AST | None) -> str | None:
    """``self.lock.acquire`` as text; None for anything but names joined by dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


_ANSWERS: Mapping[Kind, Callable[[Located, list[ast.AST]], _Answer]] = {
    "parameters": _parameters,
    "calls": _calls,
    "assigns": _assigns,
    "returns": _returns,
    "raises": _raises,
    "defaults": _defaults,
}
