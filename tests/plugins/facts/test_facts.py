"""``facts`` as a metric: shares, forbidden facts, examples without facts; in a config, too."""

from __future__ import annotations

import pytest

import harness
from harness_facts import Facts, FactsDetector

FACTS = """\
same: {hour: [hours, h], degree: [degrees, °C]}
meta:
  dish:
    bread: [[220 degrees, very hot], ["40 minutes", two thirds of an hour]]
groups:
  rye-story: [sourdough]
rows:
  jam: {required: [1 kg sugar], forbidden: [vinegar]}
  safe: {forbidden: [raw]}
"""


@pytest.fixture
def metric(tmp_path):
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS, encoding="utf-8")
    return Facts(Facts.Options(file=path))


def example(row, dish="", group=None):
    return harness.Example(row, (), (), meta={"dish": dish}, group=group)


@pytest.mark.parametrize(
    ("row", "answer", "share"),
    [
        (example("a", "bread"), "Forty minutes at 220 degrees.", 1.0),
        (example("a", "bread"), "40 minutes at 200 degrees.", 0.5),
        (example("a", "bread"), "Just bake it.", 0.0),
        (example("a", "bread"), "", 0.0),
        (example("a", "bread", "rye-story"), "A sourdough, very hot, 40 minutes", 1.0),
        (example("a", "bread", "rye-story"), "A sourdough", 1 / 3),
        (example("jam"), "Take 1 kg sugar.", 1.0),
        (example("jam"), "Take 1 kg sugar and vinegar.", 0.0),
        (example("safe"), "Cook it.", 1.0),
        (example("safe"), "Eat it raw.", 0.0),
        (example("other", "soup"), "220 degrees", None),
    ],
)
def test_share(metric, row, answer, share):
    found = metric.measure(harness.Prediction(row.id, answer), row)
    assert found == (share if share is None else pytest.approx(share))


def test_remarks_count_what_the_score_hides(metric):
    rows = [example("jam"), example("x"), example("y"), example("safe")]
    said = ["Vinegar!", "", "", "fine"]
    pairs = [(harness.Prediction(r.id, text), r) for r, text in zip(rows, said, strict=True)]
    assert metric.remarks(pairs) == [
        "facts.yaml lists no facts for 2 of 4 examples; they are not scored.",
        "1 of 2 answers state a forbidden fact and score 0 for it.",
    ]
    assert metric.remarks(pairs[3:]) == []


@pytest.mark.parametrize(
    ("row", "answer", "labels"),
    [
        (example("a", "bread"), "Just bake it.", {"missing fact": "220 degrees; 40 minutes"}),
        (example("a", "bread"), "40 minutes, very hot", {}),
        (example("a", "bread", "rye-story"), "40 minutes, very hot", {"missing fact": "sourdough"}),
        (example("jam"), "Vinegar", {"missing fact": "1 kg sugar", "forbidden fact": "vinegar"}),
        (example("other", "soup"), "", {}),
    ],
)
def test_categories_name_what_is_missing(metric, row, answer, labels):
    detector = FactsDetector(FactsDetector.Options(file=metric.options.file))
    scored = harness.ScoredExample(row, harness.Prediction(row.id, answer), {})
    found = list(detector.detect(scored))
    assert {label.category: label.evidence for label in found} == labels
    assert {label.category for label in found} <= set(detector.categories())
    assert all(label.example_id == row.id and label.found_by == "facts" for label in found)


def test_signature_and_inputs_follow_the_content(metric):
    before = metric.signature()
    assert metric.inputs() == (metric.options.file,)
    assert before.startswith("facts|file:facts.yaml|sha256:")
    metric.options.file.write_text(FACTS.replace("1 kg", "2 kg"), encoding="utf-8")
    assert Facts(metric.options).signature() != before


@pytest.mark.nightly
def test_the_run_follows_the_content_of_the_file(project):
    """Another fact is another run; a wrong file is refused by check, with its line."""
    project.write("every: [a]\n", "facts.yaml")
    text = (project.folder / "harness.yaml").read_text("utf-8")
    text = text.replace("metrics: [", "metrics: [{plugin: facts, file: facts.yaml}, ")
    project.write(text)
    names = []
    for fact in ("a", "b"):
        project.write(f"every: [{fact}]\n", "facts.yaml")
        done = project.inside("iterate", "--rounds", "1", "--json")
        assert done.code == 0, done.err
        names.append(done.document["run"])
    assert names[0] != names[1]
    project.write("every:\n- '...'\n", "facts.yaml")
    done = project.inside("check")
    assert done.code == 2
    assert "facts.yaml:2" in done.err.replace("\n", "") and "no word" in done.err
