"""How long a file and how wide a call may become before they have to be taken apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "harness").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
LINES = 400
PARAMETERS = 8


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def wide(tree: ast.AST) -> Iterator[str]:
    """The functions with too many parameters; a command's are its options, each with a help."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_command(node):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if len([one for one in given if one.arg not in ("self", "cls")]) > PARAMETERS:
                yield node.name


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(".command" in ast.unparse(one) for one in node.decorator_list) or any(
        "typer." in ast.unparse(one.annotation)
        for one in [*node.args.args, *node.args.kwonlyargs]
        if one.annotation
    )


def test_no_file_is_longer_than_can_be_read():
    assert len(FILES) > 300
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_no_function_takes_more_than_eight_parameters():
    found = {
        f"{named(path)}: {name}"
        for path in FILES
        for name in wide(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_a_wide_function_is_seen():
    names = ", ".join("abcdefghi")
    tree = ast.parse(f"def f(self, {names}): ...\nasync def g({names[:-3]}): ...\n")
    assert list(wide(tree)) == ["f"]
