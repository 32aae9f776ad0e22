"""The source ``docstrings`` on the real standard library and on small folders."""

from __future__ import annotations

import ast
import importlib
import itertools
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pydantic import ValidationError

import harness
import harness_sources
from harness_sources.code_rows import PACKAGE_SHARE, Sizes
from harness_sources.docstrings import INSTRUCTION, Docstrings
from harness_sources.repeats import Repeats

Examples = tuple[harness.Example, ...]
HELD = ("dev", "test")


def code_of(example: harness.Example) -> str:
    head, tail = f"{INSTRUCTION}\n\n```python\n", "\n```"
    assert example.prompt.startswith(head) and example.prompt.endswith(tail)
    return example.prompt[len(head) : -len(tail)]


def by_split(examples: Examples) -> dict[str, list[harness.Example]]:
    found: dict[str, list[harness.Example]] = defaultdict(list)
    for example in examples:
        found[example.split].append(example)
    return found


def test_the_plugin_registers_its_sources() -> None:
    names = [source.name for source in harness_sources.register_sources()]
    assert names == ["docstrings", "python-questions"]


# The standard library


def test_the_splits_have_the_wanted_sizes(stdlib: Examples) -> None:
    assert {split: len(rows) for split, rows in by_split(stdlib).items()} == Sizes().model_dump()


def test_every_row_is_well_formed(stdlib: Examples) -> None:
    assert len({example.id for example in stdlib}) == len(stdlib)
    for example in stdlib:
        (line,) = example.references
        assert 15 <= len(line) <= 160 and line == " ".join(line.split())
        assert 80 <= len(code_of(example)) <= 600
        assert [message["role"] for message in example.messages] == ["user"]
        module, _, number = example.place.partition(":")
        assert module == example.group and int(number) > 0


def test_the_docstring_is_gone_and_the_rest_is_python(stdlib: Examples) -> None:
    for example in stdlib:
        code = code_of(example)
        assert example.references[0].casefold() not in code.casefold()
        (function,) = ast.parse(code).body
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        assert ast.get_docstring(function) is None


def test_the_reference_is_what_python_itself_says_the_docstring_is(stdlib: Examples) -> None:
    checked = 0
    for example in stdlib:
        if example.meta["package"] in ("json", "textwrap", "shutil", "statistics", "email"):
            module, _, path = example.id.partition(":")
            target = importlib.import_module(module)
            for name in path.split("."):
                target = vars(target)[name]
            doc = getattr(target, "__func__", target).__doc__
            assert example.references[0] == " ".join(doc.strip().split("\n")[0].split())
            checked += 1
    assert checked >= 5


def test_no_module_is_on_both_sides(stdlib: Examples) -> None:
    groups = {split: {e.group for e in rows} for split, rows in by_split(stdlib).items()}
    training = groups["train"] | groups["pool"]
    assert not groups["dev"] & groups["test"]
    assert not training & (groups["dev"] | groups["test"])


def test_held_out_splits_have_many_groups_of_at_most_four(stdlib: Examples) -> None:
    for split in ("dev", "test"):
        sizes = Counter(example.group for example in by_split(stdlib)[split])
        assert max(sizes.values()) <= 4 and len(sizes) >= 40


def test_nothing_occurs_twice(stdlib: Examples) -> None:
    codes = Counter(" ".join(code_of(example).split()) for example in stdlib)
    lines = Counter(example.references[0].casefold().rstrip(".") for example in stdlib)
    assert codes.most_common(1)[0][1] == 1 and lines.most_common(1)[0][1] == 1


def test_no_near_repeat_is_in_two_sides(stdlib: Examples) -> None:
    splits = by_split(stdlib)
    sides = [splits["train"] + splits["pool"], splits["dev"], splits["test"]]
    for one, other in itertools.combinations(sides, 2):
        repeats = Repeats(map(code_of, one))
        assert [example.id for example in other if code_of(example) in repeats] == []


