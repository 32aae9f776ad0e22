"""Rows that belong together by group or lineage."""

from __future__ import annotations

from harness.data.families import families, in_parts
from harness.records import Example

TURN = ({"role": "user", "content": "?"},)


def row(name: str, group: str = "", parent: str | None = None) -> Example:
    return Example(name, TURN, group=group, parent=parent)


def together(*rows: Example) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for name, family in families(rows).items():
        found.setdefault(family, set()).add(name)
    return sorted(found.values(), key=sorted)


def test_rows_without_group_and_parent_are_alone():
    assert together(row("a"), row("b")) == [{"a"}, {"b"}]


def test_groups_and_parents_are_joined():
    rows = row("a", "g"), row("b", "g"), row("c", parent="b"), row("d", "h", parent="c"), row("e")
    assert together(*rows, row("f", "h")) == [{"a", "b", "c", "d", "f"}, {"e"}]


def test_children_of_a_row_that_is_not_there_belong_together():
    assert together(row("a", parent="gone"), row("b", parent="gone")) == [{"a", "b"}]


def test_a_group_that_is_called_as_a_row_is_another_thing():
    assert together(row("a"), row("b", "a")) == [{"a"}, {"b"}]


def test_a_circle_of_parents_ends():
    assert together(row("a", parent="b"), row("b", parent="a")) == [{"a", "b"}]


def test_long_chains_are_followed():
    chain = [row(str(n), parent=str(n - 1) if n else None) for n in range(5_000)]
    assert len(together(*chain)) == 1


def test_parts_hold_whole_families_and_are_of_like_size():
    rows = [row("a", "g"), row("b", "g"), row("c", "g"), row("d"), row("e"), row("f")]
    parts = in_parts(rows, 2, 7)
    assert {"a", "b", "c"} in parts and [len(part) for part in parts] == [3, 3]
    assert in_parts(rows, 2, 7) == parts
    assert [len(part) for part in in_parts(rows[:3], 2, 7)] == [3, 0]
