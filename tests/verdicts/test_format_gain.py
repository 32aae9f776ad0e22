"""A gain that is mostly form is called so beside the verdict."""

from __future__ import annotations

import pytest

from harness.records import ErrorLabel, Example, Prediction, ScoredExample
from harness.verdicts.format_gain import mended

PLUGIN = '''
import harness


class Shape(harness.Detector):
    """Answers that are mostly hm have no form."""

    name = "shape"

    def categories(self):
        return {"shapeless": "half of the words are hm", "short": "it has few words"}

    def malformed(self):
        return ["shapeless"]

    def detect(self, scored):
        words = scored.prediction.text.split()
        if 2 * words.count("hm") >= len(words):
            yield harness.ErrorLabel(scored.example.id, "shapeless", "", "shape")


@harness.hookimpl
def register_detectors():
    return [Shape]
'''


def rows(*values):
    return [
        ScoredExample(
            Example(str(n), ({"role": "user", "content": "q"},)), Prediction(str(n), "a"),
            {"f1": value},
        )
        for n, value in enumerate(values)
    ]  # fmt: skip


def labels(**kinds):
    return [ErrorLabel(name[1:], kind) for name, of in kinds.items() for kind in of]


def remarks(new, old, after=(), before=(), up=True):
    return mended(
        rows(*new), rows(*old), (after, before), malformed={"cut off", "wrong format"},
        score="f1", higher_is_better=up, against="round 0",
    )  # fmt: skip


def test_the_share_the_answers_and_the_kinds_are_told():
    before = labels(_0=["cut off", "wrong format"], _1=["cut off"], _2=["too long"])
    (found,) = remarks((0.9, 0.5, 0.4, 0.3), (0.1, 0.1, 0.2, 0.2), (), before)
    assert found.what == "form"
    assert found.figures == {"share": pytest.approx(0.8), "mended": 2, "answers": 4}
    assert found.sentence == (
        "80 % of the gain is on 2 of 4 answers that were malformed in round 0 and no longer are "
        "(truncated 2, wrong format 1): it may be format more than content."
    )


@pytest.mark.parametrize(
    ("new", "after"),
    [
        ((0.2, 0.6), []),  # the other row carries more
        ((0.9, 0.2), labels(_0=["cut off"])),  # it is malformed still
        ((0.3, 0.3), []),  # exactly half
        ((0.0, 0.0), []),  # nothing was gained
    ],
)
def test_else_nothing_is_said(new, after):
    assert remarks(new, (0.1, 0.1), after, labels(_0=["cut off"])) == ()


def test_rows_that_one_side_did_not_score_do_not_count():
    before = labels(_0=["cut off"], _1=["cut off"])
    (found,) = remarks((0.9, None), (0.1, 0.1), (), before)
    assert found.figures["answers"] == 1 and "on 1 of 1 answers" in found.sentence
    assert remarks((None,), (0.1,), (), before) == ()


def test_where_less_is_better_a_fall_is_the_gain():
    (found,) = remarks((0.1,), (0.9,), (), labels(_0=["cut off"]), up=False)
    assert found.sentence.startswith("All of the")
    assert remarks((0.9,), (0.1,), (), labels(_0=["cut off"]), up=False) == ()


def test_a_run_says_so_beside_each_verdict_that_it_is_true_of(project):
    project.write(PLUGIN, "shape.py")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [shape.py, ").replace(
        "detect: [fake]", "detect: [shape]"
    )
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: fake, gain: 0.02}"))
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    document = done.document
    for verdict in (document["rounds"][1]["verdict"], document["test"]["verdict"]):
        assert verdict["label"] == "improved"
        (remark,) = verdict["remarks"]
        assert remark["what"] == "form" and remark["figures"]["share"] > 0.5
        assert "malformed in round 0 and no longer are (shapeless " in remark["sentence"]
        assert "malformed" not in verdict["sentence"]
    assert "it may be format more than content" in done.err
    report = project.folder / "reports" / document["run"]
    for name in ("report.html", "report.md", "report.txt"):
        assert "malformed" in (report / name).read_text()


def test_a_detector_that_says_nothing_of_form_leaves_the_verdict_alone(finished):
    assert "malformed" not in str(finished[1].document["rounds"])
