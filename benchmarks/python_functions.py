"""Write ``datasets/python-functions``: short functions in Python, each with tests.

A *template* is a filter and a result of one kind, as *even numbers* and *the sum of all …*. The
rows of a template differ in the values of the filter and in the wording, and stand in one split.
The same seed writes the same bytes: ``python benchmarks/python_functions.py``.
"""

from __future__ import annotations

import calendar
import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 28
SYSTEM = "Answer with the code of the function only."
WORDINGS = (
    "Write the Python function `{call}`. It returns {what}.",
    "Write `{call}` in Python. It has to return {what}.",
    "I need a Python function `{call}` that returns {what}.",
)
SIZES = {"test": 16, "dev": 20, "train": 18, "pool": 40}
"""Rows of each kind in each split."""
RARE = {"dates": 3, "tables": 3}
"""Kinds that are rare in train: rows there."""
ROWS_OF_A_TEMPLATE = 3
TESTS = 2
MOST_INPUTS = 60

Value = tuple[str, str]
"""A value of a filter: as it is written in the prompt, and in the code."""
INTEGERS = tuple((str(n), str(n)) for n in (3, 4, 5, 6, 7, 8, 9))
AMOUNTS = tuple((str(n), str(n)) for n in (5, 8, 10, 12, 15, 20, 25, 30))
YEARS = tuple((str(n), str(n)) for n in range(2020, 2026))
LETTERS_USED = tuple((f"'{c}'", f"'{c}'") for c in "adeglnorst")
DAYS = tuple((name, str(n)) for n, name in enumerate(calendar.day_name))
MONTHS = tuple((name, str(n)) for n, name in enumerate(calendar.month_name) if n)


@dataclass(frozen=True)
class Kind:
    """One kind of functions.

    Attributes:
        filters: words and condition, with ``{k}`` for a value -> the values.
        results: name of the function -> words and expression, with ``{f}`` for the words and
            ``{c}`` for the condition of the filter.
        inputs: draws what the tests give the function, for a value of the filter, out of words.
        note: what the argument looks like.
        imports: lines above the function.
        first: lines at its beginning.
    """

    name: str
    argument: str
    filters: Mapping[tuple[str, str], Sequence[Value]]
    results: Mapping[str, tuple[str, str]]
    inputs: Callable[[random.Random, Any, Sequence[str]], Any]
    note: str = ""
    imports: str = ""
    first: str = ""


NO_VALUE: tuple[Value, ...] = (("", "None"),)


def numbers(draw: random.Random, value: Any, words: Sequence[str] = ()) -> list[int]:
    near = [value - 1, value, value + 1, 2 * value, 3 * value] if value else []
    drawn = [*near, *(draw.randint(-40, 40) for _ in range(9 - len(near)))]
    draw.shuffle(drawn)
    return drawn


WORDS_USED = [
    "apple", "Anna", "bread", "basket", "cat", "Carol", "door", "dinner", "egg", "Emil", "floor",
    "flag", "garden", "glass", "house", "Hugo", "island", "iron", "jam", "Julia", "kettle",
    "lamp", "lemon", "moon", "milk", "night", "nest", "orange", "Otto", "paper", "pen", "queen",
    "river", "road", "salt", "stone", "table", "tea", "umbrella", "Ulla", "violin", "water",
    "window", "yellow", "yard", "zebra", "12", "407", "7",
]  # fmt: skip
FURTHER_WORDS = ("bowl", "piano")
"""For filters that none of the others meets."""


def text(draw: random.Random, value: Any, words: Sequence[str] = WORDS_USED) -> str:
    drawn = draw.sample(words, 8)
    if isinstance(value, str):
        drawn[:3] = [w for w in draw.sample(words, len(words)) if value in w][:3]
    draw.shuffle(drawn)
    return " ".join(drawn)


