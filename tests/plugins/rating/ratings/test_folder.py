"""The folder of ratings parses each file once, and again only after it has changed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.records import Prediction
from harness_rating.metric import RubricMetric
from harness_rating.ratings import folder as module
from harness_rating.ratings.events import Events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.file import load
from tests.plugins.rating import material, tiny


@pytest.fixture
def reads(monkeypatch):
    """Path below the folder -> how often it was parsed."""
    counts: Counter[str] = Counter()

    def counted(path, read):
        counts["/".join(path.parts[-2:])] += 1
        return read(path)

    read_json, read_events = module.read_json, Events.all
    monkeypatch.setattr(module, "read_json", lambda path: counted(path, read_json))
    monkeypatch.setattr(Events, "all", lambda log: counted(log.path, lambda _: read_events(log)))
    return counts


def test_scoring_a_round_parses_each_file_once(tmp_path, reads):
    tiny.write(tmp_path / "tiny.yaml")
    options = {"rubric": tmp_path / "tiny.yaml", "folder": str(tmp_path / "r"), "enough": 20}
    metric = RubricMetric(RubricMetric.Options(**options))
    rules = load(tmp_path / "tiny.yaml")
    made = material.batch(tmp_path / "r", rules, n=20, overlap=0.0, repeats=0.0)
    pairs = []
    for rater in made.raters:
        log = Events(tmp_path / "r" / made.name, rater)
        for item in made.assignments[rater]:
            log.append(material.event(rater, item, "accuracy", value=3))
            log.append(material.event(rater, item, "polite", value=True))
    for candidate in material.candidates():
        pairs.append((Prediction(candidate.example.id, candidate.answers[3]), candidate.example))
    reads.clear()
    scored = [*score(metric, pairs), *score(metric, pairs)]
    assert sum(values is not None for values in scored) == 40
    once = {f"{made.name}/{file}": 1 for file in ("batch.json", "items.json")}
    assert reads == {**once, "events/ana.jsonl": 1, "events/bo.jsonl": 1}
    item = made.assignments["bo"][0]
    log.append(material.event("bo", item, "accuracy", value=2))
    assert score(metric, pairs) != scored[:40]
    assert reads == {**once, "events/ana.jsonl": 1, "events/bo.jsonl": 2}


def score(metric, pairs):
    """What a round asks of the metric: files, readiness, blocks, remarks."""
    assert metric.growing()
    metric.ready(pairs)
    found = [values for at in (0, 20) for values in metric.measure_all(pairs[at : at + 20])]
    assert metric.remarks(pairs) == ()
    return found


def test_a_batch_that_is_mended_is_read_again(tmp_path):
    folder = RatingsFolder(tmp_path)
    made = material.batch(tmp_path)
    path: Path = tmp_path / made.name / "items.json"
    whole = path.read_bytes()
    assert folder.batch(made.name) == made
    path.write_bytes(whole.replace(b"question 1", b"question 9"))
    with pytest.raises(Exception, match="batches are frozen"):
        folder.batch(made.name)
    path.write_bytes(whole)
    assert folder.batch(made.name) == made