def test_no_package_fills_a_side(stdlib: Examples) -> None:
    splits = by_split(stdlib)
    for rows in (splits["train"] + splits["pool"], splits["dev"], splits["test"]):
        packages = Counter(example.meta["package"] for example in rows)
        assert packages.most_common(1)[0][1] <= PACKAGE_SHARE * len(rows)


def test_meta_is_flat_and_says_only_what_the_prompt_shows(stdlib: Examples) -> None:
    for example in stdlib:
        meta = example.meta
        assert list(meta) == ["package", "area", "kind", "length", "args", "verb"]
        assert meta["package"] == example.group.partition(".")[0]
        name = example.id.rpartition(".")[2].rpartition(":")[2]
        assert meta["verb"] in ("other", "special") or meta["verb"] in name.lower()
    assert len({example.meta["area"] for example in stdlib}) >= 8


def test_tests_and_generated_modules_are_left_out(stdlib: Examples) -> None:
    for example in stdlib:
        assert not {"test", "tests", "idle_test", "encodings"} & set(example.group.split("."))


def test_the_draw_is_the_same_again(stdlib: Examples, tmp_path: Path) -> None:
    seeded = harness.Context(tmp_path, seed=99)
    assert tuple(Docstrings().load(seeded)) == stdlib


def test_too_many_rows_are_refused_with_the_number_there_is(tmp_path: Path) -> None:
    source = Docstrings(Docstrings.Options(packages=("json",), sizes=Sizes(train=5000)))
    with pytest.raises(harness.DataError) as caught:
        list(source.load(harness.Context(tmp_path)))
    assert "5720 rows are wanted" in caught.value.what
    assert "usable functions in" in caught.value.what
    assert caught.value.details[0].startswith("train: 5000 wanted, ")
    assert caught.value.exit_code == 4


# Folders


def module(number: int) -> str:
    """A module with one function that resembles no other module's: it is longer."""
    steps = "\n".join(f"    step_{number}_{at} = thing[{at * number}]" for at in range(number + 2))
    head = f'def make_{number}(thing):\n    """Make the thing number {number}."""\n'
    return f"{head}{steps}\n    return '\\d'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with twelve modules of one function, and one of many."""
    root = tmp_path / "code"
    (root / "sub" / "tests").mkdir(parents=True)
    for number in range(12):
        (root / "sub" / f"m{number}.py").write_text(module(number), "utf-8")
    many = "\n\n".join(module(number) for number in range(12, 20))
    (root / "many.py").write_text(many, "utf-8")
    (root / "sub" / "tests" / "helper.py").write_text(module(30), "utf-8")
    (root / "test_it.py").write_text(module(31), "utf-8")
    return root


def load(folder: Path, **options: object) -> tuple[harness.Example, ...]:
    sizes = {"train": 3, "pool": 1, "dev": 3, "test": 3}
    given = {"folder": folder, "max_code": 2000, "sizes": sizes}
    source = Docstrings(Docstrings.Options.model_validate(given | options))
    return tuple(source.load(harness.Context(folder)))


def test_a_folder_gives_rows(folder: Path) -> None:
    rows = load(folder)
    assert {split: len(found) for split, found in by_split(rows).items()} == {
        "train": 3, "pool": 1, "dev": 3, "test": 3
    }  # fmt: skip
    assert {row.group for row in rows} <= {"many", *(f"sub.m{n}" for n in range(12))}


def test_the_draw_does_not_depend_on_where_the_folder_is(folder: Path) -> None:
    before = load(folder)
    assert load(folder.rename(folder.with_name("elsewhere"))) == before


def test_another_draw_gives_other_rows(folder: Path) -> None:
    drawn = [tuple(row.id for row in load(folder, draw=draw)) for draw in (0, 1, 2, 0)]
    assert len(set(drawn)) == 3 and drawn[0] == drawn[3]


