"""The config: which file, what its plugins say of this machine, and what they need."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

import harness
from harness.kit.text import one_line
from harness_doctor.findings import Section, Trouble
from harness_doctor.probing import Answer
from harness_doctor.sections.libraries import declared_names, is_installed
from harness_doctor.sections.torch import SLOW_CURE

_PIP = re.compile(r"pip install (?:-e )?(?:'[\w./,\[\]<>=!~ -]+'|[\w./\[\]-]+)")
_PACKAGE = re.compile(r"needs the packages? ([\w.-]+)")
_NAMED = {"HF_HUB_OFFLINE": "unset HF_HUB_OFFLINE", "hf auth login": "hf auth login"}
"""What a plugin's message may name -> the command that mends it."""
SHOWN = 8
"""Things of a kind that are told; `harness check` tells all."""


def section(answer: Answer, path: Path | None, sets: Sequence[str]) -> Section:
    """What the config needs of this machine.

    Args:
        path: as given on the command line; None where none was.
    """
    named = _named(path)
    check = _command(path, sets)
    facts, values = {"file": named}, {"file": named, **answer.found}
    if answer.failure:
        trouble = Trouble(
            f"the config cannot be looked at: {answer.failure}",
            "what it needs of this machine is not known",
            SLOW_CURE if answer.late else check,
            "warning",
        )
        return Section("config", "Config", facts, values, (trouble,))
    if "refused" in answer.found:
        facts["state"] = "it cannot be used"
        return Section("config", "Config", facts, values, (_refused(answer.found, check),))
    entries = answer.found["entries"]
    facts["plugins"] = ", ".join(f"{one['place']}: {one['plugin']}" for one in entries)
    facts["libraries"] = ", ".join(libraries(answer)) or "none"
    if unknown := [one for one in _said(entries) if one["level"] == "unknown"]:
        facts["not known"] = "; ".join(map(_in_words, unknown))
    lacking = _lacking(libraries(answer))
    troubles = [*_troubles(entries, check), *lacking, *_failed(answer.found["failed"])]
    return Section("config", "Config", facts, values, tuple(troubles))


def libraries(answer: Answer) -> list[str]:
    """The libraries that make the results of the config's plugins."""
    found = {name for one in answer.found.get("entries", ()) for name in one["libraries"]}
    return sorted(map(str, found))


def needs(answer: Answer) -> Sequence[Mapping[str, str]]:
    """What has to be fetched, and from where."""
    found: Sequence[Mapping[str, str]] = answer.found.get("needs", ())
    return found


def _named(path: Path | None) -> str:
    if path is not None:
        return str(path)
    here = Path("harness.yaml")
    return str(here) if here.is_file() else "the shipped one (there is no harness.yaml here)"


def _command(path: Path | None, sets: Sequence[str]) -> str:
    words = ["harness", "check", *(["-c", str(path)] if path is not None else [])]
    return shlex.join([*words, *(word for text in sets for word in ("--set", text))])


def _refused(found: Mapping[str, Any], check: str) -> Trouble:
    lines = [found["refused"], *found["details"]]
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    machine = found["machine"]
    kind = harness.EnvironmentFailure if machine else harness.ConfigError
    return Trouble(
        "; ".join(one_line(str(line), 200) for line in lines[:SHOWN]) + more,
        "no run can begin with this config" if not machine else "the config needs it",
        check,
        code=kind.exit_code,
    )


def _said(entries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, str]]:
    """All that plugins say of their entries."""
    for entry in entries:
        yield from entry["problems"]


def _in_words(one: Mapping[str, str]) -> str:
    return f"{one['place']}: {one['message']}"


def _troubles(entries: Sequence[Mapping[str, Any]], check: str) -> Iterator[Trouble]:
    for one in _said(entries):
        if one["level"] == "environment":
            cure = _cure(one["message"], check)
            yield Trouble(_in_words(one), "the config asks for it", cure)
        elif one["level"] == "config":
            code = harness.ConfigError.exit_code
            yield Trouble(_in_words(one), "no run can begin so", check, code=code)


def _lacking(names: Sequence[str]) -> Iterator[Trouble]:
    """Libraries that plugins name and that are not there; those of harness are told elsewhere."""
    declared = {canonicalize_name(one) for one in declared_names()}
    for name in names:
        if canonicalize_name(name) not in declared and not is_installed(name):
            yield Trouble(
                f"the package {name} is not installed",
                "plugins of the config need it",
                f"pip install {shlex.quote(name)}",
            )


def _cure(message: str, check: str) -> str:
    """The command that a plugin's message names, or that follows from it."""
    if told := _PIP.search(message):
        return told[0]
    if package := _PACKAGE.search(message):
        return f"pip install {package[1]}"
    named = (command for words, command in _NAMED.items() if words in message)
    return next(named, f"mend what it names, then: {check}")


def _failed(failed: Mapping[str, str]) -> Iterator[Trouble]:
    for origin, why in failed.items():
        yield Trouble(
            f"plugins of {one_line(origin, 120)} cannot be loaded: {one_line(why, 200)}",
            "a config that names one of them is refused",
            "harness plugins",
            "warning",
        )
