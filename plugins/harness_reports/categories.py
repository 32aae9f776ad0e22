"""What is wrong with failing answers: error categories, likely causes, suggested actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness_reports.figures import Document
from harness_reports.findings import table
from harness_reports.outcomes import wrong

KINDS = 6
"""Kinds of errors that a terminal shows."""

UNEXPLAINED = "unexplained"

_UNEXPLAINED = "fails, and no detector found why"


@dataclass(frozen=True, slots=True)
class Kind:
    """An error category.

    Attributes:
        by_round: round -> answers that show it.
        definition: one line, or an empty text.
    """

    name: str
    by_round: Mapping[int, int] = field(default_factory=dict)
    definition: str = ""

    @property
    def most(self) -> int:
        """Its largest count of any round."""
        return max(self.by_round.values(), default=0)

    def change(self, at: int) -> int:
        """How far its count of this round is from that of the base model."""
        return abs(self.by_round.get(at, 0) - self.by_round.get(0, 0))


def kinds(document: Document) -> list[Kind]:
    """All error categories but the unexplained, by their largest count of any round.

    So what the rounds fixed ranks with what is left: a category that fell from 158 answers to
    none comes before one that always had 12.
    """
    counts: dict[str, dict[int, int]] = {}
    for row in table(document, "categories"):
        counts.setdefault(row["category"], {})[row["round"]] = row["answers"]
    if not counts:
        for entry in document["rounds"]:
            for name, n in entry["errors"].items():
                counts.setdefault(name, {})[entry["round"]] = n
    if unexplained(document):
        counts.pop(UNEXPLAINED, None)
    definitions = document.get("definitions") or {}
    at = document["kept_round"]
    return sorted(
        (Kind(name, by, definitions.get(name, "")) for name, by in counts.items()),
        key=lambda kind: (-kind.most, -kind.by_round.get(at, 0), kind.name),
    )


def unexplained(document: Document) -> Kind | None:
    """Failing answers of no known category; None where it is unknown which answers pass."""
    judged = [row for row in table(document, "right") if row["is_right"] + row["wrong"]]
    if not judged or "unexplained" not in document["tables"]:
        return None
    counts = {row["round"]: row["answers"] for row in table(document, "unexplained")}
    definition = (document.get("definitions") or {}).get(UNEXPLAINED, _UNEXPLAINED)
    return Kind(
        UNEXPLAINED, {row["round"]: counts.get(row["round"], 0) for row in judged}, definition
    )


def shown_kinds(document: Document, most: int = KINDS) -> tuple[list[Kind], list[Kind]]:
    """The categories that a report shows, the unexplained last, and those that it leaves out.

    Half of the places go to the largest changes between the base model and the best round, so
    that what training fixed is seen; half to the largest counts of the best round.
    """
    present = [kind for kind in kinds(document) if any(kind.by_round.values())]
    at = document["kept_round"]
    changed = sorted(present, key=lambda kind: (-kind.change(at), present.index(kind)))
    now = sorted(present, key=lambda kind: (-kind.by_round.get(at, 0), present.index(kind)))
    in_turn = (kind.name for both in zip(changed, now, strict=True) for kind in both)
    names = set(list(dict.fromkeys(in_turn))[:most])
    shown = [kind for kind in present if kind.name in names]
    rest = unexplained(document)
    left = [kind for kind in present if kind.name not in names]
    return [*shown, *([rest] if rest else [])], left


def left_out(kinds: Sequence[Kind]) -> str:
    """``and 4 more categories, each in at most 12 answers of any round``, or nothing."""
    if not kinds:
        return ""
    top = max(kind.most for kind in kinds)
    answers = f"{top} answer{'' if top == 1 else 's'} of any round"
    if len(kinds) == 1:
        return f"and one more category, in at most {answers}"
    return f"and {len(kinds)} more categories, each in at most {answers}"


@dataclass(frozen=True, slots=True)
class Cause:
    """A likely cause of failing answers of the best round."""

    name: str
    answers: int
    remedy: str
    ids: Sequence[str]
    definition: str
    by_data: bool


def causes(document: Document) -> list[Cause]:
    """The likeliest causes, the commonest first."""
    known = document.get("causes_known") or {}
    return [
        Cause(
            row["cause"],
            row["answers"],
            row["remedy"] or "",
            row.get("ids") or (),
            known.get(row["cause"], {}).get("definition", ""),
            bool(known.get(row["cause"], {}).get("by_data")),
        )
        for row in table(document, "causes")
    ]


def explained(document: Document) -> str:
    """``82 of 100 failing answers``: those that have a likeliest cause."""
    total, all_ = sum(cause.answers for cause in causes(document)), wrong(document)
    return f"{total} of {all_} failing answers" if all_ else f"{total} failing answers"
