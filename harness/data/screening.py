"""The rows of the source against dev and test, before anything is trained.

The split is the user's: rows of train and pool leave only where they repeat a held-out row
exactly. What is merely near is counted and shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.data.filters import HELD_OUT, NEAR_REPEAT, REPEAT, RowGate
from harness.data.likeness import HELD_OUT_ROWS, Likeness, Limits, Match, Usual, stride
from harness.data.threshold import COPIES, MOST_HELD_OUT, calibrate
from harness.errors import DataError
from harness.kit.alike.exact import dev_in_test, grouped, later, lesson
from harness.kit.alike.texts import asked_of, prompt_key
from harness.kit.text import ELLIPSIS, one_line
from harness.records import Example
from harness.records.context import Report, silent

MOST_COMPARED = 20_000
"""Rows of the source at most that are looked at for near repeats where these are only reported:
evenly spaced. Exact repeats are looked for in all."""
MOST_PREVIEWED = 10_000
"""The same for ``harness check``, and of dev and test together as well."""
PAIRS = 5
EXAMPLES = 5
TEXT = 400
"""Most characters of a text that are kept to be shown."""
TRAINABLE = ("train", "valid", "pool")
FEW = 0.01
"""Share of the rows up to which near repeats that stay are told in the whole report alone."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The keys of ``filters:``.

    Attributes:
        limits: from where on a prompt is a near repeat.
        refuse_near: whether near repeats leave train and pool.
        most_repeats: share of train, or of pool, that may leave as exact repeats.
        kept: share of unrelated proposals that the threshold lets pass.
        recognised: share of misspelt copies below which likeness counts as no protection.
    """

    limits: Limits = field(default_factory=Limits)
    refuse_near: bool = False
    most_repeats: float = 0.1
    kept: float = 0.99
    recognised: float = 0.95


@dataclass(frozen=True, slots=True)
class NearRows:
    """A row of train or pool next to the held-out row that it is most like.

    Attributes:
        held_out_text: None for a row of test, which is sealed.
        similarity: 0 to 1.
    """

    row: str
    split: str
    text: str
    held_out: str
    held_out_split: str
    held_out_text: str | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Screening:
    """What the gate says of the rows of the source.

    Attributes:
        rows: split -> rows that the source gave.
        refused: split -> reason -> rows that leave.
        repeats: a few exact repeats, a sentence each.
        near: split -> near repeats of dev or test among the rows that were compared, whether they
            leave or not.
        compared: split -> rows that were compared; empty where that is all of them.
        against: rows of dev and test that they were compared with; 0 stands for all.
        pairs: the nearest of these, the most alike first.
        doubled: rows of train that repeat an earlier one, prompt and references.
        dev_in_test: rows of test with the prompt of a row of dev.
        floor, threshold: similarity from which a row is near by the config, and by the domain.
        usual: what the threshold rests on.
    """

    rows: Mapping[str, int]
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    repeats: tuple[str, ...] = ()
    near: Mapping[str, int] = field(default_factory=dict)
    compared: Mapping[str, int] = field(default_factory=dict)
    against: int = 0
    pairs: tuple[NearRows, ...] = ()
    doubled: int = 0
    dev_in_test: int = 0
    floor: float = 0.0
    threshold: float = 0.0
    usual: Usual = field(default_factory=Usual)

    @property
    def repeated(self) -> int:
        """Rows that leave as exact repeats of dev or test."""
        return sum(counts.get(REPEAT, 0) for counts in self.refused.values())


def screen(
    rows: Sequence[Example],
    rules: Rules,
    *,
    seed: int,
    most: int | None = None,
    check: Callable[[], None] = lambda: None,
    report: Report = silent,
) -> tuple[tuple[int, ...], Screening]:
    """Screen the rows of a source.

    Args:
        rows: of all splits.
        seed: of the copies with typing errors that the gate is tried on.
        most: rows of the source, and rows held out, at most that are looked at for near repeats,
            where these are only reported; None is :data:`MOST_COMPARED`, and all that are held
            out. Exact repeats and lineage are looked for in all rows, whatever it is.
        check: is called now and then; may raise to stop.
        report: is told how many rows of the source are done.

    Returns:
        The places of the rows that leave, and what is to be said.
    """
    held_out, source = parted(rows)
    near_to = held_out
    if most is not None and not rules.refuse_near:
        near_to = held_out[:: stride(len(held_out), most)]
    likeness = Likeness(near_to, source, rules.limits)
    usual = calibrate(likeness, near_to, source, passing=rules.kept, seed=seed, check=check)
    gate = RowGate(held_out, known=source, likeness=likeness, usual=usual)
    leaving: list[int] = []
    refused: dict[str, Counter[str]] = {}
    repeats: list[str] = []
    pairs: list[NearRows] = []
    compared: Counter[str] = Counter()
    step = _step(len(source), rules, most or MOST_COMPARED)
    trainable = [(place, row) for place, row in enumerate(rows) if row.split not in HELD_OUT]
    for number, (place, row) in enumerate(trainable):
        check()
        reason = gate.refuse_source(row)
        if reason is None and number % step == 0:
            compared[row.split] += 1
            if match := gate.nearest(row):
                pairs.append(_pair(row, match))
                reason = NEAR_REPEAT if rules.refuse_near else None
        if reason is not None:
            leaving.append(place)
            refused.setdefault(row.split, Counter())[reason] += 1
        if reason == REPEAT and len(repeats) < EXAMPLES:
            repeats.append(_repeat(row, gate.repeated_by(row)))
        report(number + 1, len(trainable), "rows")
    near = Counter(pair.split for pair in pairs)
    pairs.sort(key=lambda pair: (-pair.similarity, pair.row))
    return tuple(leaving), Screening(
        rows=dict(Counter(row.split for row in rows)),
        refused={split: dict(sorted(counts.items())) for split, counts in refused.items()},
        repeats=tuple(repeats),
        near=dict(near),
        compared=dict(compared) if step > 1 else {},
        against=len(near_to) if len(near_to) < len(held_out) else 0,
        pairs=tuple(pairs[:PAIRS]),
        doubled=sum(1 for _ in later((row for row in rows if row.split == "train"), lesson)),
        dev_in_test=len(dev_in_test(grouped(held_out, lambda row: prompt_key(row.messages)))),
        floor=rules.limits.near,
        threshold=round(usual.near(rules.limits.near), 4),
        usual=usual,
    )


def previewed(
    rows: Sequence[Example], rules: Rules | None = None, seed: int = 0, report: Report = silent
) -> Screening:
    """What ``harness check`` says of rows before anything is trained, by its samples.

    Args:
        rows: of all splits.
        rules: of a config; None for the default ones.
        seed, report: as in :func:`screen`.
    """
    return screen(rows, rules or Rules(), seed=seed, most=MOST_PREVIEWED, report=report)[1]


def _step(source: int, rules: Rules, most: int = MOST_COMPARED) -> int:
    """Every how many rows of the source one is looked at for near repeats."""
    return 1 if rules.refuse_near else stride(source, most)


def sampled(rows: Sequence[Example], rules: Rules) -> bool:
    """Whether these are so many rows that samples of them are compared."""
    held_out, source = parted(rows)
    return len(held_out) > MOST_HELD_OUT or _step(len(source), rules) > 1


def parted(rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The held-out rows, and those of the source that are not held out."""
    held_out = [row for row in rows if row.split in HELD_OUT]
    return held_out, [row for row in rows if row.split not in HELD_OUT]


