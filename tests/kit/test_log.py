"""A log gives back the records that were written, or refuses a line by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import DataError
from harness.kit.files import append_line
from harness.kit.log import Log


@dataclass(frozen=True, slots=True)
class Bought:
    name: str
    prices: Mapping[str, float]
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    name: str


RECORDS = [Bought("é \ud800", {"a": 1.5, "b": 2}, ("x",)), Sold("y"), Bought("z", {})]


@pytest.fixture
def log(tmp_path: Path) -> Log[Bought | Sold]:
    made: Log[Bought | Sold] = Log(
        tmp_path / "trade.jsonl", Bought, Sold, schema=3,
        cost="nobody knows what is left", hint="count again",
    )  # fmt: skip
    for record in RECORDS:
        made.append(record)
    return made


def records(log: Log[Bought | Sold]) -> list[Bought | Sold]:
    read: list[Bought | Sold] = []
    log.read(read.append)
    return read


def test_records_come_back_in_their_order(log: Log[Bought | Sold]) -> None:
    assert records(log) == RECORDS
    assert [b'"tags"' in line for line in log.path.read_bytes().splitlines()] == [
        True, False, False,
    ]  # fmt: skip


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert records(Log(tmp_path / "none", Bought, schema=1, cost="", hint="")) == []


def test_a_cut_line_is_passed_over_and_dropped_by_the_next(log: Log[Bought | Sold]) -> None:
    whole = log.path.read_bytes()
    begin = whole[:-1].rindex(b"\n") + 1
    for end in range(begin, len(whole)):
        log.path.write_bytes(whole[:end])
        assert records(log) == RECORDS[:2]
        log.append(RECORDS[2])
        assert log.path.read_bytes() == whole


@pytest.mark.nightly
def test_no_flipped_bit_is_believed(log: Log[Bought | Sold]) -> None:
    whole = log.path.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytes([whole[place] ^ 1 << bit])
            log.path.write_bytes(whole[:place] + changed + whole[place + 1 :])
            with pytest.raises(DataError) as caught:
                records(log)
            assert caught.value.hint == "count again"
            assert caught.value.what.endswith(", and nobody knows what is left")
            assert f"{log.path}:" in (caught.value.where or "")


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ({"schema": 2, "name": "y"}, "it has schema 2, this version reads 3"),
        ({"schema": "3", "name": "y"}, "it has schema 3, this version reads 3"),
        ({"schema": True, "name": "y"}, "it has schema True"),
        ({"name": "y"}, "it has schema None"),
        ({"schema": 3}, "it is no record of this file"),
        ({"schema": 3, "name": "y", "also": 1}, "it is no record of this file"),
        ({"schema": 3, "prices": {}}, "it is no record of this file"),
        ({"schema": 3, "name": 7}, "it is no record of this file: name: Input should be a valid"),
        ({"schema": 3, "name": "y", "prices": {"a": "1"}}, "prices.a: Input should be a valid"),
        ({"schema": 3, "name": "y", "prices": []}, "it is no record of this file: prices"),
        ({"schema": 3, "name": "y", "prices": {}, "tags": "x"}, "tags: Input should be a valid"),
    ],
)
def test_a_line_that_is_no_record_is_refused(
    log: Log[Bought | Sold], line: dict[str, object], trouble: str
) -> None:
    append_line(log.path, line)
    with pytest.raises(DataError) as caught:
        records(log)
    assert trouble in caught.value.what
    assert caught.value.where == f"{log.path}:4"


def test_a_record_that_cannot_follow_the_others_is_refused(log: Log[Bought | Sold]) -> None:
    def take(record: Bought | Sold) -> None:
        if isinstance(record, Sold):
            raise ValueError("y was never bought")

    with pytest.raises(DataError, match=r"jsonl:2: this line is damaged \(y was never bought\)"):
        log.read(take)


def test_who_can_do_without_lines_gets_the_others_in_turn(log: Log[Bought | Sold]) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(lines[0] + b"{}\n" + lines[2])
    read: list[Bought | Sold] = []
    troubles = [(*damage, len(read)) for damage in log.scan(read.append)]
    assert read == [RECORDS[0], RECORDS[2]]
    assert [(number, taken) for number, _, taken in troubles] == [(2, 1)]


@dataclass(frozen=True, slots=True)
class Stock:
    lines: int
    names: tuple[str, ...]


def test_reading_begins_with_the_last_total(tmp_path: Path) -> None:
    path = tmp_path / "trade.jsonl"

    def opened() -> Log[Sold | Stock]:
        return Log(path, Sold, Stock, schema=1, cost="", hint="", total=Stock)

    log = opened()
    for name in "abc":
        log.append(Sold(name))
    log.append(Stock(3, ("a", "b", "c")))
    log.append(Sold("d"))
    log.append(Stock(5, ("a", "b", "c", "d")))
    log.append(Sold("e"))
    after = [Stock(5, ("a", "b", "c", "d")), Sold("e")]

    def follow(other: Log[Sold | Stock], *more: Sold | Stock) -> list[Sold | Stock]:
        taken: list[Sold | Stock] = []
        other.follow(taken.append, lambda: list(more))
        return taken

    # What lies before it is not looked at.
    path.write_bytes(path.read_bytes().replace(b'"name":"b"', b'"name":"x"'))
    read: list[Sold | Stock] = []
    opened().read(read.append)
    assert read == after
    other = opened()
    assert follow(other, Sold("f")) == [*after, Sold("f")]
    assert other.followed == 8 and follow(log)[-2:] == [Sold("e"), Sold("f")]
    assert follow(other) == []
    # A line behind it that was changed has its own number.
    path.write_bytes(path.read_bytes().replace(b'"name":"f"', b'"name":"x"'))
    for read_again in (lambda: opened().read(read.append), lambda: follow(opened())):
        with pytest.raises(DataError, match="checksum") as caught:
            read_again()
        assert caught.value.where == f"{path}:8"


def test_a_total_that_was_changed_is_none(tmp_path: Path) -> None:
    path = tmp_path / "trade.jsonl"
    log: Log[Sold | Stock] = Log(path, Sold, Stock, schema=1, cost="", hint="", total=Stock)
    log.append(Sold("a"))
    log.append(Stock(1, ("a",)))
    path.write_bytes(path.read_bytes().replace(b'["a"]', b'["b"]'))
    with pytest.raises(DataError, match="checksum") as caught:
        log.read(lambda record: None)
    assert caught.value.where == f"{path}:2"
