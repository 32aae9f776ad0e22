"""JSON, a list, code or plain text: what is wanted, what came, and whether it parses."""

from __future__ import annotations

import ast
import functools
import json
import re
import warnings
from collections.abc import Sequence
from typing import Literal

from harness_detectors.reading import Reading, fences

Kind = Literal["JSON", "a list", "code", "plain text"]

MOST_PARSED = 20_000
"""Longer JSON and code is taken as it is: parsers are no place for hostile megabytes."""

_LIST_LINE = re.compile(r"[ \t]*(?:[-*•‣–]|\d{1,3}[.)])[ \t]+\S")
_JSON_KEY = re.compile(r'"[^"\n]{0,200}"[ \t]*:')
# Not "[1] See there".
_JSON_ARRAY = re.compile(
    r"\[\s*(?:[\"{\[]|\]\s*$|(?:-?\d[\d.eE+-]*|true|false|null)\s*(?:,|\]\s*$))"
)
_CODE_LINE = re.compile(
    r"[ \t]*(?:"
    r"(?:async[ ]+)?def[ ]+\w+[ ]*\(|class[ ]+\w+[ ]*[(:]|@\w[\w.]*[ ]*(?:\(|$)"
    r"|(?:from[ ]+[\w.]+[ ]+)?import[ ]+[\w.*]+(?:[ ]+as[ ]+\w+)?(?:,.*)?;?[ ]*$"
    r"|(?:if|elif|for|while|with|except|try|else|finally)\b.*:[ ]*(?:$|#|\w+\()"
    r"|[ \t]+return[ ]+[\w.]+$|return\b.*[()\[\]{}=+*/\"'<>%].*$|raise[ ]+\w+\("
    r"|\w[\w.]*\(.*\)[ ]*;?[ ]*$|(?:const|let|var|function|public|private|static|#include)[ ]+\S"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE)[ ]+\S.*|[{}()\[\]]+[;,]?[ ]*$|.*[{}][ ]*$"
    r"|.*[(=].*;[ ]*$"
    r")"
)
# The prompt's own words, where no reference shows what is wanted.
_ASKED: Sequence[tuple[re.Pattern[str], Kind]] = (
    (re.compile(r"\b(?:as|in|only|valid|return|with|an?|als|en|im)[ ]+json\b", re.I), "JSON"),
    (re.compile(r"\b(?:bullet(?:ed)?|numbered)[ -](?:list|points?)\b", re.I), "a list"),
    (re.compile(r"\b(?:code[ ]only|only[ ](?:the[ ])?code)\b", re.I), "code"),
)
_ASSIGNMENT = re.compile(r"[ \t]*[\w.\[\]]+(?:,[ ]*\w+)*[ ]*(?:[+*/|&-]|//)?=[ ]*\S")
_CODE_MARK = re.compile(r"[(=:]|import")
_REMARK = re.compile(r"\w+[ ]+\([^()\n]*\)[ ]*")  # "Lisbon (Portugal)" is a call to Python
_SPAN = 60


def wrong_format(reading: Reading) -> str:
    """What came instead of what was wanted, or why it does not parse."""
    wanted = wanted_kind(reading)
    if wanted is None:
        return ""
    came = kind_of(reading.text)
    if came != wanted:
        return f"{came} instead of {wanted}: {reading.text.strip()[:_SPAN]}"
    if reading.cut or len(reading.text) > MOST_PARSED:
        return ""
    if wanted == "JSON":
        return _json_problem(body(reading.text))
    if wanted == "code" and _is_python(reading):
        return _python_problem(body(reading.text))
    return ""


def wanted_kind(reading: Reading) -> Kind | None:
    """What all references are, or else what the prompt asks for in so many words."""
    kinds = {kind_of(text) for text in reading.references}
    if kinds:
        return kinds.pop() if len(kinds) == 1 else None
    return next((kind for asked, kind in _ASKED if asked.search(reading.prompt)), None)


@functools.lru_cache(64)
def kind_of(text: str) -> Kind:
    """What most of the text is: by characters for code, by lines for a list."""
    fenced = plain = 0
    for piece, inside in fences(text):
        size = len("".join(piece.split()))
        fenced, plain = fenced + size * inside, plain + size * (not inside)
    inner = body(text)
    if _looks_like_json(inner) and fenced >= plain * bool(fenced):
        return "JSON"
    if fenced:
        return "code" if fenced >= plain else "plain text"
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and 2 * sum(bool(_LIST_LINE.match(line)) for line in lines) >= len(lines):
        return "a list"
    if lines and 2 * sum(_is_code(line, len(lines) > 1) for line in lines) > len(lines):
        return "code"
    return "code" if _has_statements(text.strip()) else "plain text"


def _is_code(line: str, among_others: bool) -> bool:
    """Whether one line looks like code; "Total = 15" alone does not."""
    line = line[:500]
    return bool(_CODE_LINE.match(line) or (among_others and _ASSIGNMENT.match(line)))


def body(text: str) -> str:
    """The code inside of the fences, or the text where there is none."""
    inside = [piece for piece, fenced in fences(text) if fenced]
    return "\n".join(inside).strip("\n") if inside else text.strip()


def _looks_like_json(text: str) -> bool:
    text = text.strip()
    if text[:1] == "{":
        return bool(_JSON_KEY.match(text[1:].lstrip())) or text[1:].strip() in ("", "}")
    return bool(_JSON_ARRAY.match(text))


def _json_problem(text: str) -> str:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except ValueError as error:
        return f"JSON that does not parse: {str(error)[:_SPAN]}"
    except RecursionError:
        pass  # too deep to say
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_python(reading: Reading) -> bool:
    """The references parse as Python, or, without any, the fence says so."""
    texts = [body(text) for text in reading.references]
    if texts:
        return all(len(t) <= MOST_PARSED and not _python_problem(t) for t in texts)
    return bool(re.match(r"\s*```(?:python|py)\b", reading.text))


def _python_problem(text: str) -> str:
    try:
        _parse(text)
    except SyntaxError as error:
        return f"code that does not parse: {error.msg}, line {error.lineno}"
    except ValueError as error:
        return f"code that does not parse: {str(error)[:_SPAN]}"
    except (RecursionError, MemoryError):
        pass  # too deep to say
    return ""


def _has_statements(text: str) -> bool:
    """Python that does something: words alone, or a bare value, are none."""
    if len(text) > MOST_PARSED or not _CODE_MARK.search(text) or _REMARK.fullmatch(text):
        return False
    try:
        parsed = _parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    one_line = "\n" not in text
    return any(_does_something(statement, one_line) for statement in parsed.body)


def _does_something(statement: ast.stmt, one_line: bool) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.AnnAssign):  # "Answer: Paris" parses, too
        return statement.value is not None
    if isinstance(statement, ast.Assign) and one_line:
        return not isinstance(statement.value, ast.Constant | ast.Name | ast.BinOp)
    return True


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
