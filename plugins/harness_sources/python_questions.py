"""The source ``python-questions``: what a Python function takes, calls, raises, in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

import harness
from harness import Split
from harness.kit.draws import fraction
from harness_sources import python_files, questions, reading
from harness_sources.areas import area
from harness_sources.code_rows import SPLITS, CodeOptions, SizedSplit
from harness_sources.dealing import Dealer, Quotas, Row
from harness_sources.questions import KINDS, QUESTIONS, Asked, Kind

INSTRUCTION = "Answer in the format of our index of functions."


class PythonQuestions(harness.Source):
    """Questions about Python functions whose answers a program has checked, some kinds rare.

    A row shows a function without its docstring and asks one question; the answer is JSON, in a
    format that each kind of question has and no prompt tells. The kinds are dealt evenly, but
    for those under ``rare``, of which a split has so many rows. A module's rows are never on
    both sides of train and pool, dev, test.
    """

    name = "python-questions"
    revision = 2

    class Options(CodeOptions):
        kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of questions")
        rare: dict[SizedSplit, dict[Kind, Annotated[int, Field(ge=0)]]] = Field(
            {},
            description="split -> kind -> rows of it; the other kinds share the rest of the "
            "split evenly",
        )
        min_code: int = Field(default=50, ge=1, description="minimum number of characters of code")
        max_code: int = Field(default=220, ge=1, description="maximum number of characters of code")
        per_group: int = Field(
            default=3, ge=1, description="maximum number of rows of one module in dev, and in test"
        )

        @model_validator(mode="after")
        def _whole(self) -> PythonQuestions.Options:
            if len(set(self.kinds)) < len(self.kinds):
                raise ValueError("a kind is given twice")
            for split, rows in self.rare.items():
                _check_rare(split, rows, self.kinds, getattr(self.sizes, split))
            return self

    options: Options

    def inputs(self) -> Sequence[Path]:
        """Every Python file that is read, sorted by module."""
        return tuple(file.path for file in self._files())

    def load(self, context: harness.Context) -> Iterator[harness.Example]:
        """The rows, split by split.

        Raises:
            DataError: there are fewer usable functions than rows wanted.
            EnvironmentFailure: a package is not installed.
        """
        options = self.options
        found = list(reading.each(self._files(), self._read, context))
        usable = _once(found, options.draw)
        quotas = _quotas(options)
        splits = Dealer(usable, quotas, options.per_group, options.draw).splits()
        self._require(splits, quotas, usable)
        context.note(functions=len(usable), modules=len({item.module for item in usable}))
        for split, rows in splits.items():
            yield from (_example(item, kind, split) for item, kind in rows)

    def _files(self) -> list[python_files.PythonFile]:
        return python_files.find(self.options.packages, self.options.folder)

    def _read(self, file: python_files.PythonFile) -> list[Asked]:
        wanted = set(self.options.kinds)
        found = questions.read(file, self.options.min_code, self.options.max_code)
        return [item for item in found if wanted & set(item.answers)]

    def _require(
        self, splits: Mapping[Split, Sequence[Row]], quotas: Quotas, usable: Sequence[Asked]
    ) -> None:
        short = []
        for split, wanted in quotas.items():
            given = Counter(kind for _, kind in splits[split])
            short += [
                f"{split}, {kind}: {number} wanted, {given[kind]} found"
                for kind, number in wanted.items()
                if given[kind] < number
            ]
        if short:
            modules = len({item.module for item in usable})
            raise harness.DataError(
                f"{sum(self.options.sizes.model_dump().values())} rows are wanted, but the "
                f"{len(usable)} usable functions in {modules} modules fill fewer",
                where="data.sizes",
                details=short,
                hint="lower `sizes`, raise `max_code` or `per_group`, or add packages",
            )


def _check_rare(split: str, rare: Mapping[Kind, int], kinds: Sequence[Kind], size: int) -> None:
    """Raises ValueError where a split cannot have the rows that ``rare`` gives it."""
    unknown = [kind for kind in rare if kind not in kinds]
    if unknown:
        raise ValueError(f"rare, {split}: {', '.join(unknown)} is not among the `kinds`")
    if len(rare) == len(kinds):
        raise ValueError(f"rare, {split}: all kinds are rare; leave one out, which has the rest")
    if sum(rare.values()) > size:
        raise ValueError(f"rare, {split}: {sum(rare.values())} rows, but the split has {size}")


def _quotas(options: PythonQuestions.Options) -> Quotas:
    """Split -> kind -> rows wanted."""
    return {
        split: _shares(options.kinds, options.rare.get(split, {}), getattr(options.sizes, split))
        for split in SPLITS
    }


def _shares(kinds: Sequence[Kind], rare: Mapping[Kind, int], rows: int) -> dict[Kind, int]:
    common = [kind for kind in kinds if kind not in rare]
    given = {**_evenly(common, rows - sum(rare.values())), **rare}
    return {kind: given[kind] for kind in kinds}


def _evenly(kinds: Sequence[Kind], rows: int) -> dict[Kind, int]:
    each, left = divmod(rows, len(kinds))
    return {kind: each + (at < left) for at, kind in enumerate(kinds)}


def _once(found: Iterable[Asked], draw: int) -> list[Asked]:
    """Functions whose id and code no other one has, in the order of the draw."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for item in sorted(found, key=lambda f: (fraction(draw, f.id), f.number, f.code)):
        keys = {("id", item.id), ("code", " ".join(item.code.split()))}
        if not keys & seen:
            kept.append(item)
            seen |= keys
    return kept


def _example(item: Asked, kind: Kind, split: Split) -> harness.Example:
    content = f"{QUESTIONS[kind]}\n\n```python\n{item.code}\n```"
    return harness.Example(
        id=item.id,
        messages=(
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": content},
        ),
        references=(item.answers[kind],),
        split=split,
        group=item.module,
        meta={"kind": kind, "area": area(item.package), "form": item.form},
        place=f"{item.module}:{item.number}",
    )