def refuse_repeats(screening: Screening, most: float, where: str) -> None:
    """Stop where exact repeats would take too much of train or of pool.

    Raises:
        DataError: with counts and examples.
    """
    for split in ("train", "pool"):
        total = screening.rows.get(split, 0)
        count = screening.refused.get(split, {}).get(REPEAT, 0)
        if total and count > most * total:
            raise DataError(
                f"{count} of {total} rows of {split} ({_percent(count, total)}) repeat a row of "
                "dev or test exactly, so they cannot be trained on; with so many, nothing is "
                "trained",
                where=where,
                details=screening.repeats,
                hint="split the data anew, so that a prompt is on one side only (`data:`), or "
                "raise the share that may be left out (`filters.most_repeats`, now "
                f"{most:g})",
            )


def sentences(
    screening: Screening, rules: Rules, *, ahead: bool = False
) -> Iterator[tuple[str, bool]]:
    """What is to be said of a screening, for notes.

    Args:
        ahead: nothing has been left out yet (``harness check``).

    Yields:
        A sentence, and whether it helps who tunes the gate, and calls for nothing else.
    """
    left_out = "would be left out" if ahead else "were left out"
    for split, counts in screening.refused.items():
        for reason, count in counts.items():
            yield f"{count} of {screening.rows[split]} rows of {split} {left_out}: {reason}", False
    if screening.near:
        yield _near(screening, rules, ahead), _is_rare(screening, rules)
    if screening.doubled:
        verb = "repeats" if screening.doubled == 1 else "repeat"
        yield (
            f"{_rows(screening.doubled)} of train {verb} an earlier one, prompt and reference",
            False,
        )
    if screening.dev_in_test:
        yield (
            f"{_rows(screening.dev_in_test)} of test with the prompt of a row of dev: rounds are "
            "chosen on dev, so on these rows the test score is not independent of that choice",
            False,
        )
    if screening.threshold > screening.floor:
        yield _alike(screening, rules), True
    if _by_lineage_alone(screening, rules):
        yield _lineage(screening), True


