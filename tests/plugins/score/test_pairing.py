"""Predictions meet the references of their own example, or nothing is scored."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError
from harness.records import Example, Prediction
from harness_score.pairing import grouped, join, pair
from harness_score.tables import Row, Table, read_predictions, read_references

IDS = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=12, unique=True)


def table(name: str, rows: dict[str, Any] | list[Any], **meta: Any) -> Table:
    """Rows by id (a mapping) or by position (a list)."""
    items = rows.items() if isinstance(rows, dict) else [(None, row) for row in rows]
    return Table(
        name,
        tuple(
            Row(
                key, (value,) if isinstance(value, str) else tuple(value), dict(meta), f"{name}:{n}"
            )
            for n, (key, value) in enumerate(items, start=1)
        ),
    )


def zipped(out: Table, refs: list[Table]) -> list[tuple[Prediction, Example]]:
    examples, systems = pair([out], refs)
    return list(zip(systems[0], examples, strict=True))


def refusal(*args: Any, call: Any = pair, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        call(*args, **options)
    assert caught.value.exit_code == 4
    return caught.value


def test_pairs_by_id_in_the_order_of_the_references() -> None:
    pairs = zipped(table("out", {"a": "1", "b": "2"}), [table("refs", {"b": ["x", "y"], "a": []})])
    assert [(p.example_id, p.text, e.id, e.references, e.place) for p, e in pairs] == [
        ("b", "2", "b", ("x", "y"), "refs:1"),
        ("a", "1", "a", (), "refs:2"),
    ]


def test_pairs_by_position_are_numbered() -> None:
    pairs = zipped(table("out", ["1", ""]), [table("refs", ["x", "y"])])
    assert [(p.example_id, p.text, e.id, e.references) for p, e in pairs] == [
        ("1", "1", "1", ("x",)),
        ("2", "", "2", ("y",)),
    ]


def test_several_files_give_several_references_in_their_order() -> None:
    files = [
        table("r1", {"a": "a1", "b": "b1"}),
        table("r2", {"b": ["b2", "b3"], "a": []}),
        table("r3", {"a": "a4", "b": "b4"}),
    ]
    assert [example.references for example in pair([], files)[0]] == [
        ("a1", "a4"),
        ("b1", "b2", "b3", "b4"),
    ]


def test_systems_have_the_same_examples_in_the_same_order() -> None:
    names = [f"id {n}" for n in range(50)]
    systems = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(names, len(names))
        systems.append(table(f"s{seed}", {name: f"{seed}:{name}" for name in shuffled}))
    examples, predictions = pair(systems, [table("refs", {name: name for name in names})])
    assert [example.id for example in examples] == names
    for seed, row in enumerate(predictions):
        assert [p.example_id for p in row] == names
        assert [p.text for p in row] == [f"{seed}:{name}" for name in names]


@given(IDS, st.randoms(use_true_random=False))
def test_the_order_of_a_file_with_ids_means_nothing(names: list[str], rng: random.Random) -> None:
    refs = [table("r", {n: f"r{n}" for n in names}), table("q", {n: f"q{n}" for n in names})]
    out = table("out", {n: f"p{n}" for n in names})
    mixed = [Table(t.name, tuple(rng.sample(t.rows, len(names)))) for t in (out, refs[1])]
    assert pair([mixed[0]], [refs[0], mixed[1]]) == pair([out], refs)


@given(IDS, st.data())
def test_one_changed_id_is_always_found(names: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(names) - 1))
    wrong = data.draw(st.text(min_size=1, max_size=4).filter(lambda text: text != names[at]))
    changed = [*names[:at], wrong, *names[at + 1 :]]
    rows = tuple(Row(name, ("t",), {}, f"out:{n}") for n, name in enumerate(changed, start=1))
    error = refusal([Table("out", rows)], [table("refs", dict.fromkeys(names, "t"))])
    assert "missing ids" in error.what
    assert ("doubled ids" if wrong in names else "surplus ids") in error.what
    assert f"(refs:{at + 1})" in str(error) and f"out:{at + 1}" in str(error)


def test_numbers_and_texts_are_one_id(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text('{"id": 7, "text": "a"}\n{"id": 8, "text": "b"}\n')
    (tmp_path / "refs.csv").write_text("id,reference\n8,y\n7,x\n")
    out, refs = read_predictions(f"{tmp_path}/out.jsonl"), read_references(f"{tmp_path}/refs.csv")
    assert [(p.text, e.references) for p, e in zipped(out, [refs])] == [
        ("b", ("y",)),
        ("a", ("x",)),
    ]


# What the examples know


def test_later_references_only_add_to_meta_and_predictions_nothing() -> None:
    refs = [table("r", {"a": "x"}, k="first", group="g"), table("q", {"a": "x"}, k="second", m=2)]
    systems = [table("s", {"a": "p"}, m=3, model="s"), table("t", {"a": "p"}, model="t", n=4)]
    (example,), _ = pair(systems, refs)
    assert example.meta == {"k": "first", "group": "g", "m": 2}
    assert example.group == "g"
    assert refs[0].rows[0].meta == {"k": "first", "group": "g"}


def test_groups() -> None:
    for meta, field, group in [
        ({}, None, ""),
        ({"group": "g"}, None, "g"),
        ({"group": None}, None, ""),
        ({"group": "g", "doc": 7}, "doc", "7"),
        ({"doc": "d"}, "doc", "d"),
    ]:
        assert pair([], [table("r", ["x"], **meta)], group_field=field)[0][0].group == group, meta
        if field is not None:
            assert (
                grouped([Example("1", (), ("x",), group="old", meta=meta)], field)[0].group == group
            ), meta


@pytest.mark.parametrize("meta", [{}, {"doc": None}, {"doc": " "}])
def test_a_row_without_its_group(meta: dict[str, Any]) -> None:
    error = refusal([], [table("r", ["x"] * 12, **meta)], group_field="doc")
    assert error.what == "the data cannot be used: 12 problems" and error.hint
    (detail,) = error.details
    assert detail.startswith("r:1: no `doc` that says to which group the row belongs (12 times")
    ready = Example("1", (), ("x",), meta=meta, place="set:3")
    assert refusal([ready], "doc", call=grouped).where == "set:3"


# A data set instead of files


def test_a_data_set_is_joined_by_id_or_by_position() -> None:
    examples = [Example("a", (), ("x",), place="d:1"), Example("b", (), ("y",), place="d:2")]
    systems = [table("s", {"b": "2", "a": "1"}), table("t", ["3", "4"])]
    predictions = join(examples, systems)
    assert [[(p.example_id, p.text) for p in row] for row in predictions] == [
        [("a", "1"), ("b", "2")],
        [("a", "3"), ("b", "4")],
    ]


def test_a_data_set_that_does_not_fit() -> None:
    examples = [Example("a", (), ("x",), place="d:1"), Example("b", (), ("y",))]
    error = refusal(examples, [table("s", {"a": "1"}), table("t", ["3"])], call=join)
    assert error.details == (
        "s lacks 1 id of the data set:",
        '  "b" (example 2)',
        "t has 1 row, the data set has 2 rows",
    )
    twice = [examples[0], examples[0]]
    error = refusal(twice, [table("s", {"a": "1"})], call=join)
    assert error.details == ("the data set has 1 id more than once:", '  "a" (d:1, d:1)')


def test_no_references() -> None:
    assert "no references" in refusal([table("s", ["a"])], []).what


# What does not fit


def test_every_missing_surplus_and_doubled_id_of_every_file_is_named() -> None:
    refs = [
        table("r1", dict.fromkeys("abcdefghijklmn", "x")),
        table("r2", dict.fromkeys("abcdefghijklm", "x")),
    ]
    doubled = table("s2", dict.fromkeys("abcdefghijklmn", "p"))
    doubled = Table("s2", (*doubled.rows, Row("c", ("q",), {}, "s2:15")))
    error = refusal([table("s1", {"a": "p", "b": "p", "z": "p"}), doubled], refs)
    assert error.what == (
        "predictions and references do not fit: missing ids, surplus ids, doubled ids; "
        "nothing was scored"
    )
    assert error.details == (
        "r2 lacks 1 id of r1:",
        '  "n" (r1:14)',
        "s1 lacks 12 ids of r1:",
        *(f'  "{name}" (r1:{n})' for n, name in enumerate("cdefghijkl", start=3)),
        "  and 2 more",
        "s1 has 1 id that r1 does not have:",
        '  "z" (s1:3)',
        "s2 has 1 id more than once:",
        '  "c" (s2:3, s2:15)',
    )
    assert "add or remove the rows named" in error.hint and "only once" in error.hint


def test_a_surplus_id_alone_is_an_error() -> None:
    error = refusal([table("out", {"a": "p", "b": "p"})], [table("refs", {"a": "x"})])
    assert error.details == ("out has 1 id that refs does not have:", '  "b" (out:2)')


def test_ids_doubled_in_both_files_are_named_for_both() -> None:
    rows = tuple(Row("a", ("x",), {}, f"{n}") for n in range(5))
    error = refusal([Table("out", rows)], [Table("refs", rows)])
    assert error.details == (
        "refs has 1 id more than once:",
        '  "a" (0, 1, 2 and 2 more)',
        "out has 1 id more than once:",
        '  "a" (0, 1, 2 and 2 more)',
    )


def test_different_lengths_name_both_counts() -> None:
    systems = [table("out.txt", ["a"] * 1500), table("b.txt", ["a"])]
    error = refusal(systems, [table("refs.txt", ["x"] * 2)])
    assert error.details == (
        "out.txt has 1,500 rows, refs.txt has 2 rows",
        "b.txt has 1 row, refs.txt has 2 rows",
    )
    assert "different lengths" in error.what and "equally long" in error.hint


@pytest.mark.parametrize("ids_in", ["out", "refs", "more"])
def test_ids_in_some_files_only(ids_in: str) -> None:
    files = {
        name: table(name, {"a\u200b": "x"} if name == ids_in else ["x"])
        for name in ("out", "refs", "more")
    }
    error = refusal([files["out"]], [files["refs"], files["more"]])
    assert "some files have ids and some have none" in error.what
    assert f'{ids_in}: ids, the first is "a\\u200b"' in error.details
    assert sum(line.endswith(": no ids") for line in error.details) == 2
    assert "`id`" in error.hint


def test_ids_are_compared_exactly_and_near_ones_pointed_at() -> None:
    for ours, theirs in [
        ("A1", "a1"),
        ("a ", "a"),
        ("7.0", "7"),
        ("007", "7"),
        ("e\u0301", "\xe9"),
        ("a b", "ab"),
    ]:
        error = refusal([table("out", {ours: "p"})], [table("refs", {theirs: "x"})])
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in ours)
        assert f'  "{theirs}" (refs:1), but "{shown}" (out:1)' in error.details, ours
        assert "compared exactly" in error.hint, ours


def test_files_that_share_no_id() -> None:
    error = refusal([table("out", {"1": "p"})], [table("refs", {"x": "x"})])
    assert "do the files belong together?" in error.hint


def test_hostile_ids_are_shown_and_do_nothing() -> None:
    error = refusal([table("out", {"\x1b[31m\n" + "x" * 900: "p"})], [table("refs", {"a": "x"})])
    assert "\x1b" not in str(error) and "\\x1b[31m\\n" in str(error) and len(str(error)) < 500


@pytest.mark.nightly
def test_large_shuffled_files(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    rows = [{"id": n, "text": "t", "reference": "r"} for n in range(20_000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    random.Random(1).shuffle(rows)
    (tmp_path / "refs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refs = read_references(f"{tmp_path}/refs.jsonl")
    pairs = zipped(read_predictions(str(path)), [refs])
    assert [e.id for _, e in pairs] == [str(row["id"]) for row in rows]
    assert all(p.example_id == e.id for p, e in pairs)
