"""A teacher whose answers can be computed, and so made wrong on purpose: for ``teacher.py``.

It answers questions about Python functions by reading their syntax tree (the task
python-questions), writes new ones about functions of installed packages that are no part of the
standard library, and answers messages to a library's desk out of a list.
"""

from __future__ import annotations

import ast
import functools
import json
import random
import textwrap
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("rich", "pydantic", "typer", "pluggy", "click", "packaging", "tqdm", "joblib")
QUESTIONS = {
    "parameters": "Which parameters does this Python function take?",
    "calls": "Which functions does this Python function call?",
    "assigns": "Which names does this Python function assign to?",
    "raises": "Which exceptions does this Python function raise?",
    "defaults": "Which default values does this Python function have?",
}
SHORTEST, LONGEST, MOST_ITEMS, LONGEST_ANSWER = 50, 220, 3, 50
"""Of code in letters, and of answers: as datasets/python-questions/README.md says."""
NAMES = (
    "value", "name", "items", "size", "index", "path", "line", "text", "count", "mode", "data",
    "key", "other", "state", "start", "limit", "result", "node", "cls_name", "label", "width",
    "offset", "buffer", "token", "flag",
)  # fmt: skip
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
PARSING = threading.Lock()
"""Python 3.11 counts the depth of syntax trees for all threads together."""


@dataclass(frozen=True)
class Errors:
    """How often a teacher is wrong.

    Attributes:
        rate: share of its answers that are wrong, each drawn anew.
        stuck: of these the share that comes from prompts to which it gives one and the same wrong
            answer each time.
    """

    rate: float = 0.0
    stuck: float = 0.0

    def answer(self, prompt: str, right: str, seed: int, wrong: Callable[[Any], str]) -> str:
        """The right answer or a wrong one; the same for the same prompt and seed."""
        always = self.rate * self.stuck
        of_prompt = random.Random(f"stuck/{prompt}")
        if of_prompt.random() < always:
            return wrong(of_prompt)
        draw = random.Random(f"{seed}/{prompt}")
        if draw.random() < (self.rate - always) / (1 - always):
            return wrong(draw)
        return right


class Functions:
    """Questions about Python functions."""

    def says(self, messages: Sequence[Mapping[str, Any]], seed: int, errors: Errors) -> str:
        with PARSING:
            return self._said(str(messages[-1]["content"]), seed, errors)

    def _said(self, asked: str, seed: int, errors: Errors) -> str:
        if "JSON array of objects" not in asked:
            return self.answer(asked, seed, errors)
        count = int(asked.rpartition("Write ")[2].split()[0])
        draw = random.Random(f"{seed}/{asked}")
        rows = [_row(kind, code) for kind, code in _drawn(asked, count, draw)]
        return json.dumps(
            [{"prompt": prompt, "answer": self.answer(prompt, seed, errors)} for prompt in rows]
        )

    def answer(self, prompt: str, seed: int, errors: Errors) -> str:
        right = self.right(prompt)

        def wrong(draw: random.Random) -> str:
            return _otherwise(right, draw)

        return errors.answer(prompt, right, seed, wrong)

    def right(self, prompt: str) -> str:
        """The answer to a prompt.

        Raises:
            ValueError: it asks nothing that is known here.
        """
        question, _, code = prompt.partition("\n\n```python\n")
        kind = next((name for name, text in QUESTIONS.items() if text == question), None)
        found = kind and answers(_parsed(code.removesuffix("\n```"))).get(kind)
        if not found:
            raise ValueError(f"no answer is known to: {prompt[:80]}")
        return found


class Desks:
    """Messages to the desks of a library, whose answers stand in a list.

    Args:
        files: rows of the task.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        rows = [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()]
        self._desks = {row["messages"][-1]["content"]: row["references"][0] for row in rows}
        self._names = sorted(set(self._desks.values()))

    def says(self, messages: Sequence[Mapping[str, Any]], seed: int, errors: Errors) -> str:
        prompt = str(messages[-1]["content"])
        right = self.right(prompt)
        others = [name for name in self._names if name != right]
        return errors.answer(prompt, right, seed, lambda draw: str(draw.choice(others)))

    def right(self, prompt: str) -> str:
        return self._desks[prompt]


def _row(kind: str, code: str) -> str:
    return f"{QUESTIONS[kind]}\n\n```python\n{code}\n```"


def _drawn(asked: str, count: int, draw: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, code) of new rows: of the kind that is wanted, else of those that are shown."""
    _, _, wanted = asked.partition("Wanted are rows with: ")
    kinds = [kind for kind in QUESTIONS if f"kind = {kind}" in wanted.partition("\n")[0]]
    if not kinds:
        shown = Counter({kind: asked.count(text) for kind, text in QUESTIONS.items()})
        kinds = list(shown.elements())
    for _ in range(count):
        kind = draw.choice(kinds)
        yield kind, draw.choice(written()[kind])


