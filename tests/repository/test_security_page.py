"""Each line of SECURITY.md names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_line_names_a_test_that_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    gate, rest = text.split("## The gate")[1].split("## A run")
    for named in re.findall(r"`([\w/.]+)::(\w+)`", gate):
        assert named[1] in (ROOT / named[0]).read_text("utf-8")
    lines = rest.splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.endswith("| test |")]
    assert len(rows) > 15
    for row in rows:
        named = re.search(r"\| (?:`([\w/.]+)::(\w+)`|the same) \|$", row)
        assert named, row
        if named[1]:
            tree = ast.parse((ROOT / named[1]).read_text("utf-8"))
            assert named[2] in {node.name for node in tree.body if hasattr(node, "name")}, row