def prices(draw: random.Random, value: Any, words: Sequence[str] = WORDS_USED) -> dict[str, int]:
    names = [w for w in draw.sample(words, len(words)) if w.isalpha() and w.islower()]
    if isinstance(value, str):
        names.sort(key=lambda name: value not in name)
        names = names[:3] + draw.sample(names[3:], 3)
    near = [value - 1, value, value + 1] if isinstance(value, int) else []
    drawn = [*near, *(draw.randint(1, 60) for _ in range(6 - len(near)))]
    draw.shuffle(drawn)
    return dict(zip(draw.sample(names[:6], 6), drawn, strict=True))


def dates(draw: random.Random, value: Any, words: Sequence[str] = ()) -> list[str]:
    drawn = []
    for _ in range(8):
        year, month = draw.randint(2019, 2026), draw.randint(1, 12)
        if value and draw.random() < 0.5:
            year, month = (value, month) if value > 12 else (year, max(value, 1))
        drawn.append(f"{year}-{month:02}-{draw.choice((1, draw.randint(2, 28))):02}")
    return drawn


def table(draw: random.Random, value: Any, words: Sequence[str] = WORDS_USED) -> str:
    drawn = prices(draw, value, words)
    return "\n".join(f"{name};{draw.randint(1, 9)};{price}" for name, price in drawn.items())


