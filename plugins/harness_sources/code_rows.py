"""What the sources of Python code share: options, and in which order modules are held out."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

import harness
from harness.kit.draws import weighted

# At most this share of dev, of test, and of train and pool comes from one package as long as
# others have rows (tkinter alone has a tenth of the standard library's methods, all alike).
PACKAGE_SHARE = 0.08


SizedSplit = Literal["train", "pool", "dev", "test"]
SPLITS: tuple[SizedSplit, ...] = get_args(SizedSplit)
"""The splits that a source of code fills; valid is taken out of train later."""


class Sizes(BaseModel):
    """Rows wanted in each split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: int = Field(default=400, ge=1, description="rows that training starts with")
    pool: int = Field(default=400, ge=0, description="labelled rows in reserve, for augmentation")
    dev: int = Field(default=160, ge=1, description="rows that steer the rounds")
    test: int = Field(default=160, ge=1, description="rows that stay sealed until the end")


class CodeOptions(harness.Options):
    """Which code is read, and how many rows are made of it."""

    packages: tuple[str, ...] = Field(
        (),
        description="installed packages (import or distribution names); `stdlib` is "
        "Python's standard library, and the default where no folder is given",
    )
    folder: Path | None = Field(default=None, description="a folder with Python files")
    min_code: int = Field(default=80, ge=1, description="minimum number of characters of code")
    max_code: int = Field(default=600, ge=1, description="maximum number of characters of code")
    sizes: Sizes = Field(default=Sizes(), description="rows wanted: train, pool, dev, test")
    per_group: int = Field(
        default=4, ge=1, description="maximum number of rows of one module in dev, and in test"
    )
    draw: int = Field(
        default=0, description="another number draws other rows; the run's seed does not"
    )

    @model_validator(mode="after")
    def _bounds(self) -> CodeOptions:
        if self.min_code > self.max_code:
            raise ValueError(
                f"min_code ({self.min_code}) is greater than max_code ({self.max_code})"
            )
        return self


def held_out_order(modules: Mapping[str, Sized], per_group: int, draw: int) -> list[str]:
    """A random order of modules, in which big ones come late.

    A module's chance is the share of its rows that would be used: holding it out loses those
    beyond ``per_group``, and a plain order would lose most of the data to a few big modules.

    Args:
        modules: name -> its rows.
    """

    def place(name: str) -> tuple[float, str]:
        rows = len(modules[name])
        return weighted(draw, name, min(rows, per_group) / rows), name

    return sorted(modules, key=place)
