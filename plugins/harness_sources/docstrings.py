"""The source ``docstrings``: Python functions as questions, their docstrings as answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import harness
from harness import Split
from harness.kit.draws import fraction
from harness_sources import functions, python_files, reading
from harness_sources.areas import area
from harness_sources.code_rows import PACKAGE_SHARE, CodeOptions, Sizes, held_out_order
from harness_sources.functions import Function
from harness_sources.repeats import Repeats

INSTRUCTION = "Write the first line of the docstring of this Python function."


class Docstrings(harness.Source):
    """Python functions without their docstring; the reference is the docstring's first line.

    A module's rows are never on both sides of train and pool, dev, test. Codes and lines
    occur once; nothing in train or pool nearly repeats a row of dev or test.
    """

    name = "docstrings"
    revision = 1

    class Options(CodeOptions):
        pass

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
        found = list(self._read(context))
        usable = _once(found, self.options.draw)
        draw = _Draw(usable, self.options.sizes, self.options.per_group, self.options.draw)
        splits = draw.splits()
        self._require(splits, usable)
        context.note(functions=len(usable), modules=len({f.module for f in usable}))
        for split, rows in splits.items():
            yield from (_example(function, split) for function in rows)

    def _files(self) -> list[python_files.PythonFile]:
        return python_files.find(self.options.packages, self.options.folder)

    def _read(self, context: harness.Context) -> Iterator[Function]:
        least, most = self.options.min_code, self.options.max_code
        return reading.each(self._files(), lambda file: functions.read(file, least, most), context)

    def _require(self, splits: Mapping[Split, Sequence[Function]], usable: list[Function]) -> None:
        wanted = self.options.sizes.model_dump()
        short = [name for name, rows in splits.items() if len(rows) < wanted[name]]
        if not short:
            return
        modules = len({function.module for function in usable})
        raise harness.DataError(
            f"{sum(wanted.values())} rows are wanted, but there are only {len(usable)} usable "
            f"functions in {modules} modules, and these fill fewer",
            where="data.sizes",
            details=[f"{name}: {wanted[name]} wanted, {len(splits[name])} found" for name in short],
            hint="lower `sizes`, raise `max_code` or `per_group`, or add packages",
        )


def _once(found: Iterable[Function], draw: int) -> list[Function]:
    """Functions whose id, code and line no other one has, in the order of the draw."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for function in sorted(found, key=lambda f: (fraction(draw, f.id), f.number, f.code)):
        keys = {
            ("id", function.id),
            ("code", " ".join(function.code.split())),
            ("line", function.line.casefold().rstrip(".!: ")),
        }
        if not keys & seen:
            kept.append(function)
            seen |= keys
    return kept


@dataclass
class _Draw:
    """One way to deal functions (in order) out to the splits, a module to one side only."""

    usable: list[Function]
    sizes: Sizes
    per_group: int
    draw: int
    held: dict[Split, list[Function]] = field(default_factory=lambda: {"dev": [], "test": []})
    repeats: dict[Split, Repeats] = field(
        default_factory=lambda: {"dev": Repeats(), "test": Repeats()}
    )

    def splits(self) -> dict[Split, list[Function]]:
        taken = self._hold_out()
        rest = [f for f in self.usable if f.module not in taken and not self._repeats(f)]
        chosen = _balanced(rest, self.sizes.train + self.sizes.pool)
        # The balanced order puts small packages first: mix before cutting.
        chosen.sort(key=lambda f: fraction(self.draw, f"train or pool/{f.id}"))
        cut = self.sizes.train
        return {"train": chosen[:cut], "pool": chosen[cut:], **self.held}

    def _hold_out(self) -> set[str]:
        """Fill dev and test; the modules that went there."""
        modules: dict[str, list[Function]] = defaultdict(list)
        for function in self.usable:
            modules[function.module].append(function)
        order = held_out_order(modules, self.per_group, self.draw)
        taken: set[str] = set()
        for share in (PACKAGE_SHARE, 1.0):
            for module in order:
                if module not in taken and self._hold(modules[module], share):
                    taken.add(module)
        return taken

    def _hold(self, rows: Sequence[Function], share: float) -> bool:
        """Put rows of one module into dev or test, whichever has more room, unless its package
        would exceed its share there; whether any went."""
        free = {split: 1 - len(held) / self._wanted(split) for split, held in self.held.items()}
        split: Split = "dev" if free["dev"] >= free["test"] else "test"
        wanted, held = self._wanted(split), self.held[split]
        of_package = sum(function.package == rows[0].package for function in held)
        most = max(self.per_group, int(share * wanted))
        room = min(self.per_group, wanted - len(held), most - of_package)
        other = self.repeats["test" if split == "dev" else "dev"]
        fresh = [function for function in rows if function.code not in other][: max(0, room)]
        for function in fresh:
            self.repeats[split].add(function.code)
        held += fresh
        return bool(fresh)

    def _repeats(self, function: Function) -> bool:
        return any(function.code in repeats for repeats in self.repeats.values())

    def _wanted(self, split: Split) -> int:
        return self.sizes.dev if split == "dev" else self.sizes.test


def _balanced(rows: Sequence[Function], wanted: int) -> list[Function]:
    """The first ``wanted`` rows, none of a package beyond its share while others have rows."""
    most = max(1, int(wanted * PACKAGE_SHARE))
    seen: Counter[str] = Counter()
    first: list[Function] = []
    later: list[Function] = []
    for function in rows:
        seen[function.package] += 1
        (first if seen[function.package] <= most else later).append(function)
    return [*first, *later][:wanted]


def _example(function: Function, split: Split) -> harness.Example:
    content = f"{INSTRUCTION}\n\n```python\n{function.code}\n```"
    return harness.Example(
        id=function.id,
        messages=({"role": "user", "content": content},),
        references=(function.line,),
        split=split,
        group=function.module,
        meta=_meta(function),
        place=f"{function.module}:{function.number}",
    )


def _meta(function: Function) -> dict[str, str | int]:
    """Facts of the prompt only: whatever the answer alone shows would be a leak."""
    size = len(function.code)
    return {
        "package": function.package,
        "area": area(function.package),
        "kind": function.kind,
        "length": "short" if size <= 200 else "medium" if size <= 400 else "long",
        "args": function.args,
        "verb": function.verb,
    }
