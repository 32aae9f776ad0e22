"""Better answers that people gave, as further references of the rows of dev.

They are read from a file (:mod:`harness.data.correction_file`); who typed what, and when, is the
file's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import DataError
from harness.kit.files import digest
from harness.kit.text import one_line
from harness.records import Example, Message

CORRECTED_SPLITS = ("dev", "pool")
_SHOWN_TO_RATERS = ("role", "content", "tool_calls", "name", "tool_call_id")
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Correction:
    """A better answer to one example.

    Attributes:
        split: ``dev`` or ``pool``.
        reference: the text; empty where it is only known what is rejected.
        prompt: digest of what was answered (:func:`prompt_digest`).
        origin: ``batch``, ``item``, ``rater`` and ``at`` (ISO UTC) of what was typed.
        place: where it stands (``file:line``); empty for what was not read from a file.
        rounds: the rounds whose answers to this row the batch showed; empty where unknown.
        rejected: answers to which the text is preferred; of rows of the pool alone.
    """

    example_id: str
    split: str
    reference: str
    prompt: str
    origin: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    rounds: tuple[int, ...] = ()
    rejected: tuple[str, ...] = ()

    @property
    def one_sided(self) -> bool:
        """Whether raters were not shown, blindly, the answers of two rounds to this row.

        People who correct an answer keep most of its words, so a reference that grew from one
        round's answer alone lies nearer to that round than to any other.
        """
        return len(self.rounds) < 2

    @property
    def text(self) -> tuple[str, ...]:
        """Two corrections of which this is equal say the same."""
        return self.example_id, self.reference, *self.rejected


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


def corrected(rows: Sequence[Example], corrections: Sequence[Correction], name: str) -> Corrected:
    """The rows of a source; those of dev have the texts as further references.

    The first reference stays the first, and none comes twice. Rows of the pool stay as they are.

    Args:
        corrections: those of dev and pool; all must fit.
        name: what messages call the file.

    Raises:
        DataError: an id is not there, or its row is of another split or asks something else.
    """
    by_id = {row.id: row for row in rows}
    _check_known(by_id, corrections, name)
    texts: dict[str, list[str]] = defaultdict(list)
    for correction in corrections:
        check_fits(correction, by_id[correction.example_id])
        if correction.split == "dev":
            texts[correction.example_id].append(correction.reference)
    added: Counter[str] = Counter()
    changed = []
    for row in rows:
        more = [text for text in texts.get(row.id, ()) if text not in row.references]
        added[row.id] += len(more)
        changed.append(replace(row, references=(*row.references, *more)) if more else row)
    used = [
        correction
        for correction in corrections
        if correction.split == "dev"
        and correction.reference not in by_id[correction.example_id].references
    ]
    blind = [correction for correction in used if not correction.one_sided]
    rounds = {number for correction in blind for number in correction.rounds}
    return Corrected(
        tuple(changed),
        added.total(),
        sum(correction.one_sided for correction in used),
        tuple(sorted(rounds)),
    )


def _check_known(
    by_id: Mapping[str, Example], corrections: Sequence[Correction], name: str
) -> None:
    lost: dict[str, Correction] = {}
    for correction in corrections:
        if correction.example_id not in by_id:
            lost.setdefault(correction.example_id, correction)
    if lost:
        rest = len(lost) - _NAMED
        first = list(lost.values())[:_NAMED]
        places = [
            f"{correction.place or name}: {one_line(correction.example_id, 80)}"
            for correction in first
        ]
        raise DataError(
            f"{len(lost)} of the corrected rows are not among the rows of the source",
            where=name,
            details=[*places, *([f"and {rest} more"] if rest > 0 else [])],
            hint="the source gives other rows than when they were rated; take the lines out",
        )


def check_fits(correction: Correction, row: Example) -> None:
    """Whether today's row is the one that was rated.

    Raises:
        DataError: it is of another split, or asks something else.
    """
    name = one_line(row.id, 80)
    if row.split != correction.split:
        raise DataError(
            f"'{name}' was rated as a row of {correction.split}, and is one of {row.split}",
            where=correction.place,
            hint="only rows of dev and pool take corrections; take the line out",
        )
    if prompt_digest(row.messages) != correction.prompt:
        raise DataError(
            f"the prompt of '{name}' is not the one that was rated",
            where=correction.place,
            hint="the text may be no answer to it any more; take the line out, or rate it again",
        )
