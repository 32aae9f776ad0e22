"""Everything that would go wrong with rows, found in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from harness import Example, Report, Screening, previewed
from harness.kit.alike.exact import dev_in_test, later
from harness.kit.decoding import EXAMPLES, decoded_wrongly
from harness.kit.text import one_line
from harness_rows.cleaning import exact
from harness_rows.cleaning.private import counting
from harness_rows.commands.data.findings import Finding, Level, counted, on_rows, pairs
from harness_rows.commands.data.opening import OpenedRows
from harness_rows.dealing import NEEDED, torn

SPLIT_IT = "harness data split -o FILE deals rows out: whole groups, one prompt on one side"


def findings(data: OpenedRows, begin: Callable[[str], Report]) -> Iterator[Finding]:
    """What is wrong with the rows, and what is worth knowing of them; no model is asked."""
    for line in data.problems:  # each says how often, and where
        yield Finding("problem", "reading", one_line(line, 400))
    if not data.rows:
        return
    yield from _ids(data.rows)
    yield from _splits(data)
    yield from _groups(data)
    yield from _verdicts(data.rows)
    prompts = exact.by_prompt(data.rows)
    report = begin("comparing prompts")
    config = data.config
    screening = config.screened(report) if config else previewed(data.rows, report=report)
    yield from _exact(prompts, screening)
    yield from _near(screening, data)
    yield from _within(prompts)
    yield from _texts(data.rows)
    yield from _private(data.rows, begin("looking for personal data"))


def _ids(rows: Sequence[Example]) -> Iterator[Finding]:
    if again := list(later(rows, lambda row: row.id)):
        what = f"{counted(len(again), 'has', 'have')} the id of an earlier row"
        hint = "give each row an id of its own, or take another column (--column id=NAME)"
        yield on_rows("problem", "duplicate-id", what, again, hint)


def _splits(data: OpenedRows) -> Iterator[Finding]:
    counts = Counter(row.split for row in data.rows)
    without = counts.pop("", 0)  # type: ignore[call-overload]
    if not counts:
        yield Finding("note", "no-split", "no row says its split", 0, (), SPLIT_IT)
        return
    if without:
        lacking = [row for row in data.rows if not row.split]
        what = f"{counted(without, 'says', 'say')} no split, and the others do"
        yield on_rows("problem", "no-split", what, lacking, SPLIT_IT)
    lacking_splits = [split for split in NEEDED if split not in counts]
    if lacking_splits:
        level: Level = "problem" if data.sealed else "note"
        what = f"no row is of {' or '.join(lacking_splits)}; a run needs {', '.join(NEEDED)}"
        yield Finding(level, "missing-split", what, 0, (), SPLIT_IT)


def _groups(data: OpenedRows) -> Iterator[Finding]:
    if rows := torn(data.rows):
        count = len({row.group for row in rows})
        groups = "1 group has" if count == 1 else f"{count:,} groups have"
        what = f"{groups} rows on two sides (train and pool, dev, test)"
        yield on_rows("problem", "torn-group", what, rows, SPLIT_IT)
    column = data.reading.columns.get("group") if data.reading else None
    if column:
        blank = [row for row in data.rows if row.group == row.id]
        if 0 < len(blank) < len(data.rows):
            what = (
                f"{counted(len(blank), 'has', 'have')} nothing in the column '{column[0]}': each "
                "is a group of its own"
            )
            yield on_rows("note", "no-group", what, blank)


def _verdicts(rows: Sequence[Example]) -> Iterator[Finding]:
    from harness.stats.decision import usable

    for split in ("dev", "test"):
        groups = [row.group for row in rows if row.split == split]
        doubt = usable(groups) if groups else ""
        if doubt:
            yield Finding(
                "warning", "no-verdict", f"{split} cannot carry a verdict: {doubt}", len(groups),
                hint="give it rows of more groups (harness docs how-many-rows)",
            )  # fmt: skip


def _exact(prompts: Mapping[str, Sequence[Example]], screening: Screening) -> Iterator[Finding]:
    """Exact repeats of dev and test: by their prompts, and those that a run leaves out."""
    leaks = list(exact.exact_leaks(prompts))
    left_out = screening.repeated
    hint = f"a run leaves {left_out:,} out; {SPLIT_IT}" if left_out else SPLIT_IT
    if leaks:
        by = Counter((row.split, held_out.split) for row, held_out in leaks)
        sides = ", ".join(f"{n:,} of {split} from {other}" for (split, other), n in by.items())
        what = f"{counted(len(leaks), 'asks', 'ask')} what a held-out row asks ({sides})"
        yield Finding("problem", "leak-exact", what, len(leaks), pairs(leaks), hint)
    elif left_out:
        repeat = counted(left_out, "repeats", "repeat")
        what = f"{repeat} a row of dev or test, the prompt or with its answer within a conversation"
        yield Finding("problem", "leak-exact", what, left_out, screening.repeats, hint)
    if both := dev_in_test(prompts):
        what = (
            f"{counted(len(both))} of test with the prompt of a row of dev: rounds are chosen on "
            "dev, so the test score is not independent of that choice"
        )
        yield on_rows("note", "dev-in-test", what, both, SPLIT_IT)


def _near(screening: Screening, data: OpenedRows) -> Iterator[Finding]:
    """Near repeats of dev and test, as ``harness check`` counts them."""
    count = sum(screening.near.values())
    if not count:
        return
    compared = sum(screening.compared.values())
    of = f" of {compared:,} that were compared, evenly spaced," if compared else ""
    nearly = counted(count, "nearly repeats", "nearly repeat")
    what = f"{nearly}{of} a row of dev or test"
    by_id = {row.id: row for row in data.rows}
    named = pairs((by_id[pair.row], by_id[pair.held_out]) for pair in screening.pairs)
    hint = "harness data dedup drops them"
    if not data.grouped:
        hint = f"harness data split --group auto keeps them on one side; {hint}"
    elif data.config:
        hint = f"`filters.source: refuse` leaves them out; {hint}"
    yield Finding("note", "leak-near", what, count, named, hint)


def _within(prompts: Mapping[str, Sequence[Example]]) -> Iterator[Finding]:
    if doubled := exact.doubled(prompts):
        what = f"{counted(len(doubled), 'repeats', 'repeat')} an earlier one, prompt and answer"
        hint = "harness data dedup drops them"
        yield on_rows("note", "repeat", what, doubled, hint)
    if conflicts := exact.conflicts(prompts):
        rows = sum(map(len, conflicts))
        prompt = "1 prompt has" if len(conflicts) == 1 else f"{len(conflicts):,} prompts have"
        what = f"{prompt} different answers ({rows:,} rows)"
        named = pairs((rows_of[0], rows_of[1]) for rows_of in conflicts)
        hint = "several good answers belong into one row's references; else one of them is wrong"
        yield Finding("note", "conflict", what, rows, named, hint)


def _texts(rows: Sequence[Example]) -> Iterator[Finding]:
    mangled = [row for row in rows if any(map(decoded_wrongly, texts_of(row)))]
    if mangled:
        hold = counted(len(mangled), "holds", "hold")
        what = f"{hold} text that was decoded wrongly ({EXAMPLES})"
        hint = "write the file as UTF-8 again, from where it is still right"
        yield on_rows("note", "mangled-text", what, mangled, hint)


def _private(rows: Sequence[Example], report: Report) -> Iterator[Finding]:
    """How many rows hold what may be personal data; nothing of it is shown."""
    counts, sentence = counting.in_rows(rows)
    report(1, 1, "")
    if sentence:
        yield Finding("note", "personal-data", sentence, counts[""], (), counting.remedy(counts))


def texts_of(row: Example) -> Iterator[str]:
    """All texts of a row, system turns too."""
    for message in row.messages:
        if isinstance(message.get("content"), str):
            yield message["content"]
    yield from row.references