def test_per_group_bounds_the_held_out_rows_of_a_module(folder: Path) -> None:
    seen = 0
    for draw in range(30):
        held = Counter(r.group for r in load(folder, per_group=2, draw=draw) if r.split in HELD)
        seen = max(seen, held["many"])
    assert seen == 2


def test_same_code_in_two_modules_counts_once(folder: Path) -> None:
    for number in range(12):
        (folder / f"copy{number}.py").write_text(module(number), "utf-8")
    rows = load(folder)
    assert len({row.references for row in rows}) == len(rows)


def test_renamed_copies_are_not_on_two_sides(folder: Path) -> None:
    for number in range(12):
        text = module(number).replace("thing", "stuff").replace("step", "stage")
        text = text.replace("Make the", "Put together the")
        (folder / f"copy{number}.py").write_text(text, "utf-8")
    for draw in range(10):
        sides: dict[str, set[str]] = defaultdict(set)
        for row in load(folder, draw=draw):
            number = row.references[0].rstrip(".").rpartition(" ")[2]
            sides[number].add("train" if row.split == "pool" else row.split)
        assert all(len(found) == 1 for found in sides.values())


@pytest.mark.parametrize("text", ["def broken(:\n", "print 'two'\n", "# coding: nonsense\n", "\0"])
def test_a_file_that_is_no_python_is_counted_and_skipped(text: str, folder: Path) -> None:
    (folder / "bad.py").write_text(text, "utf-8")
    context = harness.Context(folder)
    options = Docstrings.Options(folder=folder, sizes=Sizes(train=1, pool=0, dev=1, test=1))
    assert len(list(Docstrings(options).load(context))) == 3
    assert context.facts["unreadable_files"] == 1


def test_inputs_are_the_files_that_are_read(folder: Path) -> None:
    inputs = Docstrings(Docstrings.Options(folder=folder)).inputs()
    names = [str(path.relative_to(folder)) for path in inputs]
    assert names == sorted(["many.py", *(f"sub/m{number}.py" for number in range(12))])


# Packages


def test_a_package_is_found_without_importing_it(tmp_path: Path) -> None:
    package = "xmlrpc"
    assert package not in sys.modules, "choose a package that no test imports"
    inputs = Docstrings(Docstrings.Options(packages=(package,))).inputs()
    assert [path.name for path in inputs] == ["__init__.py", "client.py", "server.py"]
    assert package not in sys.modules


def test_a_package_is_found_by_its_distribution_name() -> None:
    inputs = Docstrings(Docstrings.Options(packages=("pydantic-core",))).inputs()
    assert {path.parent.name for path in inputs} == {"pydantic_core"}


def test_a_subpackage_can_be_named() -> None:
    inputs = Docstrings(Docstrings.Options(packages=("email.mime",))).inputs()
    assert inputs and {path.parent.name for path in inputs} == {"mime"}


@pytest.mark.parametrize("name", ["no_such_package", "sys", "", "..", "pydantic_core.nothing"])
def test_a_package_that_is_not_there_is_an_environment_failure(name: str) -> None:
    with pytest.raises(harness.EnvironmentFailure) as caught:
        Docstrings(Docstrings.Options(packages=(name,))).inputs()
    assert caught.value.exit_code == 3


def test_a_misspelt_package_gets_a_suggestion() -> None:
    with pytest.raises(harness.EnvironmentFailure, match="did you mean 'pydantic'"):
        Docstrings(Docstrings.Options(packages=("pydantc",))).inputs()


def test_a_missing_or_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.txt").touch()
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "file.txt"):
        with pytest.raises(harness.DataError):
            Docstrings(Docstrings.Options(folder=path)).inputs()


@pytest.mark.parametrize(
    "options",
    [{"min_code": 700}, {"sizes": {"train": 0}}, {"sizes": {"trian": 5}}, {"package": ["json"]}],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Docstrings.Options.model_validate(options)
