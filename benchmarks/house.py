"""The shape and the speed of two versions of this repository, side by side.

    python benchmarks/house.py counts COMMIT [COMMIT …]
    python benchmarks/house.py times OLD NEW [--rounds 5]
    python benchmarks/house.py run OLD NEW [--rounds 2]

``counts`` prints a table of sizes of the commits (``.`` is the working tree). ``times`` takes two
checkouts, each with its environment in ``.venv``, and runs each command with the old and the new
one in turn, alone on the machine; ``run`` does so with the default run, which takes minutes.
Figures are medians of wall time, and of the ratio new / old of each pair with its least and its
greatest.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from count import code_lines

ROOT = Path(__file__).resolve().parent.parent
FEATURES: dict[str, frozenset[str]] = {
    "searcher": frozenset({"Searcher"}),
    "probe": frozenset({"Probe"}),
    "baseline prompts": frozenset({"Baseline"}),
    "judge": frozenset({"Judge"}),
    "launcher": frozenset({"Launcher", "Runner"}),
    "verifier": frozenset({"Verifier"}),
    "store": frozenset({"Objects", "Folder", "Bucket", "Store"}),
}
"""Feature -> the classes of its contract: a file of ``harness/`` knows it that imports one of them,
for the checker alone, too, or takes it from a module by its name."""


class Files:
    """The Python files of one version, each parsed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.texts = {
            path.relative_to(root): path.read_text(encoding="utf-8")
            for folder in ("harness", "plugins", "tests")
            for path in sorted((root / folder).rglob("*.py"))
        }
        self.trees = {path: ast.parse(text) for path, text in self.texts.items()}

    def under(self, *folders: str) -> list[Path]:
        return [path for path in self.texts if path.parts[0] in folders]

    def code(self, *folders: str) -> int:
        return sum(code_lines(self.texts[path]) for path in self.under(*folders))

    def records(self) -> int:
        """Dataclasses, pydantic models and named tuples of harness/ and plugins/."""
        return sum(
            any("dataclass" in ast.unparse(mark) for mark in node.decorator_list)
            or bool({"BaseModel", "NamedTuple", "TypedDict"} & {ast.unparse(b) for b in node.bases})
            for path in self.under("harness", "plugins")
            for node in ast.walk(self.trees[path])
            if isinstance(node, ast.ClassDef)
        )

    def one_importer(self) -> int:
        """Modules of harness/ and plugins/ that exactly one other module imports."""
        importers: Counter[str] = Counter()
        for path in self.under("harness", "plugins"):
            importers.update(set(_imported(self.trees[path])))
        names = {_module(path) for path in self.under("harness", "plugins")}
        return sum(importers[name] == 1 for name in names)

    def used_once(self) -> tuple[int, int]:
        """Private functions of modules that are named once beside their definition, and all."""
        once = of_all = 0
        for path in self.under("harness", "plugins"):
            for node in self.trees[path].body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
                    of_all += 1
                    once += len(re.findall(rf"\b{node.name}\b", self.texts[path])) == 2
        return once, of_all

    def comments(self) -> float:
        """Lines that are a comment, in percent of all lines of harness/ and plugins/."""
        lines = [
            line.strip()
            for path in self.under("harness", "plugins")
            for line in self.texts[path].splitlines()
        ]
        return 100 * sum(line.startswith("#") for line in lines) / len(lines)

    def knowing(self, types: frozenset[str]) -> int:
        """Files of harness/ that import one of the types, or name it as an attribute."""
        return sum(bool(_named(self.trees[path]) & types) for path in self.under("harness"))


