"""What is taken out of one Python file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness_sources.functions import Function, read
from harness_sources.python_files import PythonFile

SMALL = '''
import functools


def first(items, default=None):
    """Return the first of the items.

    More about it.
    """
    # An empty sequence is no error here.
    for item in items:
        return item
    return default   # kept


class Shelf:
    @property
    def widest(self):
        """The book that takes most room."""

        return max(self.books, key=lambda book: book.width)

    @classmethod
    def read_from(cls, path, *lines, strict=True):
        r"""Make a shelf from a file."""  # a remark
        text = """
  less indented
"""
        return cls(path, text, lines, strict)

    async def fetch(self, where):
        """Get a book over the network."""
        return await self.client.get(where, timeout=self.timeout)

    def __len__(self):
        """Number of books on the shelf."""
        return len(self.books) + len(self.lent) - len(self.lost)

    def stub(self):
        """Nothing to be learned from this one."""
        raise NotImplementedError("to be done by the subclasses of this class, all of them")

    def goes_on(self, book):
        """Put a book onto the shelf, at the
        place where it belongs.
        """
        self.books.insert(self.place_of(book), book)

    def told(self, book):
        """Lend a book to somebody."""
        # Lend a book to somebody
        self.lent.append(self.books.pop(self.books.index(book)))

    def one_line(self): """All of it on a single line."""; return self.books + self.lent

def signature(one, two, three):
    """signature(one, two, three) -> the sum of the three"""
    return one + two + three


def über(größe):
    """Écrit des lettres: ünïcode text."""
    return "é" * größe if größe > 0 else "nothing at all to be seen"
'''


def functions(tmp_path: Path, text: str | bytes, least: int = 20) -> dict[str, Function]:
    path = tmp_path / "books.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {found.qualname: found for found in read(PythonFile("books", path), least, 2000)}


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Function]:
    return functions(tmp_path, SMALL)


def test_code_keeps_comments_and_formatting(small: dict[str, Function]) -> None:
    assert small["first"].code == (
        "def first(items, default=None):\n"
        "    # An empty sequence is no error here.\n"
        "    for item in items:\n"
        "        return item\n"
        "    return default"
    )


def test_code_keeps_decorators_and_strings(small: dict[str, Function]) -> None:
    assert small["Shelf.read_from"].code == (
        "@classmethod\n"
        "def read_from(cls, path, *lines, strict=True):\n"
        '    text = """\n'
        "  less indented\n"
        '"""\n'
        "    return cls(path, text, lines, strict)"
    )
    assert small["Shelf.widest"].code.startswith("@property\ndef widest(self):\n    return")


def test_code_is_the_source_segment_without_its_docstring(small: dict[str, Function]) -> None:
    checked = 0
    for node in ast.parse(SMALL).body:
        if isinstance(node, ast.FunctionDef) and node.name in small:
            segment = ast.get_source_segment(SMALL, node)
            doc = ast.get_source_segment(SMALL, node.body[0])
            assert segment and doc and small[node.name].code == segment.replace(f"    {doc}\n", "")
            checked += 1
    assert checked == 2


def test_kinds_args_and_verbs(small: dict[str, Function]) -> None:
    # What is missing here is a stub, goes on in the next line, is told by a comment, shares a
    # line with its docstring, or is described by its signature.
    assert {name: (f.kind, f.args, f.verb) for name, f in small.items()} == {
        "first": ("function", 2, "other"),
        "Shelf.widest": ("property", 0, "other"),
        "Shelf.read_from": ("class method", 3, "read"),
        "Shelf.fetch": ("async", 1, "fetch"),
        "Shelf.__len__": ("method", 0, "special"),
        "über": ("function", 1, "other"),
    }


@pytest.mark.parametrize(
    ("name", "verb"),
    [("getName", "get"), ("_is_open", "is"), ("HTTPError", "other"), ("_", "other")],
)
def test_the_verb_is_the_first_word_of_the_name(name: str, verb: str) -> None:
    assert Function("m", f"Class.{name}", "", "", "method", 0, 1).verb == verb


def test_lines_are_the_first_of_the_docstring(small: dict[str, Function]) -> None:
    assert small["first"].line == "Return the first of the items."
    assert small["über"].line == "Écrit des lettres: ünïcode text."
    assert small["Shelf.widest"].number == SMALL.split("\n").index("    @property") + 1


@pytest.mark.parametrize(
    "line",
    ["Too short.", "x" * 20, "word " * 40, ">>> run(1, 2, 3)", "Deprecated since 3.1 or so.",
     "f(x, y) -> text of it", "value = 1*(any of them)", "Return the \x07 bell of it."],
)  # fmt: skip
def test_lines_that_are_no_answer(line: str, tmp_path: Path) -> None:
    text = f'def f(x, y):\n    """{line}"""\n    return x + y\n'
    assert functions(tmp_path, text) == {}
    assert functions(tmp_path, text.replace(line, "Return the sum of both.")) != {}


def test_other_encodings_are_read(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\ndef greet(name):\n    '''Grüße an jemanden richten.'''\n"
    found = functions(tmp_path, (text + "    print('Grüß Gott', name)\n").encode("latin-1"))
    assert found["greet"].line == "Grüße an jemanden richten."


def test_windows_line_ends_and_form_feeds(tmp_path: Path) -> None:
    text = SMALL.replace("\nclass", "\n\x0c\nclass").replace("\n", "\r\n").encode()
    found = functions(tmp_path, text)
    assert found["Shelf.fetch"].code == (
        "async def fetch(self, where):\n"
        "    return await self.client.get(where, timeout=self.timeout)"
    )


def test_invalid_escapes_in_the_file_do_not_warn(tmp_path: Path) -> None:
    text = 'def f(x):\n    """Return a pattern of x."""\n    return "\\d" + x\n'
    assert "f" in functions(tmp_path, text)


@pytest.mark.parametrize("text", ["def broken(:\n", "# coding: nonsense\n", "\0"])
def test_what_is_no_python_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        functions(tmp_path, text)
