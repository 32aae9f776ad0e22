"""Original records, one per row, without holding them all as objects."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

Record = dict[str, Any]
"""Column -> value, as the file has it."""


class Records(Protocol):
    """The records of a file, in order."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> Record: ...

    def __iter__(self) -> Iterator[Record]: ...


class Stretches:
    """Records that are stretches of bytes of a file, decoded when they are asked for."""

    def __init__(self, path: Path, decode: Callable[[bytes], Record]) -> None:
        self._path, self._decode = path, decode
        self._starts, self._ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        """A further record lies in the bytes from ``start`` to before ``end``."""
        self._starts.append(start)
        self._ends.append(end)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, at: int, /) -> Record:
        with self._path.open("rb") as stream:
            stream.seek(self._starts[at])
            return self._decode(stream.read(self._ends[at] - self._starts[at]))

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") as stream:
            for start, end in zip(self._starts, self._ends, strict=True):
                stream.seek(start)
                yield self._decode(stream.read(end - start))


class Chained:
    """Records of several files, one after the other, or a part of them.

    Args:
        picked: (number of the part, place in it) of each record.
    """

    def __init__(self, parts: Sequence[Records], which: array[int], places: array[int]) -> None:
        self._parts, self._which, self._places = parts, which, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: int, /) -> Record:
        return self._parts[self._which[at]][self._places[at]]

    def __iter__(self) -> Iterator[Record]:
        """The records; a part is read once from its front to its end."""
        at = 0
        for number, part in enumerate(self._parts):
            if at == len(self) or self._which[at] != number:
                continue
            for place, record in enumerate(part):
                if at == len(self) or self._which[at] != number:
                    break
                if self._places[at] == place:
                    yield record
                    at += 1
