"""Functions of one Python file: their code without the docstring, and its first line."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness_sources import function_code
from harness_sources.function_code import FunctionNode, Located
from harness_sources.python_files import PythonFile

MIN_LINE, MAX_LINE = 15, 160

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_UNWANTED = re.compile(r"^(?:>>>|[-=*.:_|+~]{3,}|deprecated\b|internal\b|todo\b|fixme\b)", re.I)
_SIGNATURE = re.compile(r"^[\w.]+ ?\(|->|^[\w-]+ = ")  # or a rule of a grammar
# Words that functions usually begin with; any other is `other`, so that slices stay large.
_VERBS = frozenset(
    word
    for line in (
        "add build call check clear close create decode delete do encode end feed fetch find flush",
        "format from get handle has init insert is iter join list load make open parse pop put",
        "quote read remove replace reset run send set show skip split start stop test to unquote",
        "update visit wait walk write",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a row of data needs it.

    Attributes:
        code: source text without the docstring, without its indentation.
        line: the cleaned first line of the docstring.
        kind: function, method, class method, static method, property or async.
        args: number of parameters, ``self`` and ``cls`` not counted.
        number: line of the file at which the code begins.
    """

    module: str
    qualname: str
    code: str
    line: str
    kind: str
    args: int
    number: int

    @property
    def id(self) -> str:
        return f"{self.module}:{self.qualname}"

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]

    @property
    def verb(self) -> str:
        """First word of the function's *name*: ``get``, ``is``, …, ``special`` or ``other``."""
        name = self.qualname.rpartition(".")[2]
        if name.startswith("__") and name.endswith("__"):
            return "special"
        words = _WORDS.findall(name)
        first = words[0].lower() if words else ""
        return first if first in _VERBS else "other"


def read(file: PythonFile, least: int, most: int) -> list[Function]:
    """The usable functions of a file, whose code has ``least`` to ``most`` characters.

    Raises:
        ValueError, OSError: the file is no Python source that this interpreter can read.
    """
    found, lines = function_code.parse(file.path)
    usable = [_function(file.module, item, lines) for item in found]
    return [item for item in usable if item and least <= len(item.code) <= most]


def _function(module: str, found: Located, lines: Sequence[str]) -> Function | None:
    line = _first_line(found.node)
    if line is None or _is_stub(found.node):
        return None
    code = function_code.code_of(found, lines)
    if code is None or line.casefold().rstrip(".") in code.casefold():
        return None  # a comment that says the answer
    args = len(function_code.parameters(found))
    return Function(module, ".".join(found.path), code, line, found.kind, args, found.start)


def _first_line(node: FunctionNode) -> str | None:
    text = ast.get_docstring(node)
    if not text:
        return None
    first, *rest = text.split("\n")
    line = " ".join(first.split())
    goes_on = bool(rest and rest[0].strip()) and not line.endswith((".", "!", "?", ":"))
    wanted = MIN_LINE <= len(line) <= MAX_LINE and len(line.split()) >= 3 and line.isprintable()
    if goes_on or not wanted or _UNWANTED.match(line) or _SIGNATURE.search(line):
        return None
    return line


def _is_stub(node: FunctionNode) -> bool:
    """Nothing below the docstring that a reader could learn from."""
    return all(
        isinstance(item, (ast.Pass, ast.Raise))
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in node.body[1:]
    )