def _is_rare(screening: Screening, rules: Rules) -> bool:
    """Whether the near repeats stay and are at most :data:`FEW` of the rows looked at."""
    looked_at = screening.compared or screening.rows
    total = sum(n for split, n in looked_at.items() if split in TRAINABLE)
    return not rules.refuse_near and sum(screening.near.values()) <= FEW * total


def shown(pair: NearRows) -> tuple[str, str]:
    """The two sides of a pair, a line each."""
    text = "its text is sealed" if pair.held_out_text is None else pair.held_out_text
    return (
        f"{pair.split} {one_line(pair.row, 80)}: {pair.text}",
        f"{pair.held_out_split} {one_line(pair.held_out, 80)}: {text}",
    )


def _by_lineage_alone(screening: Screening, rules: Rules) -> bool:
    recognised = screening.usual.recognised
    return recognised is not None and recognised < rules.recognised


def _lineage(screening: Screening) -> str:
    share = _percent(screening.usual.recognised or 0, 1)
    return (
        "the prompts resemble each other, or are short, so near-copies of dev and test rows are "
        f"hard to spot: of {COPIES} copies with typing errors {share} are found. "
        "Generated rows are kept apart by their origin instead"
    )


def _alike(screening: Screening, rules: Rules) -> str:
    rows = screening.usual.rows
    few = math.ceil(rules.kept * (rows + 1)) > rows
    reach = "the most alike reaches" if few else f"{100 * (1 - rules.kept):g} % reach"
    head = (
        f"prompts of this data are alike: of {rows} {screening.usual.of}, compared with "
        f"the nearest held-out prompt, {reach} a similarity of {screening.threshold:.2f}, so "
    )
    # With few held-out rows, those of the source are called near by other limits.
    made = "" if screening.usual.of == HELD_OUT_ROWS else " that an augmenter makes"
    if screening.threshold >= 1:
        return f"{head}near repeats{made} cannot be told from other rows"
    return f"{head}a near repeat{made} is one above that, not above {screening.floor:g}"


def _near(screening: Screening, rules: Rules, ahead: bool) -> str:
    count = sum(screening.near.values())
    looked_at = screening.compared or screening.rows
    total = sum(n for split, n in looked_at.items() if split in TRAINABLE)
    parts = ", ".join(f"{n} of {split}" for split, n in screening.near.items())
    of = "rows of the source"
    if screening.compared or screening.against:
        those = f"{screening.against} rows of " if screening.against else ""
        of += f", evenly spaced, that were compared with {those}dev and test"
    head = f"{count} of {total} {of} ({_percent(count, total)}: {parts}) "
    near = "is a near repeat of" if count == 1 else "are near repeats of"
    if rules.refuse_near:
        left_out = "would be" if ahead else "was" if count == 1 else "were"
        return f"{head}{near} dev or test and {left_out} left out"
    stays = "It stays" if count == 1 else "They stay"
    return (
        f"{head}{near} dev or test. {stays}: scores may owe something to texts that were trained "
        "on; `filters.source: refuse` leaves them out"
    )


def _pair(row: Example, match: Match) -> NearRows:
    held_out = match.held_out
    return NearRows(
        row=row.id,
        split=row.split,
        text=_excerpt(row),
        held_out=held_out.id,
        held_out_split=held_out.split,
        held_out_text=None if held_out.split == "test" else _excerpt(held_out),
        similarity=round(match.similarity, 4),
    )


def _excerpt(row: Example) -> str:
    """What is asked, of a long text both ends: many begin with instructions that all share."""
    text = one_line(_asked(row))
    if len(text) <= TEXT:
        return text
    head = TEXT // 4
    return f"{text[:head]} {ELLIPSIS} {text[head + 3 - TEXT :]}"


def _asked(row: Example) -> str:
    return " / ".join(asked_of(row, ("user",)))


def _repeat(row: Example, held_out: Example | None) -> str:
    """``train r-17 (rows.jsonl:18) repeats dev d-3: Why was I billed twice?``; no text of test."""
    place = f" ({one_line(row.place, 120)})" if row.place else ""
    head = f"{row.split} {one_line(row.id, 80)}{place} repeats "
    if held_out is None:
        return f"{head}a held-out row"
    named = f"{head}{held_out.split} {one_line(held_out.id, 80)}"
    return named if held_out.split == "test" else f"{named}: {one_line(_asked(row), 80)}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _percent(count: float, total: int) -> str:
    return f"{100 * count / total:.1f} %"
