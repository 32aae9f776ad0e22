"""The tests of a row: in which of the usual forms it holds them, and as what they are run."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENTRY_POINT = "entry_point"
"""The field of HumanEval that names the function which ``check`` is given."""
SETUP = ("test_imports", "test_setup_code")
"""Fields of MBPP: what stands before a row's tests."""
_CASES = (("inputs", "outputs"), ("input", "output"))
"""Fields of inputs and outputs: those of APPS, those of CodeContests."""
_ARRAY = re.compile(r"array\((?P<list>\[.*\])(,\s*dtype=[^()\[\]]*)?\)", re.DOTALL)
_BETWEEN = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.ENDMARKER})


@dataclass(frozen=True, slots=True)
class Case:
    """An input and what an answer has to make of it, both as JSON.

    Attributes:
        given: a text for standard input, or a list of arguments.
        expected: the text that is printed, or the value that is returned.
    """

    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class RowTests:
    """What tests an answer: code that is run after the answer's, or inputs and outputs.

    Attributes:
        code: its definitions (``check``, classes of unittest, functions of pytest, doctests) are
            run, too.
        entry_point: Python that gives what ``check`` is called with, or the function that is called
            with the inputs; empty for none.
        cases: inputs and outputs, in place of code.
        called: the inputs are arguments of ``entry_point``, and not standard input.
    """

    code: str = ""
    entry_point: str = ""
    cases: tuple[Case, ...] = ()
    called: bool = False


def row_tests(meta: Mapping[str, Any], field: str) -> RowTests | None:
    """The tests in a field of a row's ``meta``; None where there is no such field, or null in it.

    Known are code, a list of code (as a list, or as the text that JSON, Python and numpy write of
    one), and an object of inputs and outputs (as an object or as text).

    Raises:
        ValueError: the field holds something else; says what.
    """
    held = meta.get(field)
    if held is None:
        return None
    if isinstance(held, str):
        held = _written(held)
    entry_point = meta.get(ENTRY_POINT)
    entry_point = entry_point.strip() if isinstance(entry_point, str) else ""
    if isinstance(held, Mapping):
        return _cases(held, entry_point)
    lines = held if isinstance(held, (list, tuple)) else [held]
    for line in lines:
        if not isinstance(line, str):
            holder = "a list with" if lines is held else "of"
            raise ValueError(
                f"the tests of the row are {holder} the type {type(line).__name__}: known are "
                "code, a list of code, and an object of inputs and outputs"
            )
    return RowTests("\n".join([*_setup(meta), *lines]), entry_point)


def _setup(meta: Mapping[str, Any]) -> Iterator[str]:
    for name in SETUP:
        held = meta.get(name)
        lines = _written(held) if isinstance(held, str) else held
        if isinstance(lines, str):
            lines = [lines]
        if isinstance(lines, (list, tuple)):
            yield from (line for line in lines if isinstance(line, str) and line.strip())


def _written(text: str) -> Any:
    """The list or object that a text writes out, else the text."""
    bare = text.strip()
    if array := _ARRAY.fullmatch(bare):
        bare = array["list"]
    if not bare.startswith(("[", "{")):
        return text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in somebody else's code
        for read in (json.loads, _strings, ast.literal_eval):
            try:
                value = read(bare)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(value, (list, dict)):
                return value
    return text


