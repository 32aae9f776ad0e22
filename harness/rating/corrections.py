"""Better answers that raters typed, on their way into the data.

A person asks for it (``harness rate accept``), and a file says what was accepted
(:mod:`harness.data.corrections`). The text for a row of dev becomes one more reference of
it; the text for a row of the pool may be proposed as a training row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.kit.files import digest
from harness.kit.text import one_line
from harness.rating import events
from harness.rating.records import FOLDER, SETTLED, Batch, Rating
from harness.rating.rubric import asked
from harness.records import Example, Message
from harness.rubrics import Item

if TYPE_CHECKING:
    from pathlib import Path

SPLITS = ("dev", "pool")
_SHOWN_TO_RATERS = ("role", "content", "tool_calls", "name", "tool_call_id")
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Correction:
    """A better answer to one example.

    Attributes:
        split: ``dev`` or ``pool``.
        reference: the text.
        prompt: digest of what was answered (:func:`prompt_digest`).
        origin: ``batch``, ``item``, ``rater`` and ``at`` (ISO UTC) of what was typed.
        place: where it stands (``file:line``); empty for what was not read from a file.
        rounds: the rounds whose answers to this row the batch showed; empty where unknown.
    """

    example_id: str
    split: str
    reference: str
    prompt: str
    origin: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    rounds: tuple[int, ...] = ()

    @property
    def one_sided(self) -> bool:
        """Whether raters were not shown, blindly, the answers of two rounds to this row.

        People who correct an answer keep most of its words, so a reference that grew from one
        round's answer alone lies nearer to that round than to any other.
        """
        return len(self.rounds) < 2

    @property
    def text(self) -> tuple[str, str]:
        """Two corrections of which this is equal say the same."""
        return self.example_id, self.reference


def prompt_digest(messages: Iterable[Message]) -> str:
    """Digest of a conversation as raters see it.

    The system prompt is left out, since rubrics may hide it, and so is what a message has beside
    its role, its content and its tools.
    """
    return digest(
        [
            {key: message[key] for key in _SHOWN_TO_RATERS if key in message}
            for message in messages
            if message.get("role") != "system"
        ]
    )


def corrections(
    batch: Batch, root: Path = FOLDER, *, items: frozenset[str] | None = None
) -> list[Correction]:
    """The better answers that raters typed and did not take back, the oldest first.

    A settled text stands for all that was typed about that answer. A text that several typed
    counts once, for who typed it first. What was typed when an answer came a second time
    counts, too.

    Args:
        root: where the batches lie.
        items: only what was typed about these; None takes all.

    Raises:
        DataError: a rater's file is damaged, or the batch holds rows that cannot be corrected.
    """
    final = _typed(batch, events.settled(batch, root))
    settled = {_original(batch, one.item) for one in final}
    said = _typed(batch, _asked(batch, events.ratings(batch, root)))
    open_ = [one for one in said if _original(batch, one.item) not in settled]
    shown = {item.id: item for item in batch.items}
    found: dict[tuple[str, str], Correction] = {}
    for one in sorted((*final, *open_), key=lambda one: (one.at, one.rater, one.item)):
        if items is not None and items.isdisjoint((one.item, _original(batch, one.item))):
            continue
        made = _correction(batch, one, shown[one.item])
        found.setdefault(made.text, made)
    return list(found.values())


def _typed(batch: Batch, ratings: Iterable[Rating]) -> list[Rating]:
    names = {c.id for c in batch.rubric.criteria if c.use_as == "reference"}
    return [one for one in ratings if one.criterion in names and isinstance(one.value, str)]


def _asked(batch: Batch, ratings: Sequence[Rating]) -> list[Rating]:
    """The ratings without those that a later answer made pointless."""
    values: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for one in ratings:
        values[one.rater, one.item][one.criterion] = one.value
    known = {
        place: {criterion.id for criterion in asked(batch.rubric, said)}
        for place, said in values.items()
    }
    return [one for one in ratings if one.criterion in known[one.rater, one.item]]


def _original(batch: Batch, item: str) -> str:
    return batch.placings[item].repeat_of or item


def _correction(batch: Batch, one: Rating, item: Item) -> Correction:
    placing = batch.placings[one.item]
    if placing.split not in SPLITS:
        raise DataError(
            f"item {one.item} is of the split '{placing.split}', and only answers to dev and pool "
            "can be corrected",
            where=f"batch {batch.name}",
        )
    origin = {"batch": batch.name, "item": one.item, "rater": one.rater, "at": one.at}
    prompt = prompt_digest(item.messages)
    rounds = {
        number for other in batch.placings.values()
        if other.example_id == placing.example_id for number in other.rounds
    }  # fmt: skip
    return Correction(
        placing.example_id, placing.split, one.value.strip(), prompt, origin,
        rounds=tuple(sorted(rounds)),
    )  # fmt: skip


def who(correction: Correction) -> str:
    """Who typed it, for people."""
    rater = correction.origin.get("rater", "")
    return f"{rater.removeprefix(SETTLED)}, settled" if rater.startswith(SETTLED) else rater


@dataclass(frozen=True, slots=True)
class Corrected:
    """Rows with their further references.

    Attributes:
        references: how many were added.
        one_sided: how many of these from batches that did not show two rounds' answers.
        rounds: the rounds whose answers were shown where the others were typed.
    """

    rows: tuple[Example, ...]
    references: int
    one_sided: int = 0
    rounds: tuple[int, ...] = ()


def corrected(rows: Sequence[Example], found: Sequence[Correction], name: str) -> Corrected:
    """The rows of a source; those of dev have the texts as further references.

    The first reference stays the first, and none comes twice. Rows of the pool stay as they are.

    Args:
        found: corrections of dev and pool; all must fit.
        name: what messages call the file.

    Raises:
        DataError: an id is not there, or its row is of another split or asks something else.
    """
    by_id = {row.id: row for row in rows}
    _check_known(by_id, found, name)
    texts: dict[str, list[str]] = defaultdict(list)
    for one in found:
        check_fits(one, by_id[one.example_id])
        if one.split == "dev":
            texts[one.example_id].append(one.reference)
    added: Counter[str] = Counter()
    changed = []
    for row in rows:
        more = [text for text in texts.get(row.id, ()) if text not in row.references]
        added[row.id] += len(more)
        changed.append(replace(row, references=(*row.references, *more)) if more else row)
    used = [one for one in found if one.split == "dev" and _is_new(one, by_id)]
    rounds = {number for one in used if not one.one_sided for number in one.rounds}
    return Corrected(
        tuple(changed), added.total(), sum(one.one_sided for one in used), tuple(sorted(rounds))
    )


def _is_new(one: Correction, rows: Mapping[str, Example]) -> bool:
    return one.reference not in rows[one.example_id].references


def _check_known(by_id: Mapping[str, Example], found: Sequence[Correction], name: str) -> None:
    lost: dict[str, Correction] = {}
    for one in found:
        if one.example_id not in by_id:
            lost.setdefault(one.example_id, one)
    if lost:
        rest = len(lost) - _NAMED
        first = list(lost.values())[:_NAMED]
        told = [f"{one.place or name}: {one_line(one.example_id, 80)}" for one in first]
        raise DataError(
            f"{len(lost)} of the corrected rows are not among the rows of the source",
            where=name,
            details=[*told, *([f"and {rest} more"] if rest > 0 else [])],
            hint="the source gives other rows than when they were rated; take the lines out",
        )


def check_fits(one: Correction, row: Example) -> None:
    """Whether today's row is the one that was rated.

    Raises:
        DataError: it is of another split, or asks something else.
    """
    name = one_line(row.id, 80)
    if row.split != one.split:
        raise DataError(
            f"'{name}' was rated as a row of {one.split}, and is one of {row.split}",
            where=one.place,
            hint="only rows of dev and pool take corrections; take the line out",
        )
    if prompt_digest(row.messages) != one.prompt:
        raise DataError(
            f"the prompt of '{name}' is not the one that was rated",
            where=one.place,
            hint="the text may be no answer to it any more; take the line out, or rate it again",
        )
