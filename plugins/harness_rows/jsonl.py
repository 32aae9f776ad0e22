"""The source ``jsonl``: your own chat rows, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field, model_validator

import harness
from harness import SPLITS, Split, near
from harness.kit.numbers import counted
from harness.kit.readers import Fault, File, JsonLines, Problems, encodings
from harness_rows import native
from harness_rows.dealing import (
    HELD_OUT,
    NEEDED,
    check_needed,
    check_numbers,
    deal,
    require_all,
)
from harness_rows.files import HEAD, no_text, short_names, shown

SUFFIX = ".jsonl"
_HINT = (
    'a row is {"messages": [{"role": "user", "content": "…"}], "references": ["…"], '
    '"split": "train"}; the source `rows` reads CSV and other formats: harness docs formats'
)


class Jsonl(harness.Source):
    """Rows of JSONL files; every problem of every row is found before anything starts."""

    name = "jsonl"
    known_as = ("json", "jsonlines", "file", "local")
    synonyms: ClassVar[Mapping[str, str]] = {
        "file": "path", "data_files": "files", "splits": "sizes", "split": "sizes", "seed": "draw",
    }  # fmt: skip
    revision = 5

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
        where = shown(self.options.path) if self.options.path else "data.files"
        if self._is_folder() and self.options.sizes:
            raise harness.ConfigError(
                "`sizes` deals out the rows of one file, but `path` is a folder", where=where
            )
        problems = Problems()
        rows = list(self._rows(problems))
        missing: dict[str, int] = {}
        if self.options.sizes:
            sizes = {str(split): size for split, size in self.options.sizes.items()}
            missing = deal(rows, sizes, self.options.draw)
            rows = [row for row in rows if row.split is not None or not row.split_known]
        rows = _scorable(rows, context)
        if not missing:
            for fault in native.check_together(rows):
                problems.add(fault)
        # A split whose rows have problems only seems empty.
        if not missing and not problems.count:
            splits = {row.split for row in rows}
            for split in NEEDED:
                if split not in splits:
                    why = f": there is no {split}{SUFFIX}" if self._is_folder() else ""
                    problems.add(Fault(f"the split {split} is empty{why}", where))
        for fault in self._misspelt():
            problems.add(fault)
        problems.refuse(where, _HINT)
        require_all(missing, where)
        context.progress(len(rows), len(rows), "reading rows")
        yield from (_example(row) for row in rows)

    def _rows(self, problems: Problems) -> Iterator[native.Row]:
        """The rows of all files as far as they can be read."""
        files = self._files()
        labels = short_names(
            {path for _, path in files}, lambda path: f"{path.parent.name}/{path.name}"
        )
        for split, path in files:
            before, count = problems.count, 0
            try:
                for row in _rows_of(path, split, labels[path], problems):
                    count += 1
                    yield row
            except FileNotFoundError:
                problems.add(Fault("there is no such file", shown(path)))
            except IsADirectoryError:
                problems.add(Fault("is a folder, not a file", shown(path)))
            except OSError as error:
                reason = f"cannot be read: {error.strerror}"
                problems.add(Fault(reason, shown(path)))
            if not count and problems.count == before:
                problems.add(Fault("the file has no rows", shown(path), 1, 1))

    def _is_folder(self) -> bool:
        return self.options.path is not None and self.options.path.is_dir()

    def _files(self) -> list[tuple[str | None, Path]]:
        if self.options.path is None:
            return list(self.options.files.items())
        if self._is_folder():
            return [
                (split, path)
                for split in SPLITS
                if (path := self.options.path / f"{split}{SUFFIX}").is_file()
            ]
        return [(None, self.options.path)]

    def _misspelt(self) -> Iterator[Fault]:
        """Files of the folder whose name looks like that of a split which it lacks."""
        if self.options.path is None or not self._is_folder():
            return
        lacking = [split for split in SPLITS if split not in dict(self._files())]
        for path in sorted(self.options.path.glob(f"*{SUFFIX}")):
            if path.stem not in SPLITS and (hint := near(path.stem, lacking)):
                yield Fault(f"not the name of a split{hint}", shown(path))


def beside(path: Path, context: harness.Context) -> Iterator[harness.Example]:
    """The rows of one file, each of which says its split.

    Raises:
        DataError: with all problems, the first twenty in full.
    """
    source = Jsonl(Jsonl.Options.model_validate({"path": path}))
    problems = Problems()
    rows = _scorable(list(source._rows(problems)), context)
    for fault in native.check_together(rows):
        problems.add(fault)
    problems.refuse(shown(path), _HINT)
    context.remark(f"{len(rows)} rows of {shown(path)} stand beside the others")
    yield from map(_example, rows)


def _scorable(rows: Sequence[native.Row], context: harness.Context) -> list[native.Row]:
    """The rows without those of dev and test that have rejected answers alone."""
    scorable = [row for row in rows if row.good_answer or row.split not in HELD_OUT]
    if left_out := len(rows) - len(scorable):
        context.remark(
            f"{counted(left_out, 'row')} of dev and test left out: with rejected answers alone "
            "nothing can be scored"
        )
    return scorable


def _rows_of(path: Path, split: str | None, label: str, problems: Problems) -> Iterator[native.Row]:
    """The rows of one file; raises OSError."""
    file = File(path, shown(path))
    with file.open() as stream:
        head = stream.read(HEAD)
    if reason := no_text(head):
        problems.add(Fault(reason, file.label, 1, 1))
        return
    if fault := encodings.fault(file):
        problems.add(fault)
        return
    reader = JsonLines(file, problems.add)
    for at, (number, value) in enumerate(reader.rows()):
        row = native.Row(file.label, label, number, reader.records, at)
        for fault in native.fill(row, value, split):
            problems.add(fault)
        yield row


def _example(row: native.Row) -> harness.Example:
    return harness.Example(
        id=row.id,
        messages=tuple(row.messages),
        references=tuple(row.references or ()),
        rejected=tuple(row.rejected),
        split=cast(Split, row.split),
        group=row.group,
        meta=row.meta,
        tools=tuple(row.tools),
        thought=row.thought,
        place=f"{row.label}:{row.line}",
    )
