"""The options of a plugin: what a config may say under it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Base of every plugin's options: unknown keys are refused, values are frozen.

    Relative paths in options are relative to the config file; use :class:`pathlib.Path` as
    the type and the core resolves them.
    """

    # A default of 32 for a float has to be 32.0, as it is when it is read from a file: the keys
    # of stages are made of options.
    # Built when a config names the plugin: of eighty installed ones a run has ten.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)
