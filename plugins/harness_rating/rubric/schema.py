"""The keys of a rubric file, as pydantic models; the reference of rubrics is made from them.

Each field is checked where it stands, by the fields before it; what criteria have to agree on
among themselves is checked by :mod:`harness_rating.rubric.file`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness import ScaleKind, near
from harness.kit.problems import WHOLE
from harness.kit.text import storable
from harness_rating.rubric.conditions import FORM, KEYWORDS
from harness_rating.rubric.scales import SIDES, TAKEN_KEYS
from harness_rating.rubric.scoring import SCHEMA

MOST_LEVELS = 100
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
RESERVED = (*KEYWORDS, "overall")
"""Ids that would be taken for something else: words of a condition, the overall score."""


def _refuse(message: str) -> NoReturn:
    """Refuse a value by a message that needs no *not VALUE* behind it."""
    # Its braces are no places to fill in.
    raise PydanticCustomError(WHOLE, "{message}", {"message": message})


def _is_storable(text: str) -> str:
    if storable(text) != text:
        raise ValueError("text without NUL and lone surrogates is needed")
    return text


def _is_free(name: str) -> str:
    if name in RESERVED:
        _refuse(f"{name!r} has a meaning of its own; take another id")
    return name


def _is_key(key: str) -> str:
    if len(key) != 1 or not key.isprintable() or key.isspace() or key != key.lower():
        raise ValueError("one lower-case character is needed")
    if key in TAKEN_KEYS:
        _refuse(f"the page itself uses {' '.join(TAKEN_KEYS)}: {key!r}")
    return key


def _by_text(anchors: Any) -> Any:
    if not isinstance(anchors, dict):
        return anchors
    # Levels stand as numbers in a file.
    by_text = {str(value): words for value, words in anchors.items()}
    if len(by_text) < len(anchors):
        _refuse("a value is there twice, as a number and as a text")
    return by_text


def _is_condition(condition: Any) -> Any:
    if condition is not None and not isinstance(condition, dict):
        raise ValueError(FORM)
    return condition


def _refuse_repeats(values: Sequence[str]) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            _refuse(f"{value!r} is there twice")


Storable = AfterValidator(_is_storable)
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), Storable
]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), Storable
]
Guidelines = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), Storable
]
Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$"), AfterValidator(_is_free)
]
RubricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Key = Annotated[str, AfterValidator(_is_key)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ScaleFile(Strict):
    """The values that a criterion may take."""

    kind: ScaleKind = Field(
        description="`binary`, `ordinal`, `number`, `choice` (one), `choices` (any number of "
        "them), `text` or `pairwise` (A, B or tie)"
    )
    min: Number | None = Field(
        default=None, serialization_alias="least", validate_default=True,
        description="lowest value of `ordinal` and `number`",
    )  # fmt: skip
    max: Number | None = Field(
        default=None, serialization_alias="most", validate_default=True,
        description="highest value of `ordinal` and `number`",
    )  # fmt: skip
    choices: list[Label] = Field(
        default=[], max_length=50, validate_default=True,
        description="two or more names, for `choice` and `choices`",
    )  # fmt: skip
    anchors: Annotated[dict[str, Sentence], BeforeValidator(_by_text)] = Field(
        default={}, validate_default=True,
        description="value -> what it means; needed for both ends of `ordinal`, possible for "
        "`yes` and `no`, each choice, and `A`, `B`, `tie`",
    )  # fmt: skip
    good: Literal["yes", "no"] = Field(
        default="yes", description="the better answer to a `binary` question"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The values that may have an anchor, as text; the ends alone of ``number``."""
        if self.kind == "binary":
            return ("yes", "no")
        if self.kind == "pairwise":
            return SIDES
        if self.min is None or self.max is None:
            return tuple(self.choices)
        if self.kind == "number":
            return (f"{self.min:g}", f"{self.max:g}")
        return tuple(str(level) for level in range(int(self.min), int(self.max) + 1))

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, scale: Any) -> Any:
        return {"kind": scale} if isinstance(scale, str) else scale

    @field_validator("min", "max", "choices", "anchors", "good")
    @classmethod
    def _belongs(cls, value: Any, info: ValidationInfo) -> Any:
        kind, name = info.data.get("kind"), str(info.field_name)
        if kind is None:
            return value  # it is at fault itself
        if name not in BELONGS[kind] and value != cls.model_fields[name].default:
            _refuse(f"a scale of kind {kind} has no {name}")
        if name in BELONGS[kind] and value is None:
            _refuse(f"is needed for a scale of kind {kind}")
        return value

    @field_validator("min", "max")
    @classmethod
    def _level(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("kind") == "ordinal" and value != int(value):
            raise ValueError("levels are whole numbers")
        return value

    @field_validator("max")
    @classmethod
    def _above(cls, most: float | None, info: ValidationInfo) -> float | None:
        least = info.data.get("min")
        if most is None or least is None:
            return most
        if least >= most:
            raise ValueError(f"must be more than min ({least:g})")
        if info.data.get("kind") == "ordinal" and most - least >= MOST_LEVELS:
            _refuse(f"at most {MOST_LEVELS} levels; use kind: number for more")
        return most

    @field_validator("choices")
    @classmethod
    def _several(cls, choices: list[str], info: ValidationInfo) -> list[str]:
        if "choices" in BELONGS.get(info.data.get("kind", ""), ()) and len(choices) < 2:
            raise ValueError("two or more are needed")
        _refuse_repeats(choices)
        return choices

    @field_validator("anchors")
    @classmethod
    def _of_the_scale(cls, anchors: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if {"kind", "min", "max", "choices"} > info.data.keys():
            return anchors  # the scale is at fault itself
        values = cls.model_construct(**info.data).labels
        for name in anchors:
            if name not in values:
                shown = ", ".join(values) if len(values) <= 12 else f"{values[0]} to {values[-1]}"
                _refuse(f"{name!r} is no value of this scale{near(name, values)} ({shown})")
        ends = (values[0], values[-1]) if info.data["kind"] == "ordinal" else ()
        if bare := [level for level in ends if level not in anchors]:
            _refuse(
                f"both ends need words; missing: {' and '.join(bare)} "
                f'(as in {bare[0]}: "what this level looks like")'
            )
        return anchors


class CriterionFile(Strict):
    """One question about an answer."""

    id: Name = Field(description="lower-case letters, digits and `_`, starting with a letter")
    title: Title = Field(description="a word or two")
    question: Sentence = Field(description="what the rater is asked")
    scale: ScaleFile = Field(description="the values; a bare name is enough where it says all")
    weight: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="its part in the overall score, 0 to 1000; 0 leaves it out",
    )
    fail_below: Number | None = Field(
        default=None,
        description="a lower value makes the overall score 0, whatever the rest says; for "
        "`binary` the only use is 1: the worse answer fails",
    )
    allow_na: bool = Field(
        default=False, description="*cannot judge* is an answer, and leaves it out"
    )
    ask_if: Annotated[dict[str, Any] | None, BeforeValidator(_is_condition)] = Field(
        default=None, description="ask only under this condition (*Conditions*)"
    )
    keys: list[Key] = Field(default=[], description="a key for each value, instead of the digits")
    use_as: Literal["error_category", "reference"] | None = Field(
        default=None,
        description="`error_category`: what is chosen names a kind of error (`choice`, `choices`); "
        "`reference`: what is typed is a better answer (`text`)",
    )

    @field_validator("fail_below")
    @classmethod
    def _on_the_scale(cls, limit: float | None, info: ValidationInfo) -> float | None:
        scale = info.data.get("scale")
        if scale is None or limit is None:
            return limit
        if scale.kind == "binary":
            if limit != 1:
                raise ValueError("a binary scale can only have 1 here")
        elif scale.kind not in ("ordinal", "number"):
            _refuse(f"a scale of kind {scale.kind} has nothing below")
        elif not scale.min < limit <= scale.max:
            raise ValueError(f"must lie on the scale, above {scale.min:g} and up to {scale.max:g}")
        return limit

    @field_validator("keys")
    @classmethod
    def _one_for_each(cls, keys: list[str], info: ValidationInfo) -> list[str]:
        scale = info.data.get("scale")
        if scale is None or not keys:
            return keys
        if scale.kind in ("text", "number"):
            _refuse(f"a scale of kind {scale.kind} is typed, so it has no keys")
        if len(keys) != len(scale.labels):
            count = f"one for each of the {len(scale.labels)} values is needed"
            _refuse(f"{count}, not {len(keys)}")
        _refuse_repeats(keys)
        return keys

    @field_validator("use_as")
    @classmethod
    def _made_of(cls, use: str | None, info: ValidationInfo) -> str | None:
        scale = info.data.get("scale")
        if scale is not None and use is not None and scale.kind not in USES[use]:
            kinds = " or ".join(USES[use])
            _refuse(f"{use} comes from a scale of kind {kinds}, not {scale.kind}")
        return use


class ShowFile(Strict):
    """What a rater sees beside the prompt and the answer."""

    reference: Literal["always", "after_first_score", "never"] = Field(
        default="after_first_score",
        description="when the reference is shown: `always`, `after_first_score` (so that the "
        "first impression is the answer's own) or `never`",
    )
    system_prompt: bool | Literal["never"] = Field(
        default=False,
        description="the system prompt: `false` folds it, to be opened by a click; `true` shows it "
        "open, and judges read it, too; `never` leaves it out",
    )
    meta: list[Label] = Field(
        default=[], max_length=20, description="names of the row's `meta` fields that are shown"
    )


class OverallFile(Strict):
    """How the criteria become one score."""

    how: Literal["weighted_mean"] = Field(
        default="weighted_mean", description="mean of the values, each brought to 0..1, by `weight`"
    )
    right_at: float = Field(
        default=0.75,
        gt=0,
        le=1,
        description="the overall score from which an answer passes",
    )


class JudgeFile(Strict):
    """How a model rates by this rubric. Which model and where is said by the judge plugin."""

    bar: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="weighted kappa with raters that must be exceeded before the judge counts as "
        "calibrated",
    )
    items: int = Field(
        default=50, ge=10, le=100_000, description="least number of rated items for that"
    )
    samples: int = Field(
        default=3, ge=1, le=25, description="answers asked of the model per criterion"
    )
    instructions: str = Field(
        default="", max_length=5000, description="further words for the model only; no secrets"
    )


class RubricFile(Strict):
    """A rubric file."""

    schema_: Literal["harness.rubric/1"] = Field(alias="schema", description=f"`{SCHEMA}`")
    id: RubricName = Field(
        max_length=40, description="lower-case letters, digits and dashes; names batches"
    )
    version: int = Field(
        ge=1, le=1_000_000, description="raise it with every change of the wording"
    )
    title: Title = Field(description="its name, as shown")
    language: Language = Field(
        default="en", description="language of the texts, such as `en` or `pt-BR`"
    )
    instructions: Guidelines = Field(
        description="the guidelines that raters read first and can reopen"
    )
    show: ShowFile = Field(default=ShowFile(), description="what a rater sees")
    criteria: list[CriterionFile] = Field(
        min_length=1, max_length=50, description="the questions, in the order asked"
    )
    overall: OverallFile = Field(default=OverallFile(), description="how they become one score")
    judge: JudgeFile | None = Field(default=None, description="how a model rates by this rubric")
