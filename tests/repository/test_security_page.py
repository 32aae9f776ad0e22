"""Each line of SECURITY.md names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_line_names_a_test_that_is_there() -> None:
    lines = (ROOT / "SECURITY.md").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.endswith("| test |")]
    assert len(rows) > 15
    for row in rows:
        named = re.search(r"\| (?:`([\w/.]+)::(\w+)`|the same) \|$", row)
        assert named, row
        if named[1]:
            tree = ast.parse((ROOT / named[1]).read_text("utf-8"))
            assert named[2] in {node.name for node in tree.body if hasattr(node, "name")}, row
