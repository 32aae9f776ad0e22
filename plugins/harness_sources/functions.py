"""Functions of one Python file: their code without the docstring, and its first line."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness_sources.python_files import PythonFile

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
MIN_LINE, MAX_LINE = 15, 160

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_UNWANTED = re.compile(r"^(?:>>>|[-=*.:_|+~]{3,}|deprecated\b|internal\b|todo\b|fixme\b)", re.I)
_SIGNATURE = re.compile(r"^[\w.]+ ?\(|->|^[\w-]+ = ")  # or a rule of a grammar
_KINDS = {
    "property": "property", "cached_property": "property", "setter": "property",
    "getter": "property", "deleter": "property", "abstractproperty": "property",
    "classmethod": "class method", "staticmethod": "static method",
}  # fmt: skip
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
    text = _text(file.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's files
        tree = ast.parse(text)
    lines = text.split("\n")
    found = []
    for node, path, in_class in _functions(tree, (), False):
        function = _function(file.module, node, path, in_class, lines)
        if function and least <= len(function.code) <= most:
            found.append(function)
    return found


def _text(path: Path) -> str:
    try:
        with tokenize.open(path) as stream:  # honours the file's coding line
            return stream.read()
    except (SyntaxError, LookupError) as error:
        raise ValueError(f"{path}: {error}") from error


def _functions(
    node: ast.AST, path: tuple[str, ...], in_class: bool
) -> Iterator[tuple[FunctionNode, tuple[str, ...], bool]]:
    """Functions of modules and classes; those inside functions belong to their outer code."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            yield child, (*path, child.name), in_class
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, (*path, child.name), True)
        elif isinstance(child, (ast.If, ast.Try, ast.ExceptHandler, ast.With)):
            yield from _functions(child, path, in_class)


def _function(
    module: str,
    node: FunctionNode,
    path: tuple[str, ...],
    in_class: bool,
    lines: Sequence[str],
) -> Function | None:
    line = _first_line(node)
    if line is None or _is_stub(node):
        return None
    start = min([node.lineno, *(item.lineno for item in node.decorator_list)])
    code = _code(node, start, lines)
    if code is None or line.casefold().rstrip(".") in code.casefold():
        return None  # a comment that says the answer
    kind = _kind(node, in_class)
    return Function(module, ".".join(path), code, line, kind, _args(node, kind), start)


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


def _code(node: FunctionNode, start: int, lines: Sequence[str]) -> str | None:
    """As :func:`ast.get_source_segment` (which splits the whole file anew at each call), with
    decorators and without the docstring's lines; None where the docstring shares a line."""
    doc = node.body[0]
    assert node.end_lineno is not None and doc.end_lineno is not None
    before = lines[doc.lineno - 1].encode()[: doc.col_offset]
    after = lines[doc.end_lineno - 1].encode()[doc.end_col_offset :].strip()
    if before.strip() or (after and not after.startswith(b"#")):
        return None
    head = lines[start - 1 : doc.lineno - 1]
    body = lines[doc.end_lineno : node.end_lineno]
    while body and not body[0].strip():
        body = body[1:]
    last = lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()
    return "\n".join(_outdent([*head, *body[:-1], last], node.col_offset)).rstrip()


def _outdent(lines: Sequence[str], indent: int) -> list[str]:
    # Lines inside a string may begin further left than the function; those stay.
    return [line[indent:] if not line[:indent].strip() else line for line in lines]


def _kind(node: FunctionNode, in_class: bool) -> str:
    if isinstance(node, ast.AsyncFunctionDef):
        return "async"
    for item in node.decorator_list:
        target = item.func if isinstance(item, ast.Call) else item
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if in_class and name in _KINDS:
            return _KINDS[name]
    return "method" if in_class else "function"


def _args(node: FunctionNode, kind: str) -> int:
    spec = node.args
    names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
    if kind not in ("function", "static method") and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    return len(names) + len(spec.kwonlyargs) + bool(spec.vararg) + bool(spec.kwarg)
