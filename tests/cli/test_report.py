"""``harness report`` in CI: its verdicts as a JUnit file, and what may be required of them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest


@pytest.mark.parametrize(
    ("asked", "code", "outcome"),
    [
        ((), 0, ""),
        (("--require", "improved"), 0, ""),
        (("--min-gain", "0.9", "--json"), 1, "failure"),
    ],
)
def test_the_verdicts_of_a_run_are_tests(
    finished: Any, asked: tuple[str, ...], code: int, outcome: str
) -> None:
    project, _ = finished
    done = project.inside("report", *asked, "--junit", "verdicts.xml")
    assert done.code == code and done.out, done.err
    dev, test = ET.parse(project.folder / "verdicts.xml").getroot().iter("testcase")
    assert (dev.get("name"), len(dev)) == ("overlap on dev, round 3", 0)
    assert (test.get("name"), [x.tag for x in test]) == (
        "overlap on test",
        [outcome] * bool(outcome),
    )
    if outcome:
        assert test[0].get("message", "").startswith("improved: overlap rose by 0.259")
        assert "the interval begins at" in (test[0].text or "") and "not as required" in done.err


def test_a_sealed_test_set_is_skipped_and_an_error_where_it_was_required(project: Any) -> None:
    assert project.inside("iterate", "--rounds", "1", "--no-test").code == 0
    for asked, code, outcome in (((), 0, "skipped"), (("--require", "improved"), 1, "error")):
        assert project.inside("report", *asked, "--junit", "verdicts.xml").code == code
        _, test = ET.parse(project.folder / "verdicts.xml").getroot().iter("testcase")
        assert test[0].tag == outcome
        assert "The test set was not opened (--no-test)." in test[0].get("message", "")
