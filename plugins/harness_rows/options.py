"""What the source ``rows`` can be told: where the rows are, and what their columns mean."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import harness
from harness import Split
from harness_rows.dealing import check_numbers

Format = Literal["auto", "messages", "alpaca", "sharegpt", "prompt-completion", "columns"]


class Columns(BaseModel):
    """Role -> the column (or ``outer.inner``, for nested values) that it is read from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = Field(default="", description="column of the user's text")
    messages: str = Field(
        default="", description="column with a list of turns, in place of `prompt`"
    )
    completion: str = Field(
        default="", description="column with the turns that follow `messages`, the answer last"
    )
    choices: str = Field(
        default="",
        description="column with a list of answers to choose from: they stand behind the prompt, "
        "lettered, and an answer that is a number becomes the letter",
    )
    references: tuple[str, ...] = Field(default=(), description="column or columns of good answers")
    rejected: str = Field(
        default="", description="column of answers to which the references are preferred"
    )
    label: str = Field(
        default="",
        description="column of true and false: where it is false, the answer is a rejected one",
    )
    good: str = Field(
        default="",
        description="column of true and false: rows whose answer is not good are left out",
    )
    system: str = Field(default="", description="column of the system turn's text")
    id: str = Field(default="", description="column that names the row")
    group: str = Field(
        default="", description="column of what rows have in common (customer, document)"
    )
    split: str = Field(default="", description="column that says the split")
    meta: tuple[str, ...] = Field(default=(), description="columns with facts of the prompt")

    @field_validator("references", "meta", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class RowsOptions(harness.Options):
    """The keys of ``data:`` for ``source: rows``."""

    path: Path | None = Field(
        None,
        description="a file (JSONL, JSON, CSV, TSV, Parquet, Arrow) or a folder of such files",
    )
    also: Path | None = Field(
        None,
        description="a file of the format of `jsonl` whose rows stand beside the others, each with "
        "its `split`: what `harness rate export --to train` writes",
    )
    encoding: str = Field("", description="of text files that are not UTF-8: `cp1252`, `utf-16`, …")
    hub: str = Field(
        default="", description="a data set of the Hugging Face hub, in place of `path`"
    )
    config: str = Field(default="", description="which configuration of the hub's data set")
    revision: str = Field(default="", description="which commit, tag or branch of it")
    format: Format = Field(
        "auto", description="what the columns mean; `auto` recognises it and says so"
    )
    columns: Columns = Field(
        Columns(), description="role -> column, where the format is not enough"
    )
    prompt: str = Field(
        default="", description="template of the prompt: `{question}\\n\\n{context}`"
    )
    system: str = Field(default="", description="text of the system turn of all rows")
    incomplete: Literal["refuse", "drop"] = Field(
        "refuse",
        description="`drop` leaves rows without a prompt or an answer out, and counts them",
    )
    sizes: dict[Split, int | float] = Field(
        {},
        description="split -> share or number of rows: deals out the rows that have no split; a "
        "number is also drawn where the files give a split more rows; without `train`, these are "
        "cut from train",
    )
    draw: int = Field(0, description="another number deals otherwise; the run's seed does not")
    stratify: str = Field(
        default="", description="a column of `meta` of whose values each split gets the same share"
    )
    group: Literal["auto"] | None = Field(
        None, description="`auto`: rows with one prompt, or near-equal ones, stay together"
    )

    @field_validator("encoding")
    @classmethod
    def _of_texts(cls, value: str) -> str:
        try:
            if value:
                "".encode(value)  # also refuses `hex` and `base64`, which encode no texts
        except LookupError:
            raise ValueError("it has to be an encoding of texts (cp1252, utf-16, …)") from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> RowsOptions:
        if (self.path is None) == (not self.hub):
            raise ValueError("give either `path` or `hub`")
        if not self.hub and (self.config or self.revision):
            raise ValueError("`config` and `revision` are for `hub`")
        if self.group and self.columns.group:
            raise ValueError("`group: auto` makes groups: give either it or `columns.group`")
        if self.prompt and self.columns.prompt:
            raise ValueError("`prompt` is a template: give either it or `columns.prompt`")
        if self.columns.completion and not self.columns.messages:
            raise ValueError("`columns.completion` follows turns: name these as `columns.messages`")
        if self.stratify and not self.sizes:
            raise ValueError("`stratify` is for dealing rows out: give `sizes`")
        if self.stratify and self.columns.meta and self.stratify not in self.columns.meta:
            raise ValueError(f"`stratify` must name a column of `columns.meta`: {self.stratify}")
        template_names(self.prompt)
        check_numbers(list(self.sizes.values()), whole="train" in self.sizes)
        return self


def template_names(template: str) -> tuple[str, ...]:
    """The columns that a template names, each once.

    Raises:
        ValueError: it is no template of column names in braces.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"`prompt` is no template ({error}); a brace itself is {{{{") from None
    for _, name, form, conversion in parts:
        if name == "" or form or conversion:
            raise ValueError("`prompt` takes column names in braces alone: {question}")
    return tuple(dict.fromkeys(name for _, name, _, _ in parts if name))
