"""Advice on a rubric that is valid but would be hard to rate by: ``harness rate create``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import Criterion, Rubric
from harness.kit.yaml_file import Lines, Place
from harness_rating.rubric import conditions, file
from harness_rating.rubric.scales import options

MOST_KEYS = 9
"""Levels or choices that a digit can pick, and about as many as raters keep apart."""
MOST_CRITERIA = 12
LONGEST = {"title": 40, "question": 160, "anchor": 200, "choice": 40, "instructions": 2500}
"""Characters that a page has room for, beside the answer that is rated."""
AND = {
    "de": ("und",), "en": ("and", "&"), "es": ("y", "e"), "fr": ("et",), "it": ("e", "ed"),
    "nl": ("en",), "pt": ("e",),
}  # fmt: skip
"""Language -> words that join two questions in one."""
QUESTION_MARKS = ("?", "？", "؟", "՞", ";")
TELLING = ("model", "checkpoint", "round", "arm", "run", "score", "system", "adapter")
"""Words in the name of a ``meta`` field that would tell a rater where an answer comes from."""
_ASIDE = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")

Remarks = Iterator[tuple[Place, str]]


@dataclass(frozen=True, slots=True)
class Remark:
    """One piece of advice.

    Attributes:
        line: in the file, from 1; None where it is not known.
        place: the keys that lead to it (``criteria.0.title``).
    """

    line: int | None
    place: str
    message: str

    def line_of(self, path: Path) -> str:
        """The remark as a line of text, with the file that it is about."""
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.place}: {self.message}"


def lint(path: Path) -> list[Remark]:
    """What could be better in a rubric file, from top to bottom.

    Raises:
        ConfigError: the file is no valid rubric.
    """
    rubric, lines = file.read(path)
    remarks = [
        Remark(_line(place, lines), ".".join(map(str, place)), message)
        for place, message in _remarks(rubric, lines)
    ]
    return sorted(remarks, key=lambda remark: remark.line or 0)


def _line(place: Place, lines: Lines) -> int | None:
    """The line of a key, or of the nearest one around it that the file has."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return None


def _remarks(rubric: Rubric, lines: Lines) -> Remarks:
    yield from _whole(rubric)
    yield from _shown(rubric)
    yield from _repeated(rubric)
    yield from _clashing_keys(rubric)
    yield from _later(rubric)
    for index, criterion in enumerate(rubric.criteria):
        place = ("criteria", index)
        yield from _wording(criterion, rubric.language, place)
        yield from _levels(criterion, place)
        if not criterion.scale.scores and (*place, "weight") in lines:
            kind = criterion.scale.kind
            yield (*place, "weight"), f"has no effect: kind {kind} gives no score"


def _whole(rubric: Rubric) -> Remarks:
    long = LONGEST["instructions"]
    if len(rubric.instructions) > long:
        yield ("instructions",), f"too long for a page: over {long} characters; raters skip them"
    if len(rubric.criteria) > MOST_CRITERIA:
        yield ("criteria",), f"over {MOST_CRITERIA} criteria; raters tire, and the last ones suffer"
    if not any(criterion.required and not criterion.ask_if for criterion in rubric.criteria):
        yield ("criteria",), "no criterion must be answered: an item is done with nothing said"
    if not any(criterion.scores for criterion in rubric.criteria):
        yield ("criteria",), "nothing gives a score, so these ratings cannot decide a round"


def _shown(rubric: Rubric) -> Remarks:
    for index, name in enumerate(rubric.show.meta):
        if any(word in name.casefold() for word in TELLING):
            message = f"may tell raters where an answer comes from: {name!r}; they must not know"
            yield ("show", "meta", index), message


def _wording(criterion: Criterion, language: str, place: Place) -> Remarks:
    question = _ASIDE.sub("", criterion.question)
    if not question.rstrip("\"'”’»").endswith(QUESTION_MARKS):
        yield (*place, "question"), "is no question: it does not end in a question mark"
    joining = AND.get(language.split("-")[0].casefold(), ())
    joined = [word for word in criterion.title.casefold().split() if word in joining]
    if joined:
        message = (
            f"asks two things at once ({joined[0]!r}); an answer can be good at one of them only"
        )
        yield (*place, "title"), message
    for key in ("title", "question"):
        if len(getattr(criterion, key)) > LONGEST[key]:
            yield (*place, key), f"too long for a page: over {LONGEST[key]} characters"
    for value, words in criterion.scale.anchors.items():
        if len(words) > LONGEST["anchor"]:
            message = f"too long for a page: over {LONGEST['anchor']} characters"
            yield (*place, "scale", "anchors", value), message
    for index, choice in enumerate(criterion.scale.choices):
        if len(choice) > LONGEST["choice"]:
            message = f"too long for a button: over {LONGEST['choice']} characters"
            yield (*place, "scale", "choices", index), message


def _levels(criterion: Criterion, place: Place) -> Remarks:
    scale = criterion.scale
    labels = [option.label for option in options(criterion)]
    if len(labels) > MOST_KEYS:
        yield (*place, "scale"), f"over {MOST_KEYS} values: raters mix them up, and digits run out"
    if scale.kind == "ordinal":
        bare = [level for level in labels if level not in scale.anchors]
        if bare and len(labels) <= MOST_KEYS:
            message = f"levels without words: {', '.join(bare)}; raters will read them differently"
            yield (*place, "scale", "anchors"), message
        if scale.least is not None and scale.least < 0 and not criterion.keys:
            message = "a level below 0 has no digit, and so no key; give 'keys', or begin at 0 or 1"
            yield (*place, "scale", "min"), message
    first: dict[str, str] = {}
    for value, words in scale.anchors.items():
        same = first.setdefault(" ".join(words.casefold().split()), value)
        if same != value:
            yield (*place, "scale", "anchors", value), f"has the words of {same}"
    if scale.kind == "choice" and criterion.use_as == "error_category":
        message = "one must be chosen, so every answer gets an error; use kind: choices, or ask_if"
        yield (*place, "use_as"), message


def _repeated(rubric: Rubric) -> Remarks:
    for key in ("title", "question"):
        first: dict[str, int] = {}
        for index, criterion in enumerate(rubric.criteria):
            text = getattr(criterion, key).casefold()
            if text in first:
                other = rubric.criteria[first[text]].id
                yield ("criteria", index, key), f"is the {key} of {other}, too"
            first.setdefault(text, index)


def _clashing_keys(rubric: Rubric) -> Remarks:
    """Keys given by hand that mean one thing here and another there; digits are by place."""
    meaning: dict[str, tuple[str, str]] = {}
    for index, criterion in enumerate(rubric.criteria):
        if not criterion.keys:
            continue
        for option in options(criterion):
            label, there = meaning.setdefault(option.key, (option.label, criterion.id))
            if label != option.label and not option.key.isdigit():
                message = f"{option.key!r} means {option.label!r} here and {label!r} in {there}"
                yield ("criteria", index, "keys"), message


def _later(rubric: Rubric) -> Remarks:
    order = {criterion.id: index for index, criterion in enumerate(rubric.criteria)}
    for index, criterion in enumerate(rubric.criteria):
        for name in sorted(conditions.names_in(criterion.ask_if), key=order.__getitem__):
            if order[name] > index:
                message = f"depends on {name}, which comes later; put that one first"
                yield ("criteria", index, "ask_if"), message