KINDS = (
    Kind(
        "numbers",
        "numbers",
        {
            ("even numbers", "n % 2 == 0"): NO_VALUE,
            ("odd numbers", "n % 2 == 1"): NO_VALUE,
            ("positive numbers", "n > 0"): NO_VALUE,
            ("negative numbers", "n < 0"): NO_VALUE,
            ("numbers greater than {k}", "n > {k}"): INTEGERS,
            ("numbers less than {k}", "n < {k}"): INTEGERS,
            ("numbers divisible by {k}", "n % {k} == 0"): INTEGERS,
            ("numbers other than {k}", "n != {k}"): INTEGERS,
        },
        {
            "total": ("the sum of all {f} in `numbers`", "sum(n for n in numbers if {c})"),
            "squares": (
                "the sum of the squares of all {f} in `numbers`",
                "sum(n * n for n in numbers if {c})",
            ),
            "count": ("how many {f} there are in `numbers`", "sum(1 for n in numbers if {c})"),
            "select": ("the list of all {f} in `numbers`", "[n for n in numbers if {c}]"),
            "doubled": (
                "the list of all {f} in `numbers`, each times two",
                "[2 * n for n in numbers if {c}]",
            ),
            "ordered": (
                "the {f} in `numbers`, from small to large",
                "sorted(n for n in numbers if {c})",
            ),
            "largest": (
                "the largest of all {f} in `numbers`, or None",
                "max((n for n in numbers if {c}), default=None)",
            ),
            "smallest": (
                "the smallest of all {f} in `numbers`, or None",
                "min((n for n in numbers if {c}), default=None)",
            ),
        },
        numbers,
    ),
    Kind(
        "words",
        "text",
        {
            ("words with more than {k} characters", "len(w) > {k}"): INTEGERS[:4],
            ("words with fewer than {k} characters", "len(w) < {k}"): INTEGERS[1:4],
            ("words with exactly {k} characters", "len(w) == {k}"): INTEGERS[:4],
            ("words that start with {k}", "w.startswith({k})"): LETTERS_USED,
            ("words that end with {k}", "w.endswith({k})"): LETTERS_USED,
            ("words that contain {k}", "{k} in w"): LETTERS_USED,
            ("words that do not contain {k}", "{k} not in w"): LETTERS_USED,
            ("words that start with a capital letter", "w[0].isupper()"): NO_VALUE,
        },
        {
            "count": (
                "how many {f} there are in `text`",
                "sum(1 for w in text.split() if {c})",
            ),
            "select": ("the list of all {f} in `text`", "[w for w in text.split() if {c}]"),
            "upper": (
                "the list of all {f} in `text`, in upper case",
                "[w.upper() for w in text.split() if {c}]",
            ),
            "lengths": (
                "the list of the lengths of all {f} in `text`",
                "[len(w) for w in text.split() if {c}]",
            ),
            "joined": (
                "all {f} in `text`, joined by hyphens",
                "'-'.join(w for w in text.split() if {c})",
            ),
            "ordered": (
                "the {f} in `text`, in alphabetical order",
                "sorted(w for w in text.split() if {c})",
            ),
            "initials": (
                "the first letters of all {f} in `text` as one string",
                "''.join(w[0] for w in text.split() if {c})",
            ),
            "backwards": (
                "the list of all {f} in `text`, each reversed",
                "[w[::-1] for w in text.split() if {c}]",
            ),
        },
        text,
    ),
    Kind(
        "letters",
        "text",
        {
            ("vowels", "c in 'aeiou'"): NO_VALUE,
            ("digits", "c.isdigit()"): NO_VALUE,
            ("capital letters", "c.isupper()"): NO_VALUE,
            ("small letters", "c.islower()"): NO_VALUE,
            ("letters", "c.isalpha()"): NO_VALUE,
            ("characters other than {k}", "c != {k}"): LETTERS_USED,
            ("characters from {k} on in the alphabet", "c >= {k}"): LETTERS_USED[1:],
            ("characters of the word {k}", "c in {k}"): tuple(
                (f"'{w}'", f"'{w}'") for w in ("garden", "stone", "lamp", "water", "road")
            ),
        },
        {
            "count": ("how many {f} there are in `text`", "sum(1 for c in text if {c})"),
            "keep": ("the {f} of `text` as one string", "''.join(c for c in text if {c})"),
            "remove": ("`text` without the {f}", "''.join(c for c in text if not {c})"),
            "select": ("the list of all {f} in `text`", "[c for c in text if {c}]"),
            "distinct": (
                "the different {f} in `text` as a sorted list",
                "sorted(set(c for c in text if {c}))",
            ),
            "stars": (
                "`text` with a star in place of each of the {f}",
                "''.join('*' if {c} else c for c in text)",
            ),
            "places": (
                "the list of the positions of all {f} in `text`",
                "[i for i, c in enumerate(text) if {c}]",
            ),
            "upper": (
                "the {f} of `text` as one string in upper case",
                "''.join(c.upper() for c in text if {c})",
            ),
        },
        text,
    ),
    Kind(
        "prices",
        "prices",
        {
            ("cost more than {k}", "price > {k}"): AMOUNTS,
            ("cost less than {k}", "price < {k}"): AMOUNTS,
            ("cost at most {k}", "price <= {k}"): AMOUNTS,
            ("cost an even amount", "price % 2 == 0"): NO_VALUE,
            ("start with {k}", "item.startswith({k})"): LETTERS_USED,
            ("end with {k}", "item.endswith({k})"): LETTERS_USED,
            ("contain {k}", "{k} in item"): LETTERS_USED,
            ("do not contain {k}", "{k} not in item"): LETTERS_USED,
        },
        {
            "count": (
                "how many items {f}",
                "sum(1 for item, price in prices.items() if {c})",
            ),
            "total": (
                "the sum of the prices of the items that {f}",
                "sum(price for item, price in prices.items() if {c})",
            ),
            "items": (
                "the list of the items that {f}",
                "[item for item, price in prices.items() if {c}]",
            ),
            "ordered": (
                "the items that {f}, in alphabetical order",
                "sorted(item for item, price in prices.items() if {c})",
            ),
            "select": (
                "a dictionary of the items that {f}",
                "{{item: price for item, price in prices.items() if {c}}}",
            ),
            "doubled": (
                "a dictionary of the items that {f}, at twice the price",
                "{{item: 2 * price for item, price in prices.items() if {c}}}",
            ),
            "highest": (
                "the highest price of the items that {f}, or 0",
                "max((price for item, price in prices.items() if {c}), default=0)",
            ),
            "names": (
                "the items that {f} as one string, joined by commas",
                "','.join(item for item, price in prices.items() if {c})",
            ),
        },
        prices,
        note=" `prices` is a dictionary of item and price.",
    ),
    Kind(
        "dates",
        "days",
        {
            ("fall on a {k}", "d.weekday() == {k}"): DAYS,
            ("do not fall on a {k}", "d.weekday() != {k}"): DAYS,
            ("fall on a weekend", "d.weekday() >= 5"): NO_VALUE,
            ("are in {k}", "d.month == {k}"): MONTHS,
            ("are not in {k}", "d.month != {k}"): MONTHS,
            ("are in the year {k}", "d.year == {k}"): YEARS,
            ("are after the year {k}", "d.year > {k}"): YEARS[:-1],
            ("are the first of a month", "d.day == 1"): NO_VALUE,
        },
        {
            "count": ("how many of the days {f}", "sum(1 for d in dates if {c})"),
            "select": (
                "the list of the days that {f}, written as in `days`",
                "[d.isoformat() for d in dates if {c}]",
            ),
            "years": (
                "the list of the years of the days that {f}",
                "[d.year for d in dates if {c}]",
            ),
            "months": (
                "the list of the months, as numbers, of the days that {f}",
                "[d.month for d in dates if {c}]",
            ),
            "names": (
                "the list of the names, as 'Monday', of the days that {f}",
                "[d.strftime('%A') for d in dates if {c}]",
            ),
            "written": (
                "the list of the days that {f}, written as 31.12.2024",
                "[d.strftime('%d.%m.%Y') for d in dates if {c}]",
            ),
            "latest": (
                "the year of the latest of the days that {f}, or None",
                "max((d.year for d in dates if {c}), default=None)",
            ),
        },
        dates,
        note=" `days` is a list of texts such as '2024-12-31'.",
        imports="from datetime import date\n\n",
        first="    dates = [date.fromisoformat(day) for day in days]\n",
    ),
    Kind(
        "tables",
        "table",
        {
            ("cost more than {k}", "int(price) > {k}"): AMOUNTS,
            ("cost less than {k}", "int(price) < {k}"): AMOUNTS,
            ("cost at most {k}", "int(price) <= {k}"): AMOUNTS,
            ("have a name that starts with {k}", "item.startswith({k})"): LETTERS_USED,
            ("have a name that ends with {k}", "item.endswith({k})"): LETTERS_USED,
            ("have a name that contains {k}", "{k} in item"): LETTERS_USED,
            ("have a count of more than {k}", "int(count) > {k}"): INTEGERS[:4],
            ("have a count of less than {k}", "int(count) < {k}"): INTEGERS[:4],
        },
        {
            "count": ("how many rows {f}", "sum(1 for item, count, price in rows if {c})"),
            "names": (
                "the list of the names of the rows that {f}",
                "[item for item, count, price in rows if {c}]",
            ),
            "pieces": (
                "the sum of the counts of the rows that {f}",
                "sum(int(count) for item, count, price in rows if {c})",
            ),
            "value": (
                "the sum of count times price of the rows that {f}",
                "sum(int(count) * int(price) for item, count, price in rows if {c})",
            ),
            "prices": (
                "a dictionary of name and price of the rows that {f}",
                "{{item: int(price) for item, count, price in rows if {c}}}",
            ),
            "highest": (
                "the highest price of the rows that {f}, or 0",
                "max((int(price) for item, count, price in rows if {c}), default=0)",
            ),
            "ordered": (
                "the names of the rows that {f}, in alphabetical order",
                "sorted(item for item, count, price in rows if {c})",
            ),
        },
        table,
        note=" `table` is a text with lines such as 'apple;3;20': name, count, price.",
        first="    rows = [line.split(';') for line in table.splitlines()]\n",
    ),
)


