"""What both reports draw from the document: numbers, small charts, choices, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit import terms
from harness.kit.documents import score_digits, score_title
from harness.kit.numbers import number
from harness.kit.text import one_line

Document = Mapping[str, Any]

BY_PEOPLE = "change: by raters who rated both rounds in one batch"
"""Of a primary score that raters give."""


def headline(document: Document) -> tuple[Document, str]:
    """The verdict that counts, and where it was found: the test set's, else the best round's,
    else the latest round's."""
    rounds = document["rounds"]
    if document.get("test"):
        return document["test"]["verdict"], "test"
    best = [entry for entry in rounds if entry["round"] == document["kept_round"]]
    chosen = best[0] if best and best[0]["round"] else rounds[-1]
    return chosen["verdict"], f"dev, round {chosen['round']}{chosen_mark(document, chosen)}"


def chosen_mark(document: Document, entry: Document, before: str = ", ") -> str:
    """The mark of scores on dev that led to the choice of this round, or nothing."""
    choice = document.get("chosen") or {}
    same = choice.get("round") == entry["round"]
    return before + one_line(choice["mark"], 60) if same and choice.get("mark") else ""


def chosen_score(document: Document, name: str) -> str:
    """The mark, with this score's value on test where there is one, or nothing."""
    mark = one_line((document.get("chosen") or {}).get("mark") or "", 60)
    score = ((document.get("test") or {}).get("kept") or {}).get(name) or {}
    known = mark and score.get("value") is not None
    return (
        f"{mark}; test: {number(score['value'], score_digits(document, name))}" if known else mark
    )


def chosen_sentence(document: Document) -> str:
    """The same in a sentence."""
    return one_line((document.get("chosen") or {}).get("sentence") or "", 400)


def facts(document: Document) -> str:
    """``run · model · 160 dev rows in 48 groups · primary score rougeL``."""
    rows, groups = document["data"]["rows"].get("dev"), document["data"]["dev_groups"]
    size = f"{rows} dev rows" + (f" in {groups} groups" if groups else "") if rows else ""
    decides = f"primary score {score_title(document, document['primary'], 200)}"
    parts = [document["run"], document["model"]["base"], size, decides]
    return " · ".join(fact for fact in parts if fact)


def shown_rounds(document: Document, most: int) -> list[Document]:
    """At most so many rounds: the base model, the best one, then the latest."""
    rounds = list(document["rounds"])
    wanted = {0, document["kept_round"]}
    for entry in reversed(rounds):
        if len(wanted) < most:
            wanted.add(entry["round"])
    return [entry for entry in rounds if entry["round"] in wanted]


def round_name(entry: Document, document: Document) -> str:
    """``round 2``, with a mark if it is the best one."""
    return f"{entry['round']}{' ●' if entry['round'] == document['kept_round'] else ''}"


def train_rows(entry: Document) -> str | int | None:
    """Rows of the task, and general ones beside them: ``100``, ``100 + 11 general``."""
    rows: int | None = entry["train_rows"]
    return f"{rows} + {entry['replayed']} general" if entry["replayed"] else rows


def score_names(document: Document) -> list[str]:
    """All scores, the primary one first."""
    names = {name: None for entry in document["rounds"] for name in entry["scores"]}
    primary = document["primary"]
    return [*([primary] if primary in names else []), *(n for n in names if n != primary)]


def short_name(text: str) -> str:
    """A prompt's name, which may be a long one."""
    return one_line(text, 40)


def guard_title(document: Document, name: str) -> str:
    """A guard's name, which begins with its score's."""
    for score in sorted(score_names(document), key=len, reverse=True):
        if name == score or name.startswith(f"{score} "):
            return score_title(document, score, 80) + one_line(name[len(score) :] + ".", 80)[:-1]
    return one_line(name, 160)


def value_of(entry: Document, name: str) -> float | None:
    score = entry["scores"].get(name)
    return score["value"] if score else None


def counted(counts: Mapping[str, int]) -> str:
    """``pool 96, paraphrase 24``, most first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{one_line(name, 60)} {n}" for name, n in ordered if n)


def planned(plan: Sequence[Document], came: Mapping[str, int], most: int = 8) -> list[str]:
    """``48 for kind = class (40 came)``, … ; rows for one slice are summed.

    Args:
        came: slice (empty: all data) -> rows that were added, which are told where they differ.
    """
    rows: dict[str, int] = {}
    for item in plan:
        rows[item["slice"]] = rows.get(item["slice"], 0) + item["rows"]
    listed = [
        f"{n} from {terms.shown('key', name)}{_came(n, came.get('', 0))}"
        if name == "everywhere"
        else f"{n} for {one_line(name, 120)}{_came(n, came.get(name, 0))}"
        for name, n in rows.items()
    ]
    rest = sum(list(rows.values())[most:])
    return listed[:most] + ([f"{rest} for other slices"] if rest else [])


def _came(planned: int, came: int) -> str:
    return "" if came == planned else f" ({came} came)"


def bounds_level(document: Document) -> str:
    """``each bound at 98.3 %``, or nothing before the first comparison."""
    verdict = document["rounds"][-1]["verdict"]
    if verdict["low"] is None or verdict["level"] is None:
        return ""
    percent = f"{100 * verdict['level']:.1f}".removesuffix(".0")
    return f"each bound at {percent} %"


def losses(entry: Document) -> tuple[list[float], list[float]]:
    """Training and validation losses of a round, by step."""
    log = entry["log"]
    training = [point["loss"] for point in log if point["loss"] is not None]
    return training, [point["eval_loss"] for point in log if point["eval_loss"] is not None]


def course(before: float | None, now: float | None, digits: int) -> str:
    """``0.121 → 0.453``."""
    return f"{number(before, digits)} → {number(now, digits)}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
