"""What an analysis found, as both reports tell it: chosen, ordered and cut to what is read.

Where a part of the analysis failed, keys are missing: each choice is then empty, and the reports
leave its section out.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.kit.numbers import number
from harness.kit.text import one_line
from harness_reports.figures import Document

SHOWN = 5
"""Rows of a table that a reader takes in at a glance."""

WEAK_AT = 0.1
"""False discovery rate up to which a slice is underperforming, where its finder does not say."""


def table(document: Document, name: str) -> list[Document]:
    """The rows of one table of the analysis, or none."""
    return list((document.get("tables") or {}).get(name) or ())


@dataclass(frozen=True, slots=True)
class NearPair:
    """A training row next to the held-out row that it nearly repeats, as texts."""

    similarity: str
    row: str
    text: str
    held_out: str
    held_out_text: str


SEALED = "(test is sealed)"

NEAR = (
    "Rows of train or pool, each with the most similar row of dev or test. They are trained on "
    "unless filters.source is refuse. Where prompts ask the same, scores are inflated by it."
)


def near_pairs(document: Document) -> list[NearPair]:
    """The rows of the source that are nearest to dev or test, the most alike first."""
    screening = (document.get("data") or {}).get("screening") or {}
    return [
        NearPair(
            number(pair["similarity"], 2),
            f"{pair['split']} {pair['row']}",
            pair["text"],
            f"{pair['held_out_split']} {pair['held_out']}",
            SEALED if pair["held_out_text"] is None else pair["held_out_text"],
        )
        for pair in screening.get("pairs") or ()
    ]


def kept_round(document: Document) -> Document:
    """The best round: its model is the run's result."""
    rounds = document["rounds"]
    return next((r for r in rounds if r["round"] == document["kept_round"]), rounds[-1])


def higher_is_better(document: Document) -> bool:
    """Whether the primary score is meant to rise."""
    score = kept_round(document)["scores"].get(document["primary"]) or {}
    return bool(score.get("higher_is_better", True))


def later_round(document: Document) -> Document:
    """The round that the base model is shown beside: the best one, or the latest if that is it."""
    best = kept_round(document)
    return best if best["round"] else document["rounds"][-1]


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard after one round.

    Attributes:
        state: ``broken``, ``held`` or ``cannot be judged``.
        sentence: the state in words.
    """

    round: int
    name: str
    state: str
    sentence: str


def guards(document: Document) -> list[Guard]:
    """Those that any round broke, then those of the latest round that it did not break."""
    rounds = document["rounds"]
    states = [
        Guard(entry["round"], guard["name"], guard["state"], guard["sentence"])
        for entry in rounds
        for guard in entry["guards"]
    ]
    order = {"cannot be judged": 1, "held": 2}
    latest = [s for s in states if s.round == rounds[-1]["round"] and s.state in order]
    broken = [s for s in states if s.state == "broken"]
    return [*broken, *sorted(latest, key=lambda s: order[s.state])]


def weak(document: Document) -> tuple[int, list[Document], list[Document]]:
    """A round, its underperforming slices, and others below the rest that may be chance.

    The widest gap comes first. It is the best round, or the latest with slices where that one
    has none.
    """
    for entry in (kept_round(document), *reversed(document["rounds"])):
        slices = {s["slice"]: s for s in entry["slices"] or entry["plan"] if (s["gap"] or 0) > 0}
        if slices:
            ordered = sorted(slices.values(), key=lambda s: (-s["gap"], s["slice"]))
            held = [piece for piece in ordered if holds(piece)]
            return entry["round"], held, [piece for piece in ordered if not holds(piece)]
    return 0, [], []


def holds(piece: Document) -> bool:
    """Whether a slice underperforms by more than chance; one that rows are planned for does."""
    if piece.get("holds") is not None:
        return bool(piece["holds"])
    if "q" in piece:
        return piece["q"] is not None and piece["q"] <= WEAK_AT
    return "rows" in piece


def slice_name(piece: Document, limit: int) -> str:
    """Its conditions; a slice that only the reply shows is marked, since no row can be planned."""
    reply = "" if piece.get("from_prompt", True) else " (reply)"
    return one_line(piece["slice"], limit) + reply


def slice_kinds(document: Document, at: int, name: str, most: int = 3) -> str:
    """``off topic 12, truncated 5``: commonest error categories of a slice of the best round."""
    if at != document["kept_round"]:
        return ""
    rows = [row for row in table(document, "slice_errors") if row["slice"] == name]
    ordered = sorted(rows, key=lambda row: (-row["answers"], row["category"]))
    return ", ".join(f"{one_line(r['category'], 40)} {r['answers']}" for r in ordered[:most])


def failed(document: Document) -> list[tuple[str, str]]:
    """Sections that could not be made: what each would have shown, and why it is not there."""
    purposes = {query["name"]: query["what"] for query in document.get("queries") or ()}
    return [
        (one_line(purposes.get(name, name), 120), one_line(why, 300))
        for name, why in sorted((document.get("failed") or {}).items())
    ]
