"""A judge behind a real HTTP server on the loopback, which says what a test tells it to."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.records.rubrics import Rubric
from harness_rating.batches.spec import BatchSpec
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric import file
from tests.plugins.rating import material
from tests.support import chat_server
from tests.support.chat_server import SECRET, Answer, Server, said
from tests.support.waiting import LONG

RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
instructions: Read the answer, then judge it.
show: {reference: never}
criteria:
  - id: right
    title: Right
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: polite
    title: Polite
    question: Is the answer polite?
    scale: {kind: binary, anchors: {"yes": polite, "no": rude}}
    allow_na: true
    ask_if: {right: {above: 1}}
judge: {bar: 0.6, items: 20, samples: 1}
"""
PAIRS = """\
schema: harness.rubric/1
id: pairs
version: 1
title: Pairs
instructions: Say which one is better.
criteria:
  - id: better
    title: Better
    question: Which answer is better?
    scale: pairwise
judge: {bar: 0.6, items: 20, samples: 2}
"""


class Asked(chat_server.Asked):
    """A request to a judge."""

    @property
    def criterion(self) -> str:
        return re.search(r"# The criterion: (.*)", self.system)[1]

    def text(self, name: str = "answer") -> str:
        """What stands in a part of the prompt."""
        found = re.search(
            rf"<<<{name} (\w{{12}})>>>\n(.*)\n<<<end of {name} \1>>>", self.user, re.DOTALL
        )
        return found[2]


def judged(value: Any, evidence: str = "It says so.") -> Answer:
    return said(json.dumps({"evidence": evidence, "score": value}))


def fair(asked: Asked) -> Answer:
    """A judge that gives 5 to good answers and 1 to others, and finds all polite."""
    if asked.criterion == "Polite":
        return judged("yes")
    return judged(5 if "good" in asked.text() else 1)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(fair, Asked)
    yield made
    made.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the rubrics; the key is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    (tmp_path / "short.yaml").write_text(RUBRIC)
    (tmp_path / "pairs.yaml").write_text(PAIRS)
    return tmp_path


@pytest.fixture
def short(here: Path) -> Rubric:
    return file.load(here / "short.yaml")


@pytest.fixture
def options(server: Server, here: Path) -> dict[str, Any]:
    """Options of the metric that wait for nothing."""
    return {
        "rubric": here / "short.yaml", "endpoint": server.url, "model": "tester",
        "wait": 0, "timeout": LONG, "concurrency": 2,
    }  # fmt: skip


@pytest.fixture
def metric(options: dict[str, Any]) -> Callable[..., Any]:
    """``metric(**changed)``: the metric, made anew."""
    from harness_rating.judge.plugin import JudgeMetric

    def make(**changed: Any) -> Any:
        return JudgeMetric(JudgeMetric.Options(**{**options, **changed}))

    return make


@pytest.fixture
def pairs() -> list[tuple[harness.Prediction, harness.Example]]:
    """Ten answers, every second one good."""
    return [
        (
            harness.Prediction(f"row-{n}", f"a {'good' if n % 2 else 'poor'} answer {n}"),
            harness.Example(
                f"row-{n}", ({"role": "user", "content": f"question {n}?"},),
                (f"reference {n}",), split="dev", group=f"g{n}",
            ),
        )
        for n in range(10)
    ]  # fmt: skip


@pytest.fixture
def rated(here: Path) -> Callable[..., Any]:
    """``rated(pairs, value, rubric=..., raters=...)``: a batch of the answers, rated by raters.

    ``value(rater, answers)`` is what the rater says: criterion -> value.
    """
    from harness_rating.batches.sampling import Candidate

    def make(
        pairs: Any, value: Any, rubric: str = "short.yaml", raters: tuple[str, ...] = ("ana",),
        rounds: int = 1, strategy: str = "random",
    ) -> Any:  # fmt: skip
        found = [
            Candidate(row, {n: f"{answer.text}{' later' * n}" for n in range(rounds)}, 0.5, {}, {})
            for answer, row in pairs
        ]
        order = BatchSpec(
            file.load(here / rubric),
            "run",
            rounds - 1,
            raters,
            0 if rounds > 1 else None,
            n=len(found),
            overlap=1.0 if len(raters) > 1 else 0.0,
            repeats=0.0,
            strategy=strategy,
        )
        batch = RatingsFolder().create(order, found)
        items = batch.by_id
        for rater in raters:
            said = functools.partial(value, rater)
            material.rate(batch, rater, lambda item, said=said: said(items[item].answers))
        return batch

    return make


@pytest.fixture
def words() -> Any:
    """The makers of answers, for tests that script the server."""
    import types

    return types.SimpleNamespace(
        Answer=Answer, said=said, judged=judged, fair=fair, SECRET=SECRET, RUBRIC=RUBRIC
    )
