"""What a rubric file must hold beyond the shape of its keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness import SCORED_KINDS, near
from harness.kit.problems import Problems
from harness.kit.yaml_file import Place
from harness_rating.rubric import conditions
from harness_rating.rubric.condition_checks import check_conditions
from harness_rating.rubric.scales import TAKEN_KEYS
from harness_rating.rubric.schema import MOST_LEVELS, CriterionFile, ScaleFile

RESERVED = (*conditions.KEYWORDS, "overall")
"""Ids that would be taken for something else: words of a condition, the overall score."""
BELONGS = {
    "binary": ("anchors", "good"),
    "ordinal": ("min", "max", "anchors"),
    "number": ("min", "max", "anchors"),
    "choice": ("choices", "anchors"),
    "choices": ("choices", "anchors"),
    "text": (),
    "pairwise": ("anchors",),
}
"""Kind of scale -> keys that it takes beside ``kind``."""
USES = {"error_category": ("choice", "choices"), "reference": ("text",)}
"""``use_as`` -> kinds of scale that it can be made of."""
# Kinds of keys as their issuers write them: OpenAI and others, Hugging Face, GitHub, Google, AWS.
_SECRET = re.compile(
    r"\b(sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{20,}|AIza[\w-]{30,}|AKIA[A-Z0-9]{16}"
    r"|Bearer\s+[\w.~+/-]{16,})"
)

Shaped = Sequence[CriterionFile | None]


def check(shaped: Shaped, raw_criteria: Sequence[Any], raw: Any, problems: Problems) -> None:
    """Add every problem of a rubric to ``problems``.

    Args:
        shaped: the criteria, None where one does not even have the right keys.
        raw_criteria: the same as they stand in the file.
        raw: the whole file.
    """
    for index, criterion in enumerate(shaped):
        if criterion:
            _criterion(criterion, ("criteria", index), problems)
    _ids(raw_criteria, problems)
    check_conditions(shaped, raw_criteria, problems)
    whole = [criterion for criterion in shaped if criterion]
    if len(whole) == len(shaped):
        _together(whole, problems)
    _secrets(raw, (), problems)


def _criterion(criterion: CriterionFile, place: Place, problems: Problems) -> None:
    scale = criterion.scale
    _belonging(scale, (*place, "scale"), problems)
    if scale.kind in ("ordinal", "number"):
        _range(scale, (*place, "scale"), problems)
    if scale.kind in ("choice", "choices"):
        _choices(scale, (*place, "scale", "choices"), problems)
    _anchors(scale, (*place, "scale", "anchors"), problems)
    _fail_below(criterion, (*place, "fail_below"), problems)
    _keys(criterion, (*place, "keys"), problems)
    kinds = USES.get(criterion.use_as or "", (scale.kind,))
    if scale.kind not in kinds:
        problems.add(
            (*place, "use_as"),
            f"{criterion.use_as} comes from a scale of kind {' or '.join(kinds)}, not {scale.kind}",
        )


def _belonging(scale: ScaleFile, place: Place, problems: Problems) -> None:
    for key in ("min", "max", "anchors", "choices", "good"):
        if key in scale.model_fields_set and key not in BELONGS[scale.kind]:
            problems.add((*place, key), f"a scale of kind {scale.kind} has no {key}")


def _range(scale: ScaleFile, place: Place, problems: Problems) -> None:
    for key, value in (("min", scale.min), ("max", scale.max)):
        if value is None:
            problems.add((*place, key), f"is needed for a scale of kind {scale.kind}")
        elif scale.kind == "ordinal" and value != int(value):
            problems.add((*place, key), f"levels are whole numbers, not {value:g}")
    if scale.min is None or scale.max is None:
        return
    if scale.min >= scale.max:
        problems.add((*place, "max"), f"must be more than min ({scale.min:g}), not {scale.max:g}")
    elif scale.kind == "ordinal" and scale.max - scale.min >= MOST_LEVELS:
        problems.add((*place, "max"), f"at most {MOST_LEVELS} levels; use kind: number for more")


def _choices(scale: ScaleFile, place: Place, problems: Problems) -> None:
    if len(scale.choices) < 2:
        problems.add(place, "two or more are needed")
    for index, choice in enumerate(scale.choices):
        if choice in scale.choices[:index]:
            problems.add((*place, index), f"{choice!r} is there twice")


def _anchors(scale: ScaleFile, place: Place, problems: Problems) -> None:
    known = scale.labels
    if known is None or "anchors" not in BELONGS[scale.kind]:
        return
    for name in scale.anchors:
        if name not in known:
            shown = ", ".join(known) if len(known) <= 12 else f"{known[0]} to {known[-1]}"
            problems.add((*place, name), f"no value of this scale{near(name, known)} ({shown})")
    if scale.kind == "ordinal":
        bare = [level for level in (known[0], known[-1]) if level not in scale.anchors]
        if bare:
            problems.add(
                place,
                f"both ends need words; missing: {' and '.join(bare)} "
                f'(as in {bare[0]}: "what this level looks like")',
            )


def _fail_below(criterion: CriterionFile, place: Place, problems: Problems) -> None:
    limit, scale = criterion.fail_below, criterion.scale
    if limit is None:
        return
    if scale.kind == "binary":
        if limit != 1:
            problems.add(place, f"a binary scale can only have 1 here, not {limit:g}")
    elif scale.kind not in ("ordinal", "number"):
        problems.add(place, f"a scale of kind {scale.kind} has nothing below")
    elif scale.labels and not float(scale.min or 0) < limit <= float(scale.max or 0):
        ends = f"above {scale.min:g} and up to {scale.max:g}"
        problems.add(place, f"must lie on the scale, {ends}, not {limit:g}")


def _keys(criterion: CriterionFile, place: Place, problems: Problems) -> None:
    keys, scale = criterion.keys, criterion.scale
    if not keys:
        return
    values = None if scale.kind in ("text", "number") else scale.labels
    if scale.kind in ("text", "number"):
        problems.add(place, f"a scale of kind {scale.kind} is typed, so it has no keys")
    elif values is not None and len(keys) != len(values):
        problems.add(place, f"one for each of the {len(values)} values is needed, not {len(keys)}")
    for index, key in enumerate(keys):
        if len(key) != 1 or not key.isprintable() or key.isspace() or key != key.lower():
            problems.add((*place, index), f"one lower-case character is needed, not {key!r}")
        elif key in TAKEN_KEYS:
            problems.add((*place, index), f"the page itself uses {' '.join(TAKEN_KEYS)}: {key!r}")
        elif key in keys[:index]:
            problems.add((*place, index), f"{key!r} is there twice")


def _ids(raw: Sequence[Any], problems: Problems) -> None:
    first: dict[str, int] = {}
    for index, item in enumerate(raw):
        name = item.get("id") if isinstance(item, Mapping) else None
        if not isinstance(name, str):
            continue
        place = ("criteria", index, "id")
        if name in RESERVED:
            problems.add(place, f"{name!r} has a meaning of its own; take another id")
        if name in first:
            line = problems.lines.get(("criteria", first[name], "id"))
            known = f" (first in line {line})" if line else ""
            problems.add(place, f"{name!r} is the id of two criteria{known}")
        first.setdefault(name, index)


def _together(criteria: Sequence[CriterionFile], problems: Problems) -> None:
    """What the criteria must be as a whole."""
    scoring = [criterion for criterion in criteria if criterion.scale.kind in SCORED_KINDS]
    if scoring and not any(criterion.weight for criterion in scoring):
        problems.add(
            ("criteria", criteria.index(scoring[0]), "weight"),
            "every weight is 0, so there is no overall score; give one criterion a weight",
        )
    kinds = {criterion.scale.kind for criterion in criteria}
    if "pairwise" in kinds:
        _pairwise(criteria, problems)
    typed = [n for n, criterion in enumerate(criteria) if criterion.use_as == "reference"]
    for index in typed[1:]:
        problems.add(("criteria", index, "use_as"), "only one criterion can give the reference")


def _pairwise(criteria: Sequence[CriterionFile], problems: Problems) -> None:
    """With two answers on the page, a question about one of them has no subject."""
    for index, criterion in enumerate(criteria):
        kind = criterion.scale.kind
        if kind in ("binary", "ordinal", "number"):
            message = f"two answers are compared here, so kind {kind} cannot say which it is about"
            problems.add(("criteria", index, "scale"), message)
        if criterion.use_as == "error_category":
            message = "two answers are compared here, so an error would have no answer"
            problems.add(("criteria", index, "use_as"), message)


def _secrets(value: Any, place: Place, problems: Problems) -> None:
    """Raters, reports and judges read a rubric, so a key in it is a key given away."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _secrets(item, (*place, key), problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _secrets(item, (*place, index), problems)
    elif isinstance(value, str) and _SECRET.search(value):
        problems.add(place, "looks like a key for a service; take it out, and revoke it")
