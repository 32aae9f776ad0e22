"""``python-questions``: answers that follow from the code, dealt out lopsided on purpose."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pydantic import ValidationError

import harness
from harness_sources.python_files import PythonFile
from harness_sources.python_questions import INSTRUCTION, KINDS, QUESTIONS, PythonQuestions
from harness_sources.questions import Asked, read
from harness_sources.repeats import Repeats

Examples = tuple[harness.Example, ...]
SIZES = {"train": 160, "pool": 420, "dev": 180, "test": 120}
RARE = {"raises": 3, "defaults": 3}
POOL = {"raises": 30, "defaults": 40}

SMALL = '''
def opened(path, mode="r", *rest, limit=None):
    """Open it."""
    if mode == "x":
        raise ValueError("mode")
    if rest:
        raise TypeError
    raise ValueError(path)


class Shelf:
    def put(self, book, /, at=-1, *, quiet=False):
        self.books[at] = book
        self.count, last = self.count + 1, book.title
        log.info(last)
        len(self.books)
        log.info(last)

    @property
    def first(self):
        if self.books:
            return self.books[0]
        return None

    @classmethod
    def made(cls, *names):
        with cls.lock as held:
            for cls.number in names:
                seen = held
        raise

    async def fetch(self, where):
        return await self.client.get(where)

    def nested(self, items):
        return sorted(items, key=lambda item: item.size)

    def chained(self, text="\\n", factor=1e400):
        make(text)(factor)
        raise make(text)(factor)

    def nothing(self):
        """Only documented."""

    def to_do(self): ...

    def split(self, half="\\ud800", end="\\n"):
        return half
'''


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    path = tmp_path_factory.mktemp("small") / "small.py"
    path.write_text(SMALL, "utf-8")
    return {item.qualname: item for item in read(PythonFile("small", path), 1, 1000)}


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("opened", "parameters", None),  # four are too many
        ("opened", "raises", {"ValueError": 2, "TypeError": 1}),
        ("opened", "defaults", {"mode": "r", "limit": None}),
        ("opened", "calls", ["ValueError"]),
        ("opened", "returns", None),
        ("Shelf.put", "parameters", ["book", "at", "quiet"]),
        ("Shelf.put", "assigns", None),  # a place in a list has no name
        ("Shelf.put", "calls", ["log.info", "len"]),
        ("Shelf.put", "defaults", {"at": -1, "quiet": False}),
        ("Shelf.first", "parameters", None),
        ("Shelf.first", "returns", ["self.books[0]", "None"]),
        ("Shelf.made", "parameters", ["names"]),
        ("Shelf.made", "assigns", ["held", "cls.number", "seen"]),
        ("Shelf.made", "raises", None),  # what is raised again has no name
        ("Shelf.fetch", "returns", ["await self.client.get(where)"]),
        ("Shelf.fetch", "calls", ["self.client.get"]),
        ("Shelf.split", "parameters", ["half", "end"]),
        ("Shelf.split", "defaults", None),  # half of a pair cannot be written
        ("Shelf.chained", "calls", None),
        ("Shelf.chained", "raises", None),
        ("Shelf.chained", "defaults", None),  # infinity is no JSON
    ],
)
def test_answers(small: dict[str, Asked], name: str, kind: str, answer: object) -> None:
    text = small[name].answers.get(kind)
    assert (text and json.loads(text)) == answer


def test_functions_that_define_others_or_do_nothing_are_left_out(small: dict[str, Asked]) -> None:
    assert set(small) == {
        "opened", "Shelf.put", "Shelf.first", "Shelf.made", "Shelf.fetch", "Shelf.chained",
        "Shelf.split",
    }  # fmt: skip


def test_code_is_whole_and_without_docstring(small: dict[str, Asked]) -> None:
    code = small["opened"].code
    assert code.startswith("def opened(") and code.endswith("raise ValueError(path)")
    assert "Open it" not in code
    assert small["Shelf.first"].code.startswith("@property\ndef first(self):\n    if self.books")
    assert small["Shelf.first"].form == "property"


# The standard library


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """As the shipped config draws, with another number."""
    rare = {"train": RARE, "pool": POOL}
    options = PythonQuestions.Options.model_validate({"sizes": SIZES, "rare": rare, "draw": 101})
    context = harness.Context(tmp_path_factory.mktemp("stdlib"))
    return tuple(PythonQuestions(options).load(context))


def by_split(examples: Examples) -> dict[str, list[harness.Example]]:
    found: dict[str, list[harness.Example]] = defaultdict(list)
    for example in examples:
        found[example.split].append(example)
    return found


def code_of(example: harness.Example) -> str:
    return example.prompt.partition("```python\n")[2].removesuffix("\n```")


def test_kinds_are_even_but_for_those_that_are_rare_in_a_split(drawn: Examples) -> None:
    splits = by_split(drawn)
    kinds = {name: Counter(e.meta["kind"] for e in rows) for name, rows in splits.items()}
    assert kinds["train"] == {
        "parameters": 39, "calls": 39, "assigns": 38, "returns": 38, "raises": 3, "defaults": 3
    }  # fmt: skip
    assert {kind: kinds["pool"][kind] for kind in POOL} == POOL
    assert sum(kinds["pool"].values()) == SIZES["pool"]
    for split in ("dev", "test"):
        assert kinds[split] == dict.fromkeys(KINDS, SIZES[split] // len(KINDS))


def test_rare_kinds_of_dev_come_from_many_modules(drawn: Examples) -> None:
    dev = by_split(drawn)["dev"]
    assert max(Counter(e.group for e in dev).values()) <= 3
    for kind in RARE:
        assert len({e.group for e in dev if e.meta["kind"] == kind}) >= 12


def test_prompt_and_answer_are_those_of_the_kind(drawn: Examples) -> None:
    for example in drawn:
        system, user = example.messages
        kind = example.meta["kind"]
        assert system == {"role": "system", "content": INSTRUCTION}
        assert user["content"].startswith(QUESTIONS[kind] + "\n\n```python\n")
        answer = json.loads(example.references[0])
        assert isinstance(answer, dict if kind in RARE else list) and 1 <= len(answer) <= 3
        assert len(example.references[0]) <= 50


def test_what_an_answer_names_stands_in_the_code(drawn: Examples) -> None:
    for example in drawn:
        if example.meta["kind"] != "returns":  # written anew from the syntax tree
            for name in json.loads(example.references[0]):
                assert name.rpartition(".")[2] in code_of(example)


def test_no_module_and_no_near_repeat_is_on_both_sides(drawn: Examples) -> None:
    splits = by_split(drawn)
    sides = [splits["train"] + splits["pool"], splits["dev"], splits["test"]]
    for one, other in itertools.combinations(sides, 2):
        assert not {e.group for e in one} & {e.group for e in other}
        repeats = Repeats(map(code_of, one))
        assert [e.id for e in other if code_of(e) in repeats] == []


def test_each_function_is_asked_once(drawn: Examples) -> None:
    assert len({e.id for e in drawn}) == len({code_of(e) for e in drawn}) == sum(SIZES.values())


def test_meta_says_only_what_the_prompt_shows(drawn: Examples) -> None:
    for example in drawn:
        assert list(example.meta) == ["kind", "area", "form"]
    assert len({e.meta["area"] for e in drawn}) >= 8


# Folders


def module(number: int) -> str:
    """A module with one function that resembles no other module's: it is longer."""
    steps = "\n".join(f"    step_{number}_{at} = thing[{at * number}]" for at in range(number + 2))
    return f"def make_{number}(thing, size={number}):\n{steps}\n    return thing\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with twenty modules of one function."""
    root = tmp_path / "code"
    root.mkdir()
    for number in range(20):
        (root / f"m{number}.py").write_text(module(number), "utf-8")
    return root


