"""Verdicts as a JUnit file, which CI servers show beside the tests.

Valid by both schemas in use, that of Ant (Windyroad) and that of Jenkins (``junit-10.xsd``). The
former asks for a time stamp, a host and a time of each case; no time is measured here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.kit.terminal.targets import write_target
from harness.kit.text import one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Outcome: TypeAlias = Literal["passed", "failure", "error", "skipped"]
LIMIT = 2_000
"""Characters of a message."""
_NOT_IN_XML = re.compile("[\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """A verdict as a test.

    Attributes:
        name: of the score.
        outcome: *failure*: it does not hold; *error*: what was asked for is not known;
            *skipped*: it is not known, and was not asked for.
        message: the sentence of the verdict, or why there is none.
        detail: what was required, where it does not hold.
    """

    name: str
    outcome: Outcome
    message: str
    detail: str = ""


def write_junit(path: Path, command: str, cases: Sequence[Case]) -> None:
    """Write the file of ``--junit``, whole or not at all.

    Args:
        command: whose verdicts these are, as *score*.

    Raises:
        EnvironmentFailure: the system refuses.
    """
    write_target("--junit", path, junit(command, cases))


def junit(command: str, cases: Sequence[Case]) -> bytes:
    """The document, in UTF-8."""
    from xml.etree import ElementTree as ET

    counts = Counter(case.outcome for case in cases)
    suite = ET.Element(
        "testsuite",
        name=f"harness {command}",
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time="0",
        timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
    )
    ET.SubElement(suite, "properties")
    for case in cases:
        _add(suite, case, f"harness.{command}")
    told = (f"{case.name}: {case.message}" for case in cases if case.outcome == "passed")
    ET.SubElement(suite, "system-out").text = "\n".join(map(_text, told))
    ET.SubElement(suite, "system-err")
    ET.indent(suite)
    document: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add(suite: Element, case: Case, classname: str) -> None:
    from xml.etree import ElementTree as ET

    element = ET.SubElement(
        suite, "testcase", classname=classname, name=_text(case.name, 200), time="0"
    )
    if case.outcome == "passed":
        return
    # A kind of failure has a type by the schemas, and what was skipped has none.
    kind = {} if case.outcome == "skipped" else {"type": f"harness.{case.outcome}"}
    outcome = ET.SubElement(element, case.outcome, {"message": _text(case.message), **kind})
    outcome.text = _text(case.detail or case.message)


def _text(text: str, limit: int = LIMIT) -> str:
    """One line of what XML can hold."""
    return _NOT_IN_XML.sub("\ufffd", one_line(text, limit))