@functools.cache
def written() -> Mapping[str, Sequence[str]]:
    """Kind of question -> code of functions that have an answer to it."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in QUESTIONS}
    for package in PACKAGES:
        for path in sorted(_files(package)):
            for code in _codes(path):
                for kind in answers(_parsed(code)):
                    found[kind][code] = None
    return {kind: list(codes) for kind, codes in found.items()}


def _files(package: str) -> Iterator[Path]:
    for file in metadata.files(package) or ():
        if file.suffix == ".py":
            yield Path(str(file.locate()))


def _codes(path: Path) -> Iterator[str]:
    """Functions of a file as the task shows them: no docstring, no indentation."""
    try:
        text = path.read_text("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, Function) or ast.get_docstring(node) is not None:
            continue
        source = ast.get_source_segment(text, node, padded=True) or ""
        code = textwrap.dedent(source).strip()
        if SHORTEST <= len(code) <= LONGEST and "```" not in code and code.isascii():
            try:
                ast.parse(code)
            except SyntaxError:
                continue
            yield code


def _parsed(code: str) -> Function:
    node = ast.parse(code).body[0]
    if not isinstance(node, Function):
        raise ValueError("this is no function")
    return node


def answers(node: Function) -> dict[str, str]:
    """Kind of question -> answer as JSON text, without the kinds that do not apply."""
    inside = [found for child in node.body for found in _walk(child)]
    if any(isinstance(found, _SCOPES) for found in inside):
        return {}
    values: dict[str, Any] = {
        "parameters": _parameters(node),
        "calls": _names([found.func for found in inside if isinstance(found, ast.Call)]),
        "assigns": _names([found for found in inside if _is_stored(found)]),
        "raises": _raised(inside),
        "defaults": _defaults(node),
    }
    texts = {
        kind: json.dumps(value, ensure_ascii=False)
        for kind, value in values.items()
        if value and len(value) <= MOST_ITEMS
    }
    return {kind: text for kind, text in texts.items() if len(text) <= LONGEST_ANSWER}


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, in the order of the text."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _parameters(node: Function) -> list[str]:
    spec = node.args
    named = [
        item.arg for item in (*spec.posonlyargs, *spec.args) if item.arg not in ("self", "cls")
    ]
    rest = [item.arg for item in (spec.vararg, *spec.kwonlyargs, spec.kwarg) if item is not None]
    return [*named, *rest]


def _names(nodes: Sequence[ast.AST]) -> list[str] | None:
    names = [_dotted(node) for node in nodes]
    return None if None in names else list(dict.fromkeys(filter(None, names)))


def _is_stored(node: ast.AST) -> bool:
    stored = isinstance(getattr(node, "ctx", None), ast.Store)
    return stored and isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))


def _raised(inside: Sequence[ast.AST]) -> dict[str, int] | None:
    raised = [node.exc for node in inside if isinstance(node, ast.Raise)]
    names = [_dotted(exc.func if isinstance(exc, ast.Call) else exc) for exc in raised]
    return None if None in names else dict(Counter(filter(None, names)))


def _defaults(node: Function) -> dict[str, Any] | None:
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    pairs = [
        *zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True),
        *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
    ]
    found = {}
    for item, default in pairs:
        if default is None:
            continue
        try:
            value = ast.literal_eval(default)
        except ValueError:
            return None
        if not (value is None or isinstance(value, (str, int, float))):
            return None
        found[item.arg] = value
    return found


def _dotted(node: ast.AST | None) -> str | None:
    """``self.lock.acquire`` as text; None for anything but names joined by dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def _otherwise(right: str, draw: random.Random) -> str:
    """A wrong answer of the same form: one of at least twenty."""
    value = json.loads(right)
    name = draw.choice([name for name in NAMES if name not in value])
    if isinstance(value, list):
        value[draw.randrange(len(value))] = name
    else:
        value = {name if place == 0 else key: of for place, (key, of) in enumerate(value.items())}
    return json.dumps(value, ensure_ascii=False)
