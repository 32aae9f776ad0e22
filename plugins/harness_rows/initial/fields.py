"""Columns that play no part yet: which one names groups, and which are facts of the prompt."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.stats.decision import MAX_SHARE, MIN_GROUPS
from harness_rows.proposals import kind_of, role_of

MOST_VALUES = 50
"""Different values of a fact: slices are looked for by each of them."""
ROWS_A_VALUE = 5
"""Rows that a value has on average."""
LONGEST_VALUE = 60
"""Characters of a value."""
MOST_FACTS = 6
LONGEST_TESTS = 100_000
"""Characters of tests that are taken for such."""
BESIDE_TESTS = ("entry_point", "test_imports", "test_setup_code")
"""What data sets call what tests need: HumanEval's name of the function, MBPP's first lines."""
FEWEST_ORIGINS = 3 * MIN_GROUPS
"""Origins from which train, dev and test can have as many as a verdict needs."""
ORIGINS = (
    "group", "customer", "client", "user", "author", "writer", "speaker", "patient", "student",
    "company", "account", "document", "doc", "article", "passage", "page", "title", "book",
    "chapter", "session", "thread", "conversation", "dialog", "dialogue", "chat", "ticket",
    "case", "story", "family", "source_id", "url", "file", "filename", "module", "repo",
)  # fmt: skip
"""What people call a column of things that several rows come from."""
OF_ANSWERS = {
    "score", "scores", "chosen", "rejected", "winner", "preferred", "preference", "margin",
    "reward", "rank", "votes", "likes", "annotator", "rater", "confidence", "logprob", "perplexity",
}  # fmt: skip
"""Words in names of what is known of the answers, or only after them: no facts of a prompt."""
_WORD = re.compile(r"[^\W\d_]+")
_ENDING = re.compile(r"[_ -]?(id|no|number|name|key|hash)$")


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns that a config should name beside those of the format.

    Attributes:
        group: column of what rows have in common; empty for none.
        facts: columns of ``meta``.
        torn: a column that names origins of rows, of which there are too few to be dealt out.
        likely: a column that could name groups by how its values repeat, though not by its name.
    """

    group: str = ""
    facts: tuple[str, ...] = ()
    likely: str = ""
    torn: str = ""


def look(records: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Fields:
    """What the unused columns may be good for.

    Args:
        records: of the rows, column -> value.
        columns: those that play no part.
    """
    values: dict[str, Counter[Any] | None] = {name: Counter() for name in columns}
    equal: dict[str, set[str]] = {}
    """Column -> those of a prompt or an answer that it repeats in each row."""
    count = 0
    for record in records:
        count += 1
        for name, counts in values.items():
            same = equal[name] if name in equal else set(record).difference(columns)
            equal[name] = {other for other in same if record.get(other) == record.get(name)}
            if counts is not None and not _counted(counts, record.get(name)):
                values[name] = None  # nested, or too long for a name
    values = {name: counts for name, counts in values.items() if not equal.get(name)}
    dates = [name for name, counts in values.items() if counts and kind_of([*counts]) == "date"]
    named = {name: counts for name, counts in values.items() if counts and name not in dates}
    origins = [name for name, counts in named.items() if _repeats(counts, count)]
    group = next((name for name in origins if _is_origin(name)), "")
    facts = [
        name
        for name, counts in named.items()
        if name != group
        and role_of(name) != "other"
        and OF_ANSWERS.isdisjoint(_WORD.findall(name.casefold()))
        and _is_fact(counts, count)
    ]
    likely = "" if group else next((name for name in origins if name not in facts), "")
    few = (n for n, counts in named.items() if _is_origin(n) and len(counts) < FEWEST_ORIGINS)
    torn = "" if group else next(few, "")
    return Fields(group, tuple(facts[:MOST_FACTS]), likely, torn)


def tests_in(records: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    """The first of the columns in which each row has assertions in Python; empty for none."""
    candidates = list(names)
    for record in records:
        candidates = [name for name in candidates if _asserts(record.get(name))]
        if not candidates:
            break
    return candidates[0] if candidates else ""


def _asserts(value: Any) -> bool:
    """Whether a value is Python that asserts something, or a list of it."""
    if isinstance(value, list):
        return bool(value) and all(map(_asserts, value))
    if not isinstance(value, str) or "assert" not in value or len(value) > LONGEST_TESTS:
        return False
    try:
        return any(map(_is_assertion, ast.walk(ast.parse(value))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_assertion(node: ast.AST) -> bool:
    """``assert`` of a test or of HumanEval's ``check``, and ``self.assertEqual`` of unittest."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr.startswith("assert")
    return isinstance(node, ast.Assert)


def _counted(counts: Counter[Any], value: Any) -> bool:
    """Count a value; False where the column cannot be a name or a fact."""
    if value is None:
        return True
    if not isinstance(value, (str, bool, int, float)):
        return False
    if isinstance(value, str) and len(value) > 4 * LONGEST_VALUE:
        return False
    counts[value] += 1
    return True


def _is_origin(name: str) -> bool:
    """Whether people call what rows come from so."""
    return _ENDING.sub("", name.strip().casefold()) in ORIGINS


def _repeats(counts: Counter[Any], rows: int) -> bool:
    """Whether rows may come from what the column names: some share one, and none has too many."""
    if counts.total() < rows:
        return False
    named = all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in counts)
    most = counts.most_common(1)[0][1]
    return named and FEWEST_ORIGINS <= len(counts) < rows and most <= MAX_SHARE * rows


def _is_fact(counts: Counter[Any], rows: int) -> bool:
    brief = all(not isinstance(value, str) or 0 < len(value) <= LONGEST_VALUE for value in counts)
    return brief and 2 <= len(counts) <= min(MOST_VALUES, rows / ROWS_A_VALUE)
