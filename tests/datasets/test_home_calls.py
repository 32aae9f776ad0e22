"""The data set of calls to a house keeps the promises of its README."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema

import harness
from harness.config import loading
from harness.config.sourcing import rows_of

FOLDER = Path(__file__).parents[2] / "datasets" / "home-calls"
SPLITS = ("train", "pool", "dev", "test")
SIZES = (120, 100, 100, 80)
STARVED = {"set_blinds", "lock_door", "run_appliance"}
ROWS = {
    split: [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_bytes().splitlines()]
    for split in SPLITS
}
EVERYTHING = [row for rows in ROWS.values() for row in rows]


def calls(row: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    functions = [call["function"] for call in row["messages"][-1].get("tool_calls", ())]
    return [(function["name"], json.loads(function["arguments"])) for function in functions]


def asked(row: dict[str, Any]) -> str:
    return str(row["messages"][-2]["content"])


TOOLS = {
    split: Counter(calls(row)[0][0] if calls(row) else "no call" for row in ROWS[split])
    for split in SPLITS
}


def test_each_row_is_a_message_with_four_tools_and_calls_that_fit_them() -> None:
    assert tuple(map(len, ROWS.values())) == SIZES
    assert len({row["id"] for row in EVERYTHING}) == len(EVERYTHING)
    assert len({asked(row) for row in EVERYTHING}) == len(EVERYTHING)
    assert len({row["messages"][0]["content"] for row in EVERYTHING}) == 1
    for row in EVERYTHING:
        assert [row["messages"][-2]["role"], row["messages"][-1]["role"]] == ["user", "assistant"]
        functions = [tool["function"] for tool in row["tools"]]
        offered = {function["name"]: function["parameters"] for function in functions}
        assert len(offered) == len(row["tools"]) == 4, row["id"]
        for name, arguments in calls(row):
            schema = {**offered[name], "additionalProperties": False}
            jsonschema.validate(arguments, schema)
        assert bool(calls(row)) is (row["kind"] in ("one call", "several calls"))
        assert calls(row) or row["messages"][-1]["content"]


def test_starved_tools_are_scarce_in_train_alone() -> None:
    assert {tool for tool, rows in TOOLS["train"].items() if rows <= 5} == STARVED
    for split, rows in (("dev", 10), ("test", 8)):
        assert all(abs(count - rows) <= 2 for tool, count in TOOLS[split].items()
                   if tool != "no call"), TOOLS[split]  # fmt: skip
    for split, size in zip(SPLITS, SIZES, strict=True):
        assert TOOLS[split]["no call"] == size / 5


def test_the_run_reads_them_as_they_are(tmp_path: Path) -> None:
    config = loading.load(FOLDER / "harness.yaml")
    read = {row.id: row for row in rows_of(config.data, context=harness.Context(tmp_path))}
    assert read.keys() == {row["id"] for row in EVERYTHING}
    for row in EVERYTHING:
        example = read[row["id"]]
        answer = example.answer(example.references[0])
        assert [(call.name, dict(call.arguments)) for call in answer.calls] == calls(row)
        assert (example.split, example.group) == (row["split"], row["group"])
        assert example.meta == {"kind": row["kind"]} and example.prompt == asked(row)


def test_wordings_of_one_message_stay_together() -> None:
    groups = {split: {row["group"] for row in ROWS[split]} for split in SPLITS}
    assert not any(groups[one] & groups[other] for one, other in combinations(SPLITS, 2))


def test_no_message_is_near_one_of_another_split() -> None:
    """Of rows without earlier turns: "the same in the study" is short, and says what was before."""
    shingles = {
        split: [_shingles(asked(row)) for row in ROWS[split] if len(row["messages"]) == 3]
        for split in SPLITS
    }
    highest = max(
        len(mine & theirs) / len(mine | theirs)
        for one, other in combinations(SPLITS, 2)
        for mine in shingles[one]
        for theirs in shingles[other]
    )
    assert highest < 0.4


def test_the_readme_counts_what_is_there() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = {
        name: [int(cell) for cell in cells.split("|")]
        for name, cells in re.findall(r"^\| `?([a-z_ ]+?)`? \|[^|]*\|([\d |]+)\|$", text, re.M)
    }
    kinds = {split: Counter(row["kind"] for row in ROWS[split]) for split in SPLITS}
    earlier = [sum(len(row["messages"]) > 3 for row in ROWS[split]) for split in SPLITS]
    expected = {tool: [TOOLS[split][tool] for split in SPLITS] for tool in TOOLS["dev"]}
    expected |= {kind: [kinds[split][kind] for split in SPLITS] for kind in kinds["dev"]}
    expected |= {"earlier turns": earlier, "all rows": list(SIZES)}
    assert table == {name: [*counts, sum(counts)] for name, counts in expected.items()}


def _shingles(text: str) -> set[str]:
    plain = " ".join(re.findall(r"[^\W_]+", text.casefold()))
    return {plain[at : at + 5] for at in range(max(1, len(plain) - 4))}
