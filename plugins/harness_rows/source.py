"""The source ``rows``: people's own files as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import harness
from harness_rows.options import RowsOptions


class Rows(harness.Source):
    """Rows of JSONL, JSON, CSV, Parquet and Arrow files, and of data sets of the hub."""

    name = "rows"
    known_as = ("csv", "parquet", "datasets", "huggingface", "hf", "table", "arrow")
    synonyms: ClassVar[Mapping[str, str]] = {
        "file": "path", "files": "path", "data_files": "path", "folder": "path", "name": "config",
        "subset": "config", "splits": "sizes", "split": "sizes", "seed": "draw",
        "template": "prompt", "system_prompt": "system", "dataset": "hub", "repo": "hub",
    }  # fmt: skip
    revision = 6

    class Options(RowsOptions):
        pass

    options: Options

    def inputs(self) -> Sequence[Path]:
        """The files that are read."""
        from harness_rows import files

        path, also = self.options.path, self.options.also
        own: tuple[Path, ...] = ()
        if path is not None and path.exists():
            own = tuple(file.path for file, _ in files.files_at(path) if file.path)
        return (*own, also) if also is not None and also.is_file() else own

    def load(self, context: harness.Context) -> Iterator[harness.Example]:
        """The rows, file by file.

        Raises:
            DataError: with a line for each kind of problem.
            EnvironmentFailure: the hub cannot be reached, or does not let us in.
        """
        from harness_rows.jsonl import beside
        from harness_rows.reading import read
        from harness_rows.splitting import dealt

        reading = read(self.options, lambda count: context.progress(count, count, "reading rows"))
        reading.refuse()
        for sentence in reading.said:
            context.remark(sentence)
        yield from dealt(
            reading,
            self.options,
            lambda done, total: context.progress(done, total, "looking for near-equal prompts"),
        )
        if self.options.also is not None:
            yield from beside(self.options.also, context)
