"""The source ``jsonl``: your own chat rows, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field, model_validator

import harness
from harness import Split
from harness_rows.dealing import check_needed, check_numbers, deal, require_all
from harness_rows.files import shown
from harness_rows.jsonl import files, sets
from harness_rows.jsonl.rows import Row


class Jsonl(harness.Source):
    """Rows of JSONL files; every problem of every row is found before anything starts."""

    name = "jsonl"
    known_as = ("json", "jsonlines", "file", "local")
    synonyms: ClassVar[Mapping[str, str]] = {
        "file": "path", "data_files": "files", "splits": "sizes", "split": "sizes", "seed": "draw",
    }  # fmt: skip
    revision = 2

    class Options(harness.Options):
        path: Path | None = Field(
            None,
            description="a file whose rows say their `split` (or use `sizes`), or a folder with "
            "train.jsonl, dev.jsonl, test.jsonl and perhaps pool.jsonl and valid.jsonl",
        )
        files: dict[Split, Path] = Field({}, description="split -> file, instead of `path`")
        sizes: dict[Split, int | float] = Field(
            {},
            description="split -> share (together 1) or number of rows: deals the rows of a file "
            "that have no `split` out by a hash of their group",
        )
        draw: int = Field(0, description="another number deals otherwise; the run's seed does not")

        @model_validator(mode="after")
        def _whole(self) -> Jsonl.Options:
            if (self.path is None) == (not self.files):
                raise ValueError("give either `path` or `files`")
            if self.files and self.sizes:
                raise ValueError("`sizes` deals out the rows of one file: give `path`")
            check_needed("files", self.files)
            check_needed("sizes", {split: n for split, n in self.sizes.items() if n})
            check_numbers(list(self.sizes.values()))
            return self

    options: Options

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """See :meth:`harness.Plugin.check`."""
        if "draw" in self.options.model_fields_set and not self.options.sizes:
            yield harness.Problem("without `sizes` no row is dealt out", ("draw",), "note")

    def inputs(self) -> Sequence[Path]:
        """The files that are read (those that are there: :meth:`load` names the others)."""
        return tuple(path for _, path in self._files() if path.is_file())

    def load(self, context: harness.Context) -> Iterator[harness.Example]:
        """The rows, file by file.

        Raises:
            DataError: with all problems, the first twenty in full.
        """
        where = self._where()
        if self._is_folder() and self.options.sizes:
            raise harness.ConfigError(
                "`sizes` deals out the rows of one file, but `path` is a folder", where=where
            )
        reading = files.read(self._files())
        problems = list(reading.problems)
        if self._is_folder() and self.options.path is not None:
            problems += files.strangers(self.options.path)
        missing = self._deal(reading.rows)
        rows = [row for row in reading.rows if not self._is_left_over(row)]
        reading.rows = rows
        if not missing:
            problems += sets.check(reading, where, self._is_folder())
        files.refuse(problems, where)
        require_all(missing, where)
        context.progress(len(rows), len(rows), "reading rows")
        yield from (_example(row) for row in rows)

    def _is_folder(self) -> bool:
        return self.options.path is not None and self.options.path.is_dir()

    def _where(self) -> str:
        return shown(self.options.path) if self.options.path else "data.files"

    def _files(self) -> list[tuple[str | None, Path]]:
        if self.options.path is None:
            return list(self.options.files.items())
        if self._is_folder():
            return list(files.in_folder(self.options.path).items())
        return [(None, self.options.path)]

    def _deal(self, rows: list[Row]) -> dict[str, int]:
        if not self.options.sizes:
            return {}
        sizes = {str(split): size for split, size in self.options.sizes.items()}
        return deal(rows, sizes, self.options.draw)

    def _is_left_over(self, row: Row) -> bool:
        return bool(self.options.sizes) and row.split is None and row.split_known


def _example(row: Row) -> harness.Example:
    return harness.Example(
        id=row.id,
        messages=tuple(row.messages),
        references=tuple(row.references or ()),
        split=cast(Split, row.split),
        group=row.group,
        meta=row.meta,
        tools=tuple(row.tools),
        place=f"{row.label}:{row.line}",
    )
