"""The probe that the page on plugins shows."""

from __future__ import annotations

import re
from pathlib import Path

from harness.registry import Registry
from harness_testing import check

PAGE = Path(__file__).parents[3] / "docs" / "plugins" / "probe.md"


def test_the_probe_of_the_page_obeys_the_rules(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "folk.py"
    path.write_text(next(block for block in blocks if "harness.Probe" in block), encoding="utf-8")
    plugin = Registry.build([path]).get("probe", "folk").plugin
    assert [one.message for one in check(plugin) if one.status == "failed"] == []
    probe = plugin()
    (asked,) = probe.instructions()  # type: ignore[attr-defined]
    assert probe.right(asked, "A water meadow.")  # type: ignore[attr-defined]
    assert not probe.right(asked, "A leaf.")  # type: ignore[attr-defined]