def _named(tree: ast.AST) -> set[str]:
    """What a file imports by name, and what it takes from a module: `stages.Searcher`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update(name.name for name in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            names.add(node.attr)
    return names


def _module(path: Path) -> str:
    parts = [*path.parts[1 if path.parts[0] == "plugins" else 0 : -1], path.stem]
    return ".".join(parts[:-1] if path.stem == "__init__" else parts)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from package import module`
            yield from (f"{node.module}.{name.name}" for name in node.names)


def counts(commits: Sequence[str]) -> None:
    columns = [_counted(commit) for commit in commits]
    print("| |" + "|".join(commits) + "|\n|---|" + "---:|" * len(commits))
    for name in columns[0]:
        print(f"| {name} |" + "|".join(column[name] for column in columns) + "|")


def _counted(commit: str) -> Mapping[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        root = ROOT
        if commit != ".":
            packed = subprocess.run(
                ["git", "archive", commit], cwd=ROOT, capture_output=True, check=True
            ).stdout
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(folder, filter="data")
            root = Path(folder)
        files = Files(root)
    both = ("harness", "plugins")
    once, private = files.used_once()
    rooms = {path.parts[1] for path in files.under("harness") if path.parts[1] != "__init__.py"}
    packages = {path.parts[1] for path in files.under("plugins")}
    return {
        "rooms of harness/": f"{len(rooms)}",
        "packages of plugins/": f"{len(packages)}",
        "files": f"{len(files.under(*both)):,}",
        "code lines of harness/": f"{files.code('harness'):,}",
        "code lines of plugins/": f"{files.code('plugins'):,}",
        "code lines of tests/": f"{files.code('tests'):,}",
        "record types": f"{files.records():,}",
        "modules with one importer": f"{files.one_importer():,}",
        "private functions used once": f"{once:,} of {private:,}",
        "comments, % of lines": f"{files.comments():.1f}",
        **{f"files of harness/ that know {n}": f"{files.knowing(w)}" for n, w in FEATURES.items()},
    }


FAKES = """\
rounds: 2
seed: 7
plugins: [{fakes}]
data: {{source: fake}}
model: {{source: fake}}
train: {{plugin: fake}}
generate: {{plugin: fake}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [fake]
augment: [{{plugin: fake, rows: 10}}]
execution: {{launcher: inline}}
"""


def times(old: Path, new: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _compare(_cases(Path(folder), {"old": old, "new": new}), rounds)


def run(old: Path, new: Path, rounds: int) -> None:
    """The shipped experiment, each time in an empty folder."""
    roots = {"old": old, "new": new}

    def iterate(side: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(roots[side] / "harness.yaml", folder)
            shutil.copytree(roots[side] / "datasets", Path(folder) / "datasets")
            _harness(roots[side], Path(folder), "iterate")

    _compare([("harness iterate, the default run", iterate)], rounds)


def _compare(cases: Iterable[tuple[str, Callable[[str], None]]], rounds: int) -> None:
    print("| command | old, s | new, s | new / old |\n|---|---:|---:|---:|")
    for name, command in cases:
        took: dict[str, list[float]] = {"old": [], "new": []}
        for _ in range(rounds):
            for side in took:
                begin = time.monotonic()
                command(side)
                took[side].append(time.monotonic() - begin)
        ratios = [b / a for a, b in zip(took["old"], took["new"], strict=True)]
        medians = [statistics.median(values) for values in took.values()]
        print(f"| {name} | {medians[0]:.2f} | {medians[1]:.2f} | {_spread(ratios)} |", flush=True)


def _harness(root: Path, folder: Path, *words: str) -> None:
    done = subprocess.run(
        [root / ".venv" / "bin" / "harness", *words],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{root}: harness {' '.join(words)}\n{done.stderr}")


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _cases(folder: Path, roots: Mapping[str, Path]) -> Iterator[tuple[str, Callable[[str], None]]]:
    def harness(side: str, *words: str) -> None:
        _harness(roots[side], folder / side, *words)

    for side, root in roots.items():
        (folder / side).mkdir()
        config = FAKES.format(fakes=root / "tests" / "support" / "fakes.py")
        (folder / side / "harness.yaml").write_text(config, encoding="utf-8")
        _write_pairs(folder / side, 10_000)
        _write_chats(folder / side / "chats.jsonl", 100_000)
        harness(side, "iterate")
    yield "harness --help", lambda side: harness(side, "--help")
    yield "harness iterate, finished", lambda side: harness(side, "iterate")
    scored = ("score", "-p", "answers.jsonl", "-r", "references.jsonl", "-m", "bleu,rouge")
    yield "harness score, 10,000 pairs", lambda side: harness(side, *scored, "--json")
    yield (
        "harness data dedup, 100,000 rows",
        lambda side: harness(side, "data", "dedup", "chats.jsonl"),
    )


def _write_pairs(folder: Path, count: int) -> None:
    draw, words = random.Random(1), _words()
    with (
        open(folder / "answers.jsonl", "w", encoding="utf-8") as answers,
        open(folder / "references.jsonl", "w", encoding="utf-8") as references,
    ):
        for number in range(count):
            said = draw.choices(words, k=20)
            due = [word if draw.random() < 0.7 else draw.choice(words) for word in said]
            answers.write(json.dumps({"id": f"{number}", "text": " ".join(said)}) + "\n")
            references.write(json.dumps({"id": f"{number}", "references": [" ".join(due)]}) + "\n")


def _write_chats(path: Path, count: int) -> None:
    """Rows of about 600 characters, one in ten a copy of an earlier one with two other words."""
    draw, words, said = random.Random(1), _words(), list[list[str]]()
    with open(path, "w", encoding="utf-8") as stream:
        for _ in range(count):
            row = draw.choices(words, k=80)
            if said and draw.random() < 0.1:
                row = list(draw.choice(said))
                for place in draw.sample(range(len(row)), 2):
                    row[place] = draw.choice(words)
            said.append(row)
            chat = {"prompt": " ".join(row[:40]), "response": " ".join(row[40:])}
            stream.write(json.dumps(chat) + "\n")


def _words() -> list[str]:
    draw = random.Random(0)
    return ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5_000)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Two versions of this repository, side by side.")
    commands = parser.add_subparsers(dest="command", required=True)
    counting = commands.add_parser("counts")
    counting.add_argument("commits", nargs="+")
    for compare, rounds in ((times, 5), (run, 2)):
        timing = commands.add_parser(compare.__name__)
        timing.add_argument("old", type=Path)
        timing.add_argument("new", type=Path)
        timing.add_argument("--rounds", type=int, default=rounds)
        timing.set_defaults(compare=compare)
    asked = parser.parse_args()
    if asked.command == "counts":
        counts(asked.commits)
    else:
        asked.compare(asked.old.resolve(), asked.new.resolve(), asked.rounds)


if __name__ == "__main__":
    main()
