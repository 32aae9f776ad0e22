"""A log of the folder that is one log of all folders where these belong to a shared store.

Each line is a numbered object there, and the file here is a copy of them in their order. A line is
written by creating the next number. Whoever is overtaken reads what came in between and decides
anew, so that nothing is counted by what another machine has changed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.kit.files import append_line, canonical, read_sealed, sealed, whole_lines, write_bytes
from harness.kit.lock import turn
from harness.kit.log import Log
from harness.run import objects
from harness.stages.store import Store, StoreError

Record = TypeVar("Record")
T = TypeVar("T")
BEGIN = ""
"""The chain before the first line."""


class _Overtaken(Exception):
    """Another machine has written the next line."""


class SharedLog(Log[Record]):
    """The records of one file, and of one prefix of the shared store where there is one.

    What is appended is appended within :meth:`alone`.
    """

    def alone(self, decide: Callable[[], T]) -> T:
        """What ``decide`` gives, which reads and then appends: nobody appends in between.

        It is called again where another machine was quicker; what it does besides has to bear that.

        Raises:
            DataError: a line here is damaged, or one of the store is.
            StoreError: the store does not answer.
        """
        with turn(self.path.with_suffix(".lock")):
            while True:
                self._catch_up()
                try:
                    return decide()
                except _Overtaken:
                    continue

    def append(self, record: Record, *, anywhere: bool = False) -> None:
        """Write a record down.

        Args:
            anywhere: it may stand after lines that were not read yet.
        """
        store = self._store
        line = sealed(self._fields_of(record))
        while store is not None and not self._create(store, line):
            if not anywhere:
                raise _Overtaken
            self._catch_up()
        super().append(record)

    @property
    def _store(self) -> Store | None:
        return objects.of(self.path.parent)

    @property
    def _prefix(self) -> str:
        return f"logs/{objects.as_part(self.path.stem)}"

    def _lines(self) -> list[bytes]:
        """Those of the file, without their ends.

        Raises:
            DataError: one is damaged.
        """
        lines = whole_lines(self.path.read_bytes()) if self.path.exists() else []
        for number, line in enumerate(lines, start=1):
            if trouble := read_sealed(line)[1]:
                raise self._damaged(number, trouble)
        return lines

    def _create(self, store: Store, line: bytes) -> bool:
        lines = self._lines()
        return self._claim(store, len(lines) + 1, _chains(lines)[-1], line.rstrip(b"\n"))

    def _claim(self, store: Store, number: int, before: str, line: bytes) -> bool:
        # By the claim an attempt whose answer was lost is told from an equal line of another one.
        claim = uuid.uuid4().hex
        document = {"chain": _chained(before, line), "line": line.decode(), "claim": claim}
        return store.create(objects.number_key(self._prefix, number), canonical(document))

    def _catch_up(self) -> None:
        """Have the file hold all lines of the store, and the store all lines of the file."""
        store = self._store
        if store is None:
            return
        while True:
            lines = self._lines()
            chains = _chains(lines)
            same = self._same(store, chains)
            theirs = self._after(store, same, chains[same])
            if same == len(lines):
                for line in theirs:
                    append_line(self.path, read_sealed(line)[0] or {})
                return
            # Lines of this folder that the store does not have: from before it belonged to it.
            own = [line for line in lines[same:] if line not in theirs]
            whole = [*lines[:same], *theirs]
            if all(self._added(store, whole, line) for line in own):
                write_bytes(self.path, b"".join(line + b"\n" for line in whole))
                return

    def _added(self, store: Store, whole: list[bytes], line: bytes) -> bool:
        if not self._claim(store, len(whole) + 1, _chains(whole)[-1], line):
            return False
        whole.append(line)
        return True

    def _same(self, store: Store, chains: Sequence[str]) -> int:
        """How many lines of the file are the first ones of the store."""

        def same(number: int) -> bool:
            data = store.get(objects.number_key(self._prefix, number))
            return data is not None and self._read(data, number)[0] == chains[number]

        last = len(chains) - 1
        if last == 0 or same(last):
            return last
        low, high = 0, last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if same(middle) else (low, middle)
        return low

    def _after(self, store: Store, number: int, chain: str) -> list[bytes]:
        lines = []
        for place, data in objects.numbered(store, self._prefix, number):
            said, line = self._read(data, place)
            chain = _chained(chain, line)
            if said != chain:
                raise self._broken(store, place)
            lines.append(line)
        return lines

    def _read(self, data: bytes, number: int) -> tuple[str, bytes]:
        try:
            document = json.loads(data)
            chain, line = str(document["chain"]), str(document["line"]).encode()
            if read_sealed(line)[0] is not None:
                return chain, line
        except (ValueError, KeyError, TypeError):
            pass
        store = self._store
        assert store is not None
        raise self._broken(store, number)

    def _broken(self, store: Store, number: int) -> StoreError:
        return StoreError(
            f"line {number} of {self.path.name} in the store was changed, and {self.cost}",
            where=store.url,
            hint="take the object from a backup, or from an earlier version that the store keeps",
        )


def _chained(before: str, line: bytes) -> str:
    return hashlib.sha256(before.encode() + b"\n" + line).hexdigest()


def _chains(lines: Sequence[bytes]) -> list[str]:
    """Of the first n lines, for each n from 0 on."""
    chains = [BEGIN]
    for line in lines:
        chains.append(_chained(chains[-1], line))
    return chains
