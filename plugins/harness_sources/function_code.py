"""Functions in a Python file, and their source text without the docstring."""

from __future__ import annotations

import ast
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_KINDS = {
    "property": "property", "cached_property": "property", "setter": "property",
    "getter": "property", "deleter": "property", "abstractproperty": "property",
    "classmethod": "class method", "staticmethod": "static method",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Located:
    """A function of a parsed file.

    Attributes:
        path: names from the module down to the function.
        in_class: whether it is defined in the body of a class.
    """

    node: FunctionNode
    path: tuple[str, ...]
    in_class: bool

    @property
    def start(self) -> int:
        """Line at which the code begins, decorators included."""
        return min([self.node.lineno, *(item.lineno for item in self.node.decorator_list)])

    @property
    def kind(self) -> str:
        """function, method, class method, static method, property or async."""
        return _kind(self.node, self.in_class)


def parse(path: Path) -> tuple[list[Located], list[str]]:
    """The functions of a file, and its lines.

    Raises:
        ValueError, SyntaxError, OSError: the file is no Python source that this interpreter can
            read; a parser that meets too deep a nesting raises MemoryError or RecursionError.
    """
    text = _text(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's files
        tree = ast.parse(text)
    return list(_functions(tree, (), False)), text.split("\n")


def _text(path: Path) -> str:
    try:
        with tokenize.open(path) as stream:  # honours the file's coding line
            return stream.read()
    except (SyntaxError, LookupError) as error:
        raise ValueError(f"{path}: {error}") from error


def _functions(node: ast.AST, path: tuple[str, ...], in_class: bool) -> Iterator[Located]:
    """Functions of modules and classes; those inside functions belong to their outer code."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            yield Located(child, (*path, child.name), in_class)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, (*path, child.name), True)
        elif isinstance(child, (ast.If, ast.Try, ast.ExceptHandler, ast.With)):
            yield from _functions(child, path, in_class)


def code_of(function: Located, lines: Sequence[str]) -> str | None:
    """The source text as :func:`ast.get_source_segment` gives it (which splits the whole file
    anew at each call), with decorators, without the docstring's lines and without indentation.

    None where the docstring shares a line with other code.
    """
    node = function.node
    end = node.end_lineno
    assert end is not None
    head, first = lines[function.start - 1 : end], end
    if ast.get_docstring(node, clean=False) is not None:
        doc = node.body[0]
        assert doc.end_lineno is not None
        if _shares_line(doc, lines):
            return None
        head, first = lines[function.start - 1 : doc.lineno - 1], doc.end_lineno
    body = lines[first:end]
    while body and not body[0].strip():
        body = body[1:]
    last = lines[end - 1].encode()[: node.end_col_offset].decode()
    return "\n".join(_outdent([*[*head, *body][:-1], last], node.col_offset)).rstrip()


def _shares_line(doc: ast.stmt, lines: Sequence[str]) -> bool:
    assert doc.end_lineno is not None
    before = lines[doc.lineno - 1].encode()[: doc.col_offset]
    after = lines[doc.end_lineno - 1].encode()[doc.end_col_offset :].strip()
    return bool(before.strip() or (after and not after.startswith(b"#")))


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


def parameters(function: Located) -> list[str]:
    """Names of the parameters in order, ``self`` and ``cls`` left out."""
    spec = function.node.args
    names = [item.arg for item in (*spec.posonlyargs, *spec.args)]
    if function.kind not in ("function", "static method") and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    if spec.vararg:
        names.append(spec.vararg.arg)
    names += [item.arg for item in spec.kwonlyargs]
    return [*names, spec.kwarg.arg] if spec.kwarg else names
