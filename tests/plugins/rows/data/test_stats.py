"""``harness data stats``: counts, shares and lengths are those of the rows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness_rows.commands.data import balance, figures, lengths, statistics
from harness_rows.sampling import Spread

from .conftest import KINDS, Shop, shop, shop_row


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
    assert found["tokens"]["rows"] == 40 and found["tokens"]["of"] == 173
    train = found["splits"][0]
    assert train["answer"]["longest"] == 31 and train["answer"]["most"] == 8


def test_what_is_scarce_in_train_is_found(place: Shop) -> None:
    rows = shop()
    for row in rows:
        if row["split"] == "train" and row["kind"] == "returns":
            row["kind"] = "billing"
    rows[0]["kind"] = "returns"
    [kind] = stats(place, rows)["fields"]
    scarce = {value["value"]: value["scarce"] for value in kind["values"]}
    assert set(scarce) == set(KINDS)
    others = sum(row["kind"] == "returns" for row in rows if row["split"] != "train")
    assert scarce.pop("returns") == pytest.approx((1 / 60) / (others / 112))
    assert set(scarce.values()) == {None}
    assert (
        "scarce in train: kind = returns, 1 of 60 rows (1.7 %)"
        in place.data("stats", "shop.jsonl", *place.columns).out
    )


def test_chance_makes_nothing_scarce() -> None:
    import random

    flagged = 0
    for seed in range(60):
        draw = random.Random(seed)
        values = [draw.choice("abcdefgh") for _ in range(200)]
        pairs = [("train" if n < 100 else "dev", value) for n, value in enumerate(values)]
        found = balance._field("letter", True, pairs)
        flagged += any(value.scarce is not None for value in found.values)
    assert flagged <= 6


def test_many_numbers_are_shown_by_ranges() -> None:
    pairs = [("train", n / 4) for n in range(100)]
    found = balance._field("price", True, pairs)
    assert [value.value for value in found.values] == [
        "0 to 4.75", "5 to 9.75", "10 to 14.75", "15 to 19.75", "20 to 24.75",
    ]  # fmt: skip
    assert [value.rows["train"] for value in found.values] == [20] * 5
    few = balance._field("stars", True, [("", n % 3) for n in range(9)])
    assert sorted(value.value for value in few.values) == ["0", "1", "2"]


def test_columns_without_a_role_are_shown_and_said_to_be_unread(place: Shop) -> None:
    place.write(shop())
    found = place.data("stats", "shop.jsonl", "--json").document
    assert {(f["name"], f["used"]) for f in found["fields"]} == {("kind", False)}
    assert "--column meta=kind makes a field" in place.data("stats", "shop.jsonl").out


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
    values = tuple(
        balance.Value(f"{name} {n}", {"train": 10 ** (n % 5), "dev": n, "": 0}) for n in range(20)
    )
    totals = {"train": sum(v.rows["train"] for v in values), "dev": sum(range(20))}
    field = balance.Field(name, True, totals, values)
    out = io.StringIO()
    console = Console(file=out, width=width)
    found = statistics.Statistics(
        data="a.csv", format=("by its columns",), problems=(), rows=20,
        splits=(statistics.Part("train", 20, 20, None, None),),
        tokens=statistics.Tokens("", "there is no model", 0, 20), languages={}, judged=0,
        turns={1: 20}, fields=(field,),
        repeats=statistics.Repeats(0, 0, 0, 0, 20, 20, 0, 0),
        answers=statistics.Answered("long", 20, ()),
    )  # fmt: skip
    figures.show(found, console, every=False)
    shown = out.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    assert "8 more (--all)" in shown and "\u202e" not in shown
    assert shown.count("█") and "Tokens are not counted: there is no model." in shown
