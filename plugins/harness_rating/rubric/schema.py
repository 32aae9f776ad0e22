"""The keys of a rubric file, as pydantic models; the reference of rubrics is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from harness import ScaleKind
from harness.kit.text import storable
from harness_rating.rubric.scales import SIDES
from harness_rating.rubric.scoring import SCHEMA

MOST_LEVELS = 100


def _is_storable(text: str) -> str:
    if storable(text) != text:
        raise ValueError("text without NUL and lone surrogates is needed")
    return text


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
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RubricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ScaleFile(Strict):
    """The values that a criterion may take."""

    kind: ScaleKind = Field(
        description="`binary`, `ordinal`, `number`, `choice` (one), `choices` (any number of "
        "them), `text` or `pairwise` (A, B or tie)"
    )
    min: Number | None = Field(default=None, description="lowest value of `ordinal` and `number`")
    max: Number | None = Field(default=None, description="highest value of `ordinal` and `number`")
    anchors: dict[str, Sentence] = Field(
        default={},
        description="value -> what it means; needed for both ends of `ordinal`, possible for "
        "`yes` and `no`, each choice, and `A`, `B`, `tie`",
    )
    choices: list[Label] = Field(
        default=[], max_length=50, description="two or more names, for `choice` and `choices`"
    )
    good: Literal["yes", "no"] | None = Field(
        default=None, description="the better answer to a `binary` question (`yes` if left out)"
    )

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The values that may have an anchor, as text; None where the scale is at fault itself."""
        if self.kind == "binary":
            return ("yes", "no")
        if self.kind == "pairwise":
            return SIDES
        if self.kind in ("choice", "choices"):
            return tuple(self.choices)
        if self.min is None or self.max is None or self.min >= self.max:
            return None
        if self.kind == "number":
            return (f"{self.min:g}", f"{self.max:g}")
        if self.min != int(self.min) or self.max != int(self.max):
            return None
        if self.max - self.min >= MOST_LEVELS:
            return None
        return tuple(str(level) for level in range(int(self.min), int(self.max) + 1))

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"kind": given} if isinstance(given, str) else given


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
    ask_if: str | None = Field(
        default=None, description="ask only under this condition (see below)"
    )
    keys: list[str] = Field(default=[], description="a key for each value, instead of the digits")
    use_as: Literal["error_category", "reference"] | None = Field(
        default=None,
        description="`error_category`: what is chosen names a kind of error (`choice`, `choices`); "
        "`reference`: what is typed is a better answer (`text`)",
    )


class ShowFile(Strict):
    """What a rater sees beside the prompt and the answer."""

    reference: Literal["always", "after_first_score", "never"] = Field(
        default="after_first_score",
        description="when the reference is shown: `always`, `after_first_score` (so that the "
        "first impression is the answer's own) or `never`",
    )
    system_prompt: bool = Field(default=False, description="whether the system prompt is shown")
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