def code(kind: Kind, name: str, expression: str) -> str:
    return f"{kind.imports}def {name}({kind.argument}):\n{kind.first}    return {expression}"


def source(kind: str, name: str, words: str) -> str:
    """The right code of a function: how its filter is said, with the value in it."""
    (those,) = (each for each in KINDS if each.name == kind)
    for (said, condition), values in those.filters.items():
        for shown, k in values:
            if said.format(k=shown) == words:
                return code(those, name, those.results[name][1].format(c=condition.format(k=k)))
    raise KeyError(words)


def called(source: str, name: str, given: Any) -> Any:
    """What the function of a source returns."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names[name](given)


def others(kind: Kind, name: str, condition: str, k: str) -> Iterator[str]:
    """Sources that are wrong by one part: without the filter, with another, with another result."""
    expression = kind.results[name][1]
    conditions = {"True", f"not ({condition})"}
    for (_, other), values in kind.filters.items():
        conditions |= {other.format(k=k)} if k != "None" and k in dict(values).values() else set()
        conditions |= {other} if "{k}" not in other else set()
    for other in sorted(conditions - {condition}):
        yield code(kind, name, expression.format(c=f"({other})"))
    for result, (_, other) in kind.results.items():
        if result != name:
            yield code(kind, name, other.format(c=condition))


def tests(kind: Kind, name: str, condition: str, k: str, draw: random.Random) -> str:
    """Assertions that the right source passes and the wrong ones do not.

    Of drawn inputs those are kept that a wrong source fails which passed the ones before. A wrong
    source that passes all of them does the same thing as the right one (capital letters, in upper
    case).
    """
    right = code(kind, name, kind.results[name][1].format(c=condition))
    wrong = list(others(kind, name, condition, k))
    asserted: dict[str, str] = {}
    for n in range(MOST_INPUTS):
        given = kind.inputs(draw, eval(k), WORDS_USED)
        expected = called(right, name, given)
        passing = [source for source in wrong if called(source, name, given) == expected]
        if n < TESTS or len(passing) < len(wrong):
            asserted[f"{name}({given!r})"] = repr(expected)
        wrong = passing
    empty = type(given)()
    nothing = repr(called(right, name, empty))
    more = random.Random(right)
    while set(asserted.values()) == {nothing}:  # a constant would pass
        given = kind.inputs(more, eval(k), (*WORDS_USED, *FURTHER_WORDS))
        asserted[f"{name}({given!r})"] = repr(called(right, name, given))
    asserted[f"{name}({empty!r})"] = nothing
    return "\n".join(f"assert {call} == {value}" for call, value in asserted.items())


def rows(kind: Kind, draw: random.Random) -> dict[str, list[dict[str, Any]]]:
    """The rows of a kind, by split: templates are dealt, then each gives some rows."""
    templates = list(itertools.product(kind.filters, kind.results))
    draw.shuffle(templates)
    dealt: dict[str, list[dict[str, Any]]] = {split: [] for split in SIZES}
    for split, size in SIZES.items():
        wanted = RARE.get(kind.name, size) if split == "train" else size
        while len(dealt[split]) < wanted:
            (words, condition), name = templates.pop()
            values = kind.filters[words, condition]
            for value, wording in zip(
                draw.sample(list(values), min(len(values), ROWS_OF_A_TEMPLATE)),
                draw.sample(WORDINGS, len(WORDINGS)),
                strict=False,
            ):
                if len(dealt[split]) < wanted:
                    dealt[split].append(row(kind, name, words, condition, value, wording, draw))
    return dealt


def row(
    kind: Kind,
    name: str,
    words: str,
    condition: str,
    value: Value,
    wording: str,
    draw: random.Random,
) -> dict[str, Any]:
    what, expression = kind.results[name]
    shown, k = value
    condition_used = condition.format(k=k)
    prompt = wording.format(
        call=f"{name}({kind.argument})", what=what.format(f=words.format(k=shown))
    )
    answer = code(kind, name, expression.format(c=condition_used))
    return {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": prompt + kind.note},
        ],
        "references": [f"```python\n{answer}\n```"],
        "group": f"{kind.name}: {name}, {words}",
        "meta": {"kind": kind.name, "tests": tests(kind, name, condition_used, k, draw)},
    }


def main(folder: Path) -> None:
    """Write the four files into a folder."""
    draw = random.Random(SEED)
    splits: dict[str, list[dict[str, Any]]] = {split: [] for split in SIZES}
    for kind in KINDS:
        for split, some in rows(kind, draw).items():
            splits[split] += some
    for split, some in splits.items():
        draw.shuffle(some)
        lines = [
            json.dumps({"id": f"pf-{split}-{n:03}", **each, "split": split}, ensure_ascii=False)
            for n, each in enumerate(some, 1)
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).parents[1] / "datasets" / "python-functions")
