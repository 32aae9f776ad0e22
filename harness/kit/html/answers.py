"""Answers to rows of the data on the page: each compared with its reference, or side by side.

Passages, too, each a text by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kit.blocks import Answer, Answers, Passage, Sample, plain_pieces
from harness.kit.html.markup import Child, Html, code_class, element, joined, long, name, text_block
from harness.kit.numbers import number
from harness.kit.text import plain
from harness.kit.worddiff import Runs, sides

LISTED = 5
"""Samples whose first line is seen when the page opens; the others are folded away."""
BUDGET = 2_000_000
"""Bytes that samples may take; the others are counted and left out."""
COMPARED = 2_000
"""Characters of a text whose words are compared."""
FOLDED = 600
"""Characters of an answer that is folded away."""
PASSAGE = 20_000
"""Characters of a text that stands by itself."""
TEXT = 400
"""Characters of one that stands beside others; it is whole by ``harness why``."""

_MARKS = {"missing": "del", "extra": "ins"}


def anchor(sample_id: str) -> str:
    """A place to link to: the same for a sample in every report, whatever its id holds."""
    digest = hashlib.sha256(sample_id.encode("utf-8", "replace")).hexdigest()
    return f"example-{digest[:12]}"


def draw_passage(block: Passage) -> Html:
    """Its title, and its text with the words marked that one of two texts lacks."""
    pieces = list(plain_pieces(block, PASSAGE))
    code = code_class("".join(text for kind, text in pieces if kind != "missing"))
    texts = ((_MARKS.get(kind), long(text, PASSAGE)) for kind, text in pieces)
    inner = [element(mark, text) if mark else text for mark, text in texts]
    words = _words(inner if any(text.strip() for _, text in pieces) else [], code)
    return element("div", _passage_title(block) if block.title else None, words, class_="passage")


def _passage_title(block: Passage) -> Html:
    remark = element("span", name(block.remark, 600), class_="remark")
    return element("h3", name(block.title, 200), [" ", remark] if block.remark else None)


def draw_answers(block: Answers) -> Html:
    if block.reference != "marked":
        return joined(_side_by_side(sample) for sample in block.samples)
    return _compared(block)


def _compared(block: Answers) -> Html:
    """All samples that have room, and a form to filter them."""
    shown: list[Html] = []
    choices = _choices(block.samples)
    budget = BUDGET
    for sample in block.samples:
        drawn = _sample(block, sample, choices)
        budget -= len(drawn.encode("utf-8"))
        if budget < 0:
            break
        shown.append(drawn)
    beyond = len(block.samples) - len(shown)
    note = (
        "The worst of each kind come first. Marked in the reference: words that the answer lacks; "
        "marked in the answer: words that the reference lacks."
    )
    return joined(
        element("p", note, class_="note"),
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
    """What samples can be filtered by; the page knows each by its place in these lists.

    A name may be long, and a sample would hold all of its names a second time.
    """

    tags: Sequence[str]
    remarks: Sequence[str]

    def places(self, sample: Sample) -> dict[str, str | int | None]:
        """The sample's own, as attributes."""
        return {
            "data_kinds": " ".join(str(self.tags.index(tag)) for tag in sample.tags),
            "data_course": self.remarks.index(sample.remark) if sample.remark else None,
        }


def _choices(samples: Sequence[Sample]) -> Choices:
    tags = sorted({tag for sample in samples for tag in sample.tags})
    return Choices(tags, sorted({sample.remark for sample in samples if sample.remark}))


def _filter(choices: Choices) -> Html:
    """Shown by the script alone: without it, it would do nothing."""
    return element(
        "form",
        element("label", "Words ", element("input", type="search", id="find", autocomplete="off")),
        _choice("kind", "Error category ", choices.tags),
        _choice("course", "Over the rounds ", choices.remarks),
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


def _sample(block: Answers, sample: Sample, choices: Choices) -> Html:
    """Its first line says what it is, the rest folds away."""
    answer, place = sample.answers[-1], anchor(sample.id)
    head = element(
        "summary",
        element("b", name(sample.id, 80)), " ",
        element("span", name(block.score, 90), f" {number(answer.score, 3)}"), " ",
        [[element("span", name(tag, 60), class_="tag"), " "] for tag in sample.tags],
        element("span", sample.remark, class_="dim") if sample.remark else None,
    )  # fmt: skip
    wanted, answered = sides(plain(sample.reference, COMPARED), plain(answer.text, COMPARED))
    code = code_class(sample.reference, answer.text)
    pair = (
        _part("Reference", _marked(wanted, "del", code)),
        _part("Answer", _marked(answered, "ins", code)),
    )
    where = [answer.detail, joined("From ", name(sample.place, 200), ".") if sample.place else None]
    return element(
        "details", head,
        element(
            "div",
            _part("Prompt", text_block(sample.prompt, class_="text prompt")),
            element("div", pair, class_="pair"),
            [_part(note.lead.capitalize(), element("p", note.text),
                   element("p", note.detail, class_="dim") if note.detail else None)
             for note in sample.notes],
            _folded(sample.others),
            element("p", [[part, " "] for part in where if part],
                    element("a", "link to this example", href=f"#{place}"), class_="dim"),
            class_="body",
        ),
        id=place, class_="example", **choices.places(sample),
    )  # fmt: skip


def _part(title: str, *inner: Any) -> Html:
    return element("div", element("h3", title), *inner)


def _marked(runs: Runs, mark: str, code: str) -> Html:
    """A text with the words marked that the other one lacks."""
    return _words([element(mark, text) if differs else text for text, differs in runs], code)


def _words(inner: Sequence[Child], code: str) -> Html:
    shown = joined(inner) if inner else element("em", "(empty)", class_="dim")
    return element("div", shown, dir="auto", class_=f"text words{code}")


def _folded(others: Sequence[Answer]) -> Html | None:
    """Other texts; those of several that are the same stand once, under all their names."""
    if not others:
        return None
    same: dict[str, list[Answer]] = {}
    for answer in others:
        same.setdefault(answer.text, []).append(answer)
    unlike = "all the same" if len(same) == 1 else f"{len(same)} different"
    items = [_other(answers, text) for text, answers in same.items()]
    summary = element("summary", f"{len(others)} other answers and references, {unlike}")
    return element("details", summary, items, class_="rounds")


def _other(answers: Sequence[Answer], text: str) -> Html:
    first = answers[0]
    known = [number(first.score, 3)] if first.score is not None else []
    facts = ", ".join([*known, *([first.detail] if first.detail else [])])
    title = ", ".join(answer.by for answer in answers) + (f": {facts}" if facts else "")
    if not text.strip():
        return joined(element("h4", title), element("em", "(empty)", class_="dim"))
    return joined(element("h4", title), text_block(text, FOLDED))


def _side_by_side(sample: Sample) -> Html:
    remark = element("span", sample.remark, class_="remark")
    head = element("h3", name(sample.id, 80), " ", remark)
    prompt = element(
        "details",
        element("summary", "Prompt"),
        text_block(sample.prompt, TEXT, class_="text prompt"),
    )
    return element("div", head, element("div", _sides(sample), class_="sides"), prompt)


def _sides(sample: Sample) -> Iterator[Html]:
    for answer in sample.answers:
        yield _side(f"{answer.by}: {number(answer.score, 2)}", answer.text)
    yield _side("reference", sample.reference)


def _side(title: str, text: str) -> Html:
    shown = text_block(text, TEXT) if text.strip() else element("em", "(empty)", class_="dim")
    return element("div", element("h4", title), shown)
