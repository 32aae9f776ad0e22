"""The rule for sections of reports: their blocks can be drawn, whatever the document lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.boundary import results
from harness.errors import NO_FAULT, PluginError
from harness.stages import Section
from harness.testing.outcomes import Failed, Skipped, reason
from harness.testing.subject import Subject

_VERDICT = {
    "label": "baseline", "against": "", "difference": None, "low": None, "high": None,
    "level": None, "detectable": None, "sentence": "The base model.", "n": 3, "groups": 3,
}  # fmt: skip
_SCORE = {
    "value": 0.5, "low": None, "high": None, "n": 3, "unscored": 0, "signature": "score|v:1",
    "higher_is_better": True, "caveat": "",
}  # fmt: skip
_ROUND: Mapping[str, Any] = {
    "round": 0, "train_rows": None, "kept": True, "scores": {"score": _SCORE},
    "verdict": _VERDICT, "errors": {}, "slices": [], "plan": [], "added": 0, "added_by": {},
    "refused": {}, "guards": [], "log": [],
}  # fmt: skip
DOCUMENT: Mapping[str, Any] = {
    "schema": "harness.analysis/3", "run": "sample", "primary": "score",
    "model": {"base": "sample", "adapter": None, "round": 0},
    "dates": {"started": None, "finished": None}, "settings": {},
    "rounds": [_ROUND], "kept_round": 0, "test": None, "sealed": None, "control": None,
    "objective": None, "data": {"rows": {"dev": 3}, "dev_groups": 3}, "examples": [],
    "notes": [], "seconds": {}, "cached": [], "next_command": "", "tables": {}, "queries": [],
    "definitions": {}, "causes_known": {}, "remedies": [], "sections": [], "failed": {},
}  # fmt: skip
"""The analysis of a run that has closed its first round and knows no more."""


def blocks(subject: Subject) -> str | None:
    """The blocks are of the known kinds, their texts are text, their tables rectangular."""
    section = subject.instance
    if not isinstance(section.always, bool) or not isinstance(section.after, str):
        raise Failed("always is no bool or after no text", "Set them to True, and to a part's name")
    needed = [name for name, f in type(section).Options.model_fields.items() if f.is_required()]
    if section.always and needed:
        mend = "A section that no config names has no options, or defaults for all"
        raise Failed(f"it stands in every report, and needs the option '{needed[0]}'", mend)
    if type(section).blocks is Section.blocks:
        raise Skipped("it gives rows, which become a table")
    mend = "Give records of harness.kit.blocks; a document may lack any table"
    try:
        found = results.blocks(section.blocks(DOCUMENT))
    except PluginError as error:
        raise Failed(error.what, mend) from None
    except NO_FAULT:
        raise
    except Exception as error:
        raise Failed(f"blocks() raises {reason(error)} for a run without tables", mend) from None
    if results.blocks(subject.make().blocks(DOCUMENT)) != found:
        raise Failed("the same document gives other blocks", "Draw from the document alone")
    return f"{len(found)} blocks for a run that knows nothing"
