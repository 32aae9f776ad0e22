"""``harness data stats``: counts, shares and lengths are those of the rows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness_rows import sampling
from harness_rows.commands.data import figures, lengths
from harness_rows.sampling import Spread

from .conftest import Shop, shop, shop_row


def stats(place: Shop, rows: Any, *options: str) -> Any:
    place.write(rows)
    done = place.data("stats", "shop.jsonl", *place.columns, *options, "--json")
    assert done.code == 0, done.err
    return done.document


def test_rows_and_groups_are_counted_by_split(place: Shop) -> None:
    found = stats(place, shop())
    assert {p["split"]: (p["rows"], p["groups"]) for p in found["splits"]} == {
        "train": (60, 30), "pool": (12, 6), "dev": (50, 25), "test": (50, 25),
    }  # fmt: skip
    assert found["rows"] == 172 and found["turns"] == {"1": 172}


def test_lengths_are_those_of_the_rendered_rows(place: Shop) -> None:
    rows = shop(more=[shop_row(300, answer="a b c d e f g h i j k l m n o p")])
    train = stats(place, rows)["splits"][0]
    # The fake trainer's tokens are words; <user>, the question, <assistant>, and <end>.
    asked = len(shop_row(0)["question"].split()) + 2
    assert train["prompt"]["median"] in (asked, asked + 1)
    assert train["answer"] == {"median": 8, "most": 8, "rare": 17, "longest": 17}


def test_a_spread_is_of_the_drawn_rows_and_its_maximum_of_all() -> None:
    assert Spread.of(range(1, 101), [*range(1, 101), 500]) == Spread(50, 95, 99, 500)


def test_of_many_rows_some_and_the_longest_are_measured(
    place: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lengths, "MOST", 20)
    rows = shop(more=[shop_row(301, answer="very " * 30)])
    rows.insert(1, rows.pop())
    found = stats(place, rows)
    assert 40 <= found["tokens"]["rows"] <= 48 and found["tokens"]["of"] == 173
    train = found["splits"][0]
    assert train["answer"]["longest"] == 31 and train["answer"]["most"] == 8


def test_of_long_rows_the_longest_of_each_split_are_measured(
    place: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "MEASURED", 6_000)
    rows = [shop_row(n, question=f"{n} " + "long " * 200) for n in range(60)]
    rows += [shop_row(n, "dev") for n in range(30)]
    rows[73]["question"] += " why" * 20
    rows[75]["answer"] = "so " * 20
    found = stats(place, rows)
    assert found["tokens"]["rows"] < 25
    dev = next(part for part in found["splits"] if part["split"] == "dev")
    asked = len(rows[73]["question"].split()) + 2
    assert (dev["prompt"]["longest"], dev["answer"]["longest"]) == (asked, 21)


def test_columns_without_a_role_are_shown_and_said_to_be_unread(place: Shop) -> None:
    place.write(shop())
    found = place.data("stats", "shop.jsonl", "--json").document
    assert {(f["name"], f["used"]) for f in found["fields"]} == {("kind", False)}
    assert "--column meta=kind makes a field" in place.data("stats", "shop.jsonl").out


def test_shares_of_a_value_are_compared_with_those_of_train(place: Shop) -> None:
    rows = shop()
    for row in rows:
        if row["split"] == "train" and row["kind"] == "returns":
            row["kind"] = "billing"
    rows[0]["kind"] = "returns"
    [kind] = stats(place, rows)["fields"]
    counts = {value["value"]: value["rows"] for value in kind["values"]}
    assert [counts[name]["train"] for name in ("billing", "delivery", "returns")] == [39, 20, 1]
    shown = place.data("stats", "shop.jsonl", *place.columns).out
    [line] = [line for line in shown.splitlines() if line.startswith("returns")]
    assert 5 < line.count("█") < 12


def test_labels_are_a_field_of_their_own(place: Shop) -> None:
    rows = [row | {"answer": ("yes", "no", "perhaps")[n % 3]} for n, row in enumerate(shop())]
    found = stats(place, rows)
    assert found["answers"]["kind"] == "labels"
    assert [f["name"] for f in found["fields"]] == ["answer", "kind"]


def test_repeats_and_conflicts_are_counted(place: Shop) -> None:
    more = [shop_row(3), shop_row(5, answer="No."), shop_row(4, "dev", split="train")]
    found = stats(place, shop(more=more))["repeats"]
    assert (found["exact"], found["leaks"], found["conflicts"]) == (1, 1, 1)
    assert found["conflict_rows"] == 2


def test_test_of_a_config_is_counted_and_not_shown(place: Shop) -> None:
    found = place.data("stats", "--json")
    assert found.code == 0 and "source 'fake' of the config" in found.document["data"]
    assert {p["split"] for p in found.document["splits"]} == {"train", "pool", "dev", "test"}
    rows = [row | {"answer": "sealed" if row["split"] == "test" else "open"} for row in shop()]
    place.write(rows)
    config = (place.folder / "harness.yaml").read_text()
    source = "{source: rows, path: shop.jsonl, columns: {group: customer}}"
    (place.folder / "harness.yaml").write_text(config.replace("{source: fake}", source, 1))
    done = place.data("stats")
    assert done.code == 0 and "open" in done.out and "sealed" not in done.out


@pytest.mark.parametrize("width", [50, 80, 120, 200])
@pytest.mark.parametrize("name", ["kind", "a [red]name[/red] that is rather long \u202e"])
def test_bars_fit_the_terminal(width: int, name: str) -> None:
    values = [
        {"value": f"{name} {n}", "rows": {"train": 10 ** (n % 5), "dev": n, "": 0}}
        for n in range(20)
    ]
    totals = {"train": 4 * 11111, "dev": sum(range(20))}
    out = io.StringIO()
    console = Console(file=out, width=width)
    document = {
        "data": "a.csv", "problems": (), "rows": 20,
        "splits": [{"split": "train", "rows": 20, "groups": 20, "prompt": None, "answer": None}],
        "tokens": {"model": "", "why": "there is no model", "rows": 0, "of": 20,
                   "shortened": 0},
        "languages": {}, "judged": 0, "turns": {1: 20},
        "fields": [{"name": name, "used": True, "totals": totals, "values": values}],
        "repeats": {"exact": 0, "leaks": 0, "conflicts": 0, "conflict_rows": 0},
        "answers": {"kind": "long", "distinct": 20, "frequent": []},
    }  # fmt: skip
    figures.show(document, console)
    shown = out.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    assert "8 more, --json has all" in shown and "\u202e" not in shown
    assert ("█" in shown or width == 50) and "Tokens are not counted: there is no model." in shown


def test_of_a_row_of_megabytes_the_middle_is_no_token(place: Shop) -> None:
    found = stats(place, shop(more=[shop_row(302, question="why " * 500_000 + "so?")]))
    asked = found["splits"][0]["prompt"]["longest"]
    assert 24_000 < asked < 26_000 and found["tokens"]["shortened"] == 1
    said = "1 row has more than 100,000 characters: lengths leave out the middle of such rows."
    assert said in " ".join(place.data("stats", "shop.jsonl").out.split())
