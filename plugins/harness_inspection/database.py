"""A run's database as the commands ask it: one place for what they all need to know first."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import read_json
from harness.kit.text import one_line, storable

DATABASE = "run.duckdb"
HELD = 2
"""Databases that stay open in a process."""

Row = dict[str, Any]


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + storable(text).replace("'", "''") + "'"


def among(ids: Collection[str]) -> str:
    """What follows a table, of which those rows alone are wanted.

    ``id IN (...)`` reads every row whole: of 100,000 rows it takes five times as long.
    """
    return f"SEMI JOIN (SELECT unnest([{', '.join(map(literal, ids))}]) AS id) USING (id)"


def some_of(names: Sequence[str], most: int = 8) -> str:
    """Names for a message, the first of many."""
    shown = ", ".join(one_line(name, 80) for name in names[:most])
    return shown + (f", and {len(names) - most} more" if len(names) > most else "")


@dataclass(frozen=True, slots=True)
class RunDatabase:
    """The database of one run.

    Attributes:
        primary: the score that decides.
        kept: the round kept so far.
        rounds: rounds of the main arm that it knows, in order.
        higher: whether more is better in the primary score.
        version: what tells the file from any other, and from one that takes its place.
        asking: answers SQL, while the database is open.
    """

    path: Path
    run: str
    primary: str
    kept: int
    rounds: tuple[int, ...]
    higher: bool
    version: tuple[int, ...]
    asking: Callable[[str], harness.QueryResult]

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: Path) -> Iterator[RunDatabase]:
        """The database in a run's reports, as it is now: a run that goes on changes none of it.

        Raises:
            UsageError: there is none.
            DataError: it was built by another version and lacks a view, or holds no round.
        """
        path = folder / DATABASE
        version = _version(path)
        with harness.open_database(path) as asked:

            def asking(sql: str) -> harness.QueryResult:
                try:
                    return asked(sql)
                except harness.UsageError as error:
                    if error.__cause__ is None:
                        raise
                    # Our own SQL is right: what it asks is no database of ours.
                    raise harness.DataError(
                        f"this is no database that harness made: {error.what}",
                        where=str(path),
                        hint="`harness rebuild RUN` makes it again from what the run has stored",
                    ) from error

            (run,) = _rows(asking(_HEAD))
            if not run["rounds"]:
                raise harness.DataError(
                    "it holds no closed round yet", where=str(path), hint="harness iterate"
                )
            yield cls(
                path, run["run"], run["primary_score"], run["kept_round"], tuple(run["rounds"]),
                run["higher"] is not False, version, asking,
            )  # fmt: skip

    @classmethod
    @contextlib.contextmanager
    def held(cls, folder: Path) -> Iterator[RunDatabase]:
        """The same, which stays open for the next call in this process; threads take turns.

        To open a database of 100,000 rows takes half as long as all that is asked of one of them.
        Another file in its place is opened anew.
        """
        path = (folder / DATABASE).absolute()
        with _turn:
            version = _version(path)
            if path not in _held or _held[path][0].version != version:
                oldest = list(_held)[: max(0, len(_held) + 1 - HELD)]
                for old in [path] if path in _held else oldest:
                    _held.pop(old)[1].close()
                stack = contextlib.ExitStack()
                _held[path] = stack.enter_context(cls.opened(folder)), stack
            try:
                yield _held[path][0]
            except harness.UsageError:  # of whoever asked
                raise
            except BaseException:
                _held.pop(path)[1].close()
                raise

    def ask(self, sql: str) -> list[Row]:
        """The rows of a query, each by the names of its columns."""
        return _rows(self.asking(sql))

    def round(self, number: int | None, option: str = "--round") -> int:
        """That round, or the kept one.

        Raises:
            UsageError: the run has no such round.
        """
        if number is None:
            return self.kept
        if number not in self.rounds:
            there = some_of([str(known) for known in self.rounds])
            raise harness.UsageError(f"{option} {number}: run {self.run} has the rounds {there}")
        return number

    def caveats(self) -> dict[str, str]:
        """Score -> what stands beside it wherever it is shown, of those that have such a word."""
        rows = self.ask(_CAVEATS)
        return {row["name"]: row["caveat"] for row in rows if row["caveat"]}

    def analysis(self, key: str) -> dict[str, Any]:
        """One mapping of the run's ``analysis.json``; empty where there is none to be had."""
        try:
            value = read_json(self.path.with_name("analysis.json"))[key]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return value if isinstance(value, dict) else {}

    def likely(self, name: str, sql: str) -> list[str]:
        """Of the names that a query gives, those most like ``name``, however many there are."""
        rows = self.ask(
            f"SELECT name FROM ({sql}) WHERE name IS NOT NULL ORDER BY "
            f"jaro_winkler_similarity(name, {literal(name)}) DESC, name LIMIT 20"
        )
        return [row["name"] for row in rows]


_held: dict[Path, tuple[RunDatabase, contextlib.ExitStack]] = {}
_turn = threading.Lock()


def _version(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:  # opening says what is wrong
        return ()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def need_known(option: str, name: str, names: Sequence[str], what: str) -> None:
    """Raises UsageError unless ``name`` is one of the names, offering the near one."""
    if name in names:
        return
    shown = [one_line(other, 200) for other in names]
    raise harness.UsageError(
        f"{option}: there is no {what} '{name}'{harness.near(name, shown)}",
        hint=f"there are: {some_of(shown)}" if shown else f"this run has no {what} at all",
    )


_HEAD = """
    SELECT run, primary_score, kept_round,
           (SELECT any_value(higher_is_better) FROM scores
            WHERE arm = 'main' AND split = 'dev' AND name = primary_score) AS higher,
           (SELECT list(round ORDER BY round) FROM rounds WHERE arm = 'main') AS rounds
    FROM runs"""


_CAVEATS = """
    SELECT name, any_value(caveat) AS caveat FROM scores
    WHERE arm = 'main' GROUP BY name ORDER BY name"""


def _rows(result: harness.QueryResult) -> list[Row]:
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]