def _strings(text: str) -> list[str]:
    """The texts of a list that Python or numpy has written: numpy's has no commas.

    Raises:
        ValueError, SyntaxError: it is no list of texts.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except tokenize.TokenError as error:
        raise ValueError("no Python") from error
    inner = [token for token in tokens if token.type not in _BETWEEN]
    if [inner[0].string, inner[-1].string] != ["[", "]"]:
        raise ValueError("no list")
    strings = [token for token in inner[1:-1] if token.string != ","]
    if any(token.type != tokenize.STRING for token in strings):
        raise ValueError("not of texts alone")
    return [ast.literal_eval(token.string) for token in strings]


def _cases(held: Mapping[str, Any], entry_point: str) -> RowTests:
    inputs, outputs = _inputs_and_outputs(held)
    function = _function(held)
    # A list without a function is lines of standard input (APPS), with one its arguments.
    called = bool(function or (entry_point and not all(isinstance(each, str) for each in inputs)))
    entry_point = function or entry_point
    if called:
        try:
            ast.parse(entry_point, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ValueError(f"the tests of the row call no function: {entry_point!a}") from None
    cases = []
    for number, (given, expected) in enumerate(zip(inputs, outputs, strict=True), start=1):
        if called:
            arguments = given if isinstance(given, list) else [given]
            cases.append(Case(json.dumps(arguments), json.dumps(expected)))
        else:
            texts = _text(given, number, "input"), _text(expected, number, "output")
            cases.append(Case(*map(json.dumps, texts)))
    return RowTests("", entry_point if called else "", tuple(cases), called)


def _function(held: Mapping[str, Any]) -> str:
    name = held.get("fn_name") or ""
    if not isinstance(name, str):
        raise ValueError(
            f"in the tests of the row 'fn_name' is of the type {type(name).__name__}, and not the "
            "name of a function"
        )
    return name.strip()


def _inputs_and_outputs(held: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    for names in _CASES:
        inputs, outputs = (held.get(name) for name in names)
        if isinstance(inputs, list) and isinstance(outputs, list):
            if len(inputs) != len(outputs):
                raise ValueError(
                    f"the tests of the row have {len(inputs)} inputs and {len(outputs)} outputs"
                )
            return inputs, outputs
    fields = ", ".join(f"'{name}'" for name in list(held)[:8])
    raise ValueError(
        f"the tests of the row are an object with {fields or 'nothing'}: known are lists of "
        "'inputs' and 'outputs', and a name in 'fn_name'"
    )


def _text(value: Any, number: int, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError(
        f"{what} {number} of the row's tests is of the type {type(value).__name__}, and programs "
        "read and print text: a function that is called is named by 'fn_name' or 'entry_point'"
    )


def same_output(printed: str, expected: str) -> bool:
    """Whether a program printed what is expected.

    White space at the ends of lines and of the text does not count; numbers with a decimal point
    are equal within a millionth.
    """
    lines, others = (text.rstrip().splitlines() for text in (printed, expected))
    return len(lines) == len(others) and all(map(_same_line, lines, others))


def _same_line(line: str, other: str) -> bool:
    words, others = line.split(), other.split()
    return line.rstrip() == other.rstrip() or (
        len(words) == len(others)
        and all(w == o or _close(w, o) for w, o in zip(words, others, strict=True))
    )


def _close(word: str, other: str) -> bool:
    try:
        return not other.lstrip("+-").isdecimal() and _near(float(word), float(other))
    except ValueError:
        return False


def same_value(value: Any, expected: Any) -> bool:
    """Whether a function returned what is expected, or the only item of a list of it (APPS).

    Fractions are equal within a millionth, and what is no number to another such.
    """
    if _same(value, expected):
        return True
    return isinstance(expected, list) and len(expected) == 1 and _same(value, expected[0])


def _same(value: Any, expected: Any) -> bool:
    if float in (type(value), type(expected)) and {type(value), type(expected)} <= {int, float}:
        return _near(value, expected) or (value != value and expected != expected)
    if isinstance(value, Sequence) and isinstance(expected, list) and not isinstance(value, str):
        return len(value) == len(expected) and all(map(_same, value, expected))
    if isinstance(value, Mapping) and isinstance(expected, Mapping):
        return value.keys() == expected.keys() and all(_same(value[k], expected[k]) for k in value)
    return bool(value == expected)


def _near(value: float, expected: float) -> bool:
    try:
        return math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-6)
    except OverflowError:  # a whole number that is larger than any fraction
        return False
