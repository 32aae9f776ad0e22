"""What an analysis found, as both reports tell it: chosen, ordered and cut to what is read.

A document of an older version, or one whose analysis failed in part, lacks keys: each choice is
then empty, and the reports leave its section out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.kit.numbers import number
from harness.kit.text import one_line
from harness_reports.figures import Document, score_title

SHOWN = 5
"""Rows of a table that a reader takes in at a glance."""

KINDS = 6
"""Kinds of errors that a terminal shows."""

WEAK_AT = 0.1
"""False discovery rate up to which a slice is underperforming, where its finder does not say."""

COURSES = ("fixed", "regressed", "always pass", "never pass", "flaky")
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
    found = [
        Guard(entry["round"], guard["name"], guard_state(guard), _guard_sentence(guard))
        for entry in rounds
        for guard in entry.get("guards") or ()
    ]
    order = {"cannot be judged": 1, "held": 2}
    latest = [one for one in found if one.round == rounds[-1]["round"] and one.state in order]
    broken = [one for one in found if one.state == "broken"]
    return [*broken, *sorted(latest, key=lambda one: order[one.state])]


def guard_state(guard: Document) -> str:
    """Its state, or what the verdict of an older document comes to."""
    if guard.get("state"):
        return str(guard["state"])
    if guard["verdict"]["label"] == "regressed":
        return "broken"
    return "cannot be judged" if guard["verdict"]["low"] is None else "held"


def _guard_sentence(guard: Document) -> str:
    return str(guard.get("sentence") or guard["verdict"]["sentence"])


def weak(document: Document) -> tuple[int, list[Document], list[Document]]:
    """A round, its underperforming slices, and others below the rest that may be chance.

    The widest gap comes first. It is the best round, or the latest with slices where that one
    has none.
    """
    for entry in (kept_round(document), *reversed(document["rounds"])):
        found = {s["slice"]: s for s in entry["slices"] or entry["plan"] if (s["gap"] or 0) > 0}
        if found:
            ordered = sorted(found.values(), key=lambda s: (-s["gap"], s["slice"]))
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


def ledger(document: Document) -> list[tuple[str, int]]:
    """What became of each dev row, in a fixed order."""
    counts = {row["kind"]: row["answers"] for row in table(document, "ledger")}
    names = [*(name for name in COURSES if name in counts), *sorted(set(counts) - set(COURSES))]
    return [(name, counts[name]) for name in names if counts[name]]


def rightness(document: Document) -> str:
    """From which score on an answer passes, or that nothing says so."""
    if "tables" not in document:
        return ""
    primary, at = document["primary"], document.get("right_at")
    if at is None:
        return f"{primary} has no pass threshold (right_at), so no answer passes or fails"
    score = kept_round(document)["scores"].get(primary) or {}
    side = "at least" if score.get("higher_is_better", True) else "at most"
    return f"pass threshold: {score_title(document, primary, 80)} {side} {at:g}"


def changes(document: Document) -> list[Document]:
    """``round``, ``against``, ``right``, ``judged``, ``fixed`` and ``broken`` of each round.

    A round that changed nothing has no row in the table: its counts are 0, not unknown.
    """
    told = {row["round"]: row for row in table(document, "changes")}
    rights = {row["round"]: row for row in table(document, "right")}
    known = "changes" in (document.get("tables") or {})
    rows: list[Document] = []
    for entry in document["rounds"][1:]:
        at, right = entry["round"], rights.get(entry["round"])
        against = re.search(r"\d+", str(entry["verdict"]["against"]))
        if right is None or not known or not right["is_right"] + right["wrong"]:
            continue
        counts = told.get(at, {"fixed": 0, "broken": 0})
        rows.append(
            {
                "round": at,
                "against": counts.get("against", int(against[0][:9]) if against else None),
                "right": right["is_right"],
                "judged": right["is_right"] + right["wrong"],
                "fixed": counts["fixed"],
                "broken": counts["broken"],
            }
        )
    return rows


def pass_rate(document: Document) -> str:
    """``29 of 160 dev answers pass (base model: 3)``, or nothing where that is not known."""
    rows = {row["round"]: row for row in table(document, "right")}
    best = rows.get(document["kept_round"])
    judged = best["is_right"] + best["wrong"] if best else 0
    if not best or not judged:
        return ""
    base = rows.get(0) if document["kept_round"] else None
    before = f" (base model: {base['is_right']})" if base else ""
    return f"{best['is_right']} of {judged} dev answers pass{before}"


def wrong(document: Document) -> int | None:
    """Failing answers of the best round; None where nothing tells."""
    rows = [r for r in table(document, "right") if r["round"] == document["kept_round"]]
    return rows[0]["wrong"] if rows else None


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
    told = document.get("definitions") or {}
    at = document["kept_round"]
    return sorted(
        (Kind(name, by, told.get(name, "")) for name, by in counts.items()),
        key=lambda kind: (-kind.most, -kind.by_round.get(at, 0), kind.name),
    )


def unexplained(document: Document) -> Kind | None:
    """Failing answers of no known category; None where it is unknown which answers pass."""
    judged = [row for row in table(document, "right") if row["is_right"] + row["wrong"]]
    if not judged or "unexplained" not in document["tables"]:
        return None
    counts = {row["round"]: row["answers"] for row in table(document, "unexplained")}
    told = (document.get("definitions") or {}).get(UNEXPLAINED, _UNEXPLAINED)
    return Kind(UNEXPLAINED, {row["round"]: counts.get(row["round"], 0) for row in judged}, told)


def shown_kinds(document: Document, most: int = KINDS) -> tuple[list[Kind], list[Kind]]:
    """The categories that a report shows, the unexplained last, and those that it leaves out.

    Half of the places go to the largest changes between the base model and the best round, so
    that what training fixed is seen; half to the largest counts of the best round.
    """
    found = [kind for kind in kinds(document) if any(kind.by_round.values())]
    at = document["kept_round"]
    changed = sorted(found, key=lambda kind: (-kind.change(at), found.index(kind)))
    now = sorted(found, key=lambda kind: (-kind.by_round.get(at, 0), found.index(kind)))
    in_turn = (kind.name for both in zip(changed, now, strict=True) for kind in both)
    names = set(list(dict.fromkeys(in_turn))[:most])
    shown = [kind for kind in found if kind.name in names]
    rest = unexplained(document)
    left = [kind for kind in found if kind.name not in names]
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


def remedies(document: Document) -> list[Document]:
    """What to do, by what it may be worth."""
    return list(document.get("remedies") or ())


def worth(remedy: Document) -> str:
    """``at most 12 answers``; never more is promised."""
    n = remedy["answers"]
    return "" if n is None else f"at most {number(n, 0)} answer{'' if n == 1 else 's'}"


def failed(document: Document) -> list[tuple[str, str]]:
    """Sections that could not be made: what each would have shown, and why it is not there."""
    told = {query["name"]: query["what"] for query in document.get("queries") or ()}
    return [
        (one_line(told.get(name, name), 120), one_line(why, 300))
        for name, why in sorted((document.get("failed") or {}).items())
    ]


def examples(rows: Sequence[Document], kept_round: int, most: int) -> list[Document]:
    """The worst answers to show, none of which passes.

    First those that fail in a way of their own, by error category or cause: they say more than
    the next one of the same.
    """
    seen: set[str] = set()
    first: list[int] = []
    later: list[int] = []
    usable = [row for row in rows if not _is_right(row, kept_round)]
    for place, row in enumerate(usable):
        traits = {*row["errors"][:1], *([row["cause"]["cause"]] if row.get("cause") else [])}
        (first if traits - seen else later).append(place)
        seen |= traits
    return [usable[place] for place in sorted([*first, *later][:most])]


def _is_right(row: Document, at: int) -> bool:
    return any(one["right"] for one in row.get("answers") or () if one["round"] == at)
