"""The kept round's dev scores say that it was chosen by them, with test's beside the mark."""

from __future__ import annotations

import json

from harness.kit.terms import CHOSEN
from harness.verdicts.selection import chosen
from tests.support.documents import whole


def test_where_round_0_is_kept_nothing_was_chosen():
    assert chosen(whole({"kept_round": 0, "primary": "f1", "test": None})) is None


def test_before_test_is_opened_the_mark_stands_alone():
    found = chosen(whole({"kept_round": 2, "primary": "f1", "test": None}))
    assert (found.round, found.short) == (2, CHOSEN)
    assert found.sentence.endswith("; the test set was not opened.")


def test_the_score_on_test_stands_beside_it_with_its_caveat():
    score = {"value": 0.2963, "low": 0.27, "high": 0.321, "caveat": "uncalibrated"}
    found = chosen(whole({"kept_round": 1, "primary": "judge", "test": {"kept": {"judge": score}}}))
    assert found.short == f"{CHOSEN}; test: 0.296"
    assert "judge (uncalibrated) 0.296 (95 % interval 0.270 to 0.321)" in found.sentence


def test_a_score_on_test_without_a_value_is_left_out():
    score = {"value": None, "low": None, "high": None}
    found = chosen(whole({"kept_round": 1, "primary": "f1", "test": {"kept": {"f1": score}}}))
    assert found.short == CHOSEN


def test_it_stands_wherever_the_score_stands(finished):
    project, done = finished
    document = done.document
    assert document["kept_round"] == document["chosen"]["round"] > 0
    test = f"{document['test']['kept']['overlap']['value']:.3f}"
    short = f"{CHOSEN}; test: {test}"
    assert document["chosen"]["short"] == short
    folder = project.folder / "reports" / document["run"]
    page = (folder / "report.html").read_text()
    assert page.count(short) >= 1 and document["chosen"]["sentence"] in page
    markdown = (folder / "report.md").read_text()
    assert f"● best round: {CHOSEN}" in markdown and document["chosen"]["sentence"] in markdown
    text = (folder / "report.txt").read_text()
    assert f"● best round: {CHOSEN}" in text and f"{test} (95 % interval" in text
    assert f"({short})" in project.inside("runs").out
    kept = document["kept_round"]
    assert f", best round: {CHOSEN})" in project.inside("compare", "0", str(kept)).out
    assert CHOSEN in project.inside("score", "--run", document["run"]).out
    assert json.loads(project.inside("runs", "--json").out)[0]["chosen"] == short


def test_without_a_kept_round_no_mark_stands_anywhere(project):
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("{plugin: fake}\ngenerate", "{plugin: fake, gain: 0}\ngenerate"))
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert done.document["kept_round"] == 0 and done.document["chosen"] is None
    folder = project.folder / "reports" / done.document["run"]
    for name in ("report.html", "report.md", "report.txt"):
        assert CHOSEN not in (folder / name).read_text()
    assert CHOSEN not in project.inside("runs").out
