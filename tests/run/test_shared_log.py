"""One log of all folders that share a store: each line counts once, whoever writes when."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from harness.errors import DataError
from harness.run import objects
from harness.run.objects import StoreError
from harness.run.shared_log import SharedLog


@dataclass(frozen=True, slots=True)
class Line:
    who: str
    count: int


class Machine:
    """A working folder, and what its log comes to."""

    def __init__(self, folder, store=None) -> None:
        folder.mkdir()
        self.log: SharedLog[Line] = SharedLog(
            folder / "openings.jsonl", Line, schema=1, cost="it cannot be known", hint="a backup"
        )
        if store:
            self.join(store)

    def join(self, store) -> None:
        objects.attach(self.log.path.parent, f"file://{store}")

    def lines(self) -> list[Line]:
        found: list[Line] = []
        self.log.read(found.append)
        return found

    def count(self, who: str) -> int:
        """How many lines there were before this one, by what it knew when it wrote it."""

        def decide() -> int:
            number = len(self.lines())
            self.log.append(Line(who, number))
            return number

        return self.log.alone(decide)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def test_without_a_store_it_is_a_file(tmp_path):
    machine = Machine(tmp_path / "a")
    assert [machine.count("a"), machine.count("b")] == [0, 1]


def test_two_machines_count_each_other(tmp_path, store):
    one, other = Machine(tmp_path / "a", store), Machine(tmp_path / "b", store)
    assert [one.count("one"), other.count("other"), one.count("one")] == [0, 1, 2]
    other.log.alone(lambda: None)
    assert one.log.path.read_bytes() == other.log.path.read_bytes()


def test_whoever_is_overtaken_decides_anew(tmp_path, store):
    one, other = Machine(tmp_path / "a", store), Machine(tmp_path / "b", store)
    tries = []

    def decide() -> int:
        number = len(one.lines())
        tries.append(number)
        if len(tries) == 1:
            other.count("quicker")
        one.log.append(Line("slower", number))
        return number

    assert one.log.alone(decide) == 1 and tries == [0, 1]
    assert [line.count for line in one.lines()] == [0, 1]


def test_lines_of_before_are_added_at_the_end_once(tmp_path, store):
    one, other = Machine(tmp_path / "a", store), Machine(tmp_path / "b")
    one.count("one")
    other.count("before")
    other.count("before, too")
    other.join(store)
    for machine in (other, one, other):
        machine.log.alone(lambda: None)
        assert [line.who for line in machine.lines()][-2:] == ["before", "before, too"]
    one.log.alone(lambda: None)
    assert [line.who for line in one.lines()] == ["one", "before", "before, too"]
    assert one.log.path.read_bytes() == other.log.path.read_bytes()


def test_a_file_that_was_removed_comes_back(tmp_path, store):
    machine = Machine(tmp_path / "a", store)
    machine.count("first")
    machine.log.path.unlink()
    assert machine.count("second") == 1


def test_what_is_gone_from_the_store_is_put_there_again(tmp_path, store):
    machine = Machine(tmp_path / "a", store)
    for _ in range(5):
        machine.count("x")
    for path in sorted((store / "logs" / "openings").iterdir())[2:]:
        path.unlink()
    assert machine.count("y") == 5
    assert Machine(tmp_path / "b", store).count("z") == 6


def test_a_line_that_was_changed_is_not_believed(tmp_path, store):
    Machine(tmp_path / "a", store).count("x")
    path = store / "logs" / "openings" / "00000001"
    path.write_bytes(path.read_bytes().replace(b"x", b"y"))
    with pytest.raises(StoreError, match=r"line 1 of openings\.jsonl in the store was changed"):
        Machine(tmp_path / "b", store).count("z")


def test_a_damaged_line_here_is_not_sent(tmp_path, store):
    machine = Machine(tmp_path / "a")
    machine.count("x")
    machine.log.path.write_bytes(machine.log.path.read_bytes().replace(b"x", b"y"))
    machine.join(store)
    with pytest.raises(DataError, match="damaged"):
        machine.count("z")
    assert not (store / "logs").exists()


def test_many_at_once_each_get_a_number_of_their_own(tmp_path, store):
    machines = [Machine(tmp_path / name, store) for name in "abcd"]
    numbers: list[int] = []

    def work(machine: Machine) -> None:
        for _ in range(5):
            numbers.append(machine.count("x"))

    threads = [threading.Thread(target=work, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(20))
