"""The worst examples, each with its words compared, its cause, and the answers of all rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.kit import terms
from harness.kit.numbers import number
from harness_reports.figures import Document
from harness_reports.html.diff import both
from harness_reports.html.markup import Html, element, joined, name, text_block
from harness_reports.sections import Examples

LISTED = 5
"""Examples whose first line is seen when the page opens; the others are folded away."""
BUDGET = 2_000_000
"""Bytes that examples may take; the others are counted and left out."""
OTHER_ROUNDS = 600
"""Characters of an answer of another round than the best one."""


def anchor(example_id: str) -> str:
    """A place to link to: the same for an example in every report, whatever its id holds."""
    digest = hashlib.sha256(example_id.encode("utf-8", "replace")).hexdigest()
    return f"example-{digest[:12]}"


def draw_examples(block: Examples) -> Html:
    """All examples that have room, and a form to filter them."""
    shown: list[Html] = []
    choices = _choices(block.rows)
    left = BUDGET
    for row in block.rows:
        one = example(block, row, choices)
        left -= len(one.encode("utf-8"))
        if left < 0:
            break
        shown.append(one)
    beyond = len(block.rows) - len(shown)
    told = (
        "The worst first. Marked in the reference: words that the answer lacks; marked in the "
        "answer: words that the reference lacks."
    )
    return joined(
        element("p", told, class_="note"),
        _filter(choices) if len(shown) > 1 else None,
        element("div", shown[:LISTED], _more(shown[LISTED:]), id="example-list"),
        element("p", f"{beyond} more are left out, to keep this page small.") if beyond else None,
    )


def _more(shown: list[Html]) -> Html | None:
    if not shown:
        return None
    return element("details", element("summary", f"{len(shown)} more"), shown, class_="more")


@dataclass(frozen=True, slots=True)
class Choices:
    """What examples can be filtered by; the page knows each by its place in these lists.

    A name may be long, and an example would hold all of its names a second time.
    """

    kinds: Sequence[str]
    courses: Sequence[str]

    def places(self, row: Document) -> dict[str, str | int | None]:
        """The example's own, as attributes."""
        course = row["course"]
        return {
            "data_kinds": " ".join(str(self.kinds.index(kind)) for kind in row["errors"]),
            "data_course": self.courses.index(course) if course else None,
        }


def _choices(rows: Sequence[Document]) -> Choices:
    kinds = sorted({kind for row in rows for kind in row["errors"]})
    return Choices(kinds, sorted({row["course"] for row in rows if row["course"]}))


def _filter(choices: Choices) -> Html:
    """Shown by the script alone: without it, it would do nothing."""
    return element(
        "form",
        element("label", "Words ", element("input", type="search", id="find", autocomplete="off")),
        _choice("kind", "Error category ", choices.kinds),
        _choice("course", "Over the rounds ", choices.courses),
        element("output", id="found", aria_live="polite"),
        id="filter", hidden=True,
    )  # fmt: skip


def _choice(key: str, title: str, values: Sequence[str]) -> Html | None:
    if not values:
        return None
    options = [element("option", text, value=place) for place, text in enumerate(values)]
    return element(
        "label", title, element("select", element("option", "all", value=""), options, id=key)
    )


def example(block: Examples, row: Document, choices: Choices) -> Html:
    """One example; its first line says what it is, the rest folds away."""
    place = anchor(row["id"])
    head = element(
        "summary",
        element("b", name(row["id"], 80)), " ",
        element("span", name(block.score, 90), f" {number(row['score'], 3)}"), " ",
        [[element("span", name(kind, 60), class_="tag"), " "] for kind in row["errors"]],
        element("span", row["course"], class_="dim") if row["course"] else None,
    )  # fmt: skip
    reference, answer = both(row["reference"], row["answer"])
    return element(
        "details", head,
        element(
            "div",
            _part("Prompt", text_block(row["prompt"], class_="text prompt")),
            element("div", _part("Reference", reference), _part("Answer", answer), class_="pair"),
            _part("Other references", map(text_block, _others(row))) if _others(row) else None,
            _why(row["cause"]),
            _course(row, block.kept_round),
            element("p", _where(row), element("a", "link to this example", href=f"#{place}"),
                    class_="dim"),
            class_="body",
        ),
        id=place, class_="example", **choices.places(row),
    )  # fmt: skip


def _part(title: str, *inner: Any) -> Html:
    return element("div", element("h3", title), *inner)


def _others(row: Document) -> list[str]:
    return [text for text in row["references"] if text != row["reference"]][:5]


def _where(row: Document) -> Html:
    cut = "Truncated at max_new_tokens. " if row["finish_reason"] == "length" else ""
    place = joined("From ", name(row["place"], 200), ". ") if row["place"] else None
    return joined(cut, place)


def _why(cause: Document | None) -> Html | None:
    if not cause:
        return None
    rows = cause["train_rows"]
    told = element("p", element("b", name(cause["cause"])), ": ", cause["evidence"])
    remedy = element("p", f"Suggested action: {cause['remedy']}") if cause["remedy"] else None
    near = element("p", "Training rows: ", name(", ".join(rows), 600)) if rows else None
    return _part("Likeliest cause", told, remedy, near)


def _course(row: Document, kept: int) -> Html | None:
    """The answers of all rounds; rounds that gave the same one stand together."""
    if len(row["answers"]) < 2:
        return None
    same: dict[str, list[Document]] = {}
    for answer in row["answers"]:
        same.setdefault(answer["text"], []).append(answer)
    items = [_answers(found, text, kept) for text, found in same.items()]
    unlike = "all the same" if len(items) == 1 else f"{len(items)} different"
    summary = f"Answers of all {len(row['answers'])} rounds, {unlike}"
    return element("details", element("summary", summary), items, class_="rounds")


def _answers(found: Sequence[Document], text: str, kept: int) -> Html:
    rounds = ", ".join(str(one["round"]) + (" ●" if one["round"] == kept else "") for one in found)
    right = {True: terms.shown("key", "right"), False: terms.shown("key", "wrong")}.get(
        found[0]["right"], "not judged"
    )
    kinds = "".join(f" · {kind}" for kind in found[0]["errors"])
    told = f"Round {rounds}: {number(found[0]['score'], 3)}, {right}{kinds}"
    if not text.strip():
        return joined(element("h4", told), element("em", "(empty)", class_="dim"))
    return joined(element("h4", told), text_block(text, OTHER_ROUNDS))