def load(folder: Path, **options: object) -> Examples:
    given = {
        "folder": folder, "max_code": 2000, "kinds": ["parameters", "returns", "defaults"],
        "rare": {"train": {"defaults": 1}}, "sizes": {"train": 5, "pool": 3, "dev": 3, "test": 3},
    }  # fmt: skip
    source = PythonQuestions(PythonQuestions.Options.model_validate(given | options))
    return tuple(source.load(harness.Context(folder)))


def test_a_folder_gives_rows(folder: Path) -> None:
    kinds = {name: Counter(e.meta["kind"] for e in r) for name, r in by_split(load(folder)).items()}
    even = {"parameters": 1, "returns": 1, "defaults": 1}
    assert kinds == {
        "train": {"parameters": 2, "returns": 2, "defaults": 1},
        "pool": even, "dev": even, "test": even,
    }  # fmt: skip


def test_the_draw_depends_on_its_number_alone(folder: Path) -> None:
    before = load(folder)
    moved = folder.rename(folder.with_name("elsewhere"))
    assert load(moved) == before
    assert [row.id for row in load(moved, draw=1)] != [row.id for row in before]


def test_a_kind_may_be_absent_from_train(folder: Path) -> None:
    rows = by_split(load(folder, rare={"train": {"defaults": 0}}))
    assert "defaults" not in {e.meta["kind"] for e in rows["train"]}
    assert "defaults" in {e.meta["kind"] for e in rows["pool"]}


def test_a_file_that_is_no_python_is_counted_and_skipped(folder: Path) -> None:
    (folder / "bad.py").write_text("def broken(:\n", "utf-8")
    context = harness.Context(folder)
    options = {"folder": folder, "sizes": {"train": 1, "pool": 1, "dev": 1, "test": 1}}
    assert len(list(PythonQuestions(PythonQuestions.Options(**options)).load(context))) == 4
    assert context.facts["unreadable_files"] == 1


def test_too_few_rows_are_refused_by_split_and_kind(folder: Path) -> None:
    with pytest.raises(harness.DataError) as caught:
        load(folder, kinds=["parameters", "raises"], rare={"train": {"raises": 1}})
    assert caught.value.exit_code == 4
    assert "14 rows are wanted, but the 20 usable functions in 20 modules fill fewer" in str(
        caught.value.what
    )
    assert "dev, raises: 1 wanted, 0 found" in caught.value.details


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"min_code": 700}, "min_code"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["calls", "calls"]}, "given twice"),
        ({"kinds": ["verbs"]}, "verbs"),
        ({"kinds": ["calls"], "rare": {"dev": {"raises": 3}}}, "dev: raises is not among"),
        ({"rare": {"pool": {"raises": -1}}}, "greater than or equal to 0"),
        ({"rare": {"train": {"raises": 300, "defaults": 300}}}, "600 rows, but the split has 400"),
        ({"rare": {"valid": {"raises": 3}}}, "valid"),
        ({"rare": {"train": dict.fromkeys(KINDS, 3)}}, "all kinds are rare"),
        ({"sizes": {"trian": 5}}, "trian"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PythonQuestions.Options.model_validate(options)
