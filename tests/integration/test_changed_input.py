"""A plugin that changes what it was given ends the run, and changes no verdict."""

from __future__ import annotations

import pytest

from tests.support.project import CONFIG, SUPPORT, Project, Result

HEAD = "import harness\n\n\n"
TAIL = """

@harness.hookimpl
def register_{kind}s():
    return [Changing]
"""
WORD = 'row.messages[-1]["content"] = "repeat: changed"'
PLUGINS = {
    "detector": """
class Changing(harness.Detector):
    name = "changing"

    def categories(self):
        return {}

    def detect(self, scored):
        for message in scored.example.messages:
            message["content"] = "repeat: changed"
        return ()
""",
    "detector at the train rows": """
class Changing(harness.Detector):
    name = "changing"

    def categories(self):
        return {}

    def prepare(self, train):
        for row in train[:1]:
            object.__setattr__(row, "references", ("nothing",))

    def detect(self, scored):
        return ()
""",
    "baseline": f"""
class Changing(harness.Baseline):
    name = "changing"

    def prompts(self, rows, train, context):
        for row in rows:
            {WORD}
        return rows
""",
    "metric": """
class Changing(harness.Metric):
    name = "changing"

    def measure(self, prediction, example):
        example.meta["kind"] = "changed"
        return 1.0
""",
    "analyzer": """
class Changing(harness.Analyzer):
    name = "changing"

    def analyze(self, evidence, context):
        evidence.scored[0].values["overlap"] = 1.0
        return harness.Findings()
""",
    "augmenter": f"""
class Changing(harness.Augmenter):
    name = "changing"

    def propose(self, item, data, context):
        row = data.split("train")[0]
        {WORD}
        yield from data.split("pool")
""",
    "trainer": f"""
import fakes


class Changing(fakes.FakeTrainer):
    name = "changing"

    def train(self, base, train, valid, context):
        row = train[0]
        {WORD}
        return super().train(base, train, valid, context)
""",
    "generator": f"""
import fakes


class Changing(fakes.FakeGenerator):
    name = "changing"

    def generate(self, checkpoint, examples, context):
        answers = list(super().generate(checkpoint, examples, context))
        row = examples[0]
        {WORD}
        return answers
""",
    "searcher": """
class Changing(harness.Searcher):
    name = "changing"

    class Options(harness.Searcher.Options):
        by: str = "overlap"

    def space(self):
        return {"train.gain": [0.001, 0.01]}

    def propose(self, trials, seed, higher_is_better):
        trials[0].values["train.gain"] = 0.5
        return {"train.gain": 0.005}
""",
}
CONFIGS = {
    "detector": ("detect: [fake]", "detect: [changing, fake]"),
    "baseline": ("augment:", "baselines: [changing]\naugment:"),
    "metric": ("[{plugin: overlap}]", "[{plugin: changing}, {plugin: overlap}]"),
    "analyzer": ("analyze: [fake]", "analyze: [changing, fake]"),
    "augmenter": ("{plugin: fake, rows: 10}", "{plugin: changing, rows: 10}"),
    "trainer": ("train: {plugin: fake}", "train: {plugin: changing}"),
    "generator": ("generate: {plugin: fake}", "generate: {plugin: changing}"),
    "searcher": ("augment:", "search: {plugin: changing, trials: 3, folds: 2}\naugment:"),
}
NAMED = {
    "detector": ("round 0", "'dev-0': messages"),
    "detector at the train rows": ("round 1", "'train-", "': references"),
    "baseline": ("'dev-0': messages",),
    "metric": ("round 0", "'dev-0': meta"),
    "analyzer": ("round 0", "'dev-0': values"),
    "augmenter": ("round 1", "'train-", "': messages"),
    "trainer": ("round 1", "'train-", "': messages"),
    "generator": ("round 0", "'dev-0': messages"),
    "searcher": ("trial 1: values",),
}


def changing(project: Project, kind: str, launcher: str) -> None:
    """A config in which a plugin of that kind changes what it is given."""
    stage = kind.split()[0]
    project.write(HEAD + PLUGINS[kind].lstrip() + TAIL.format(kind=stage), "changing.py")
    text = CONFIG.replace("plugins: [", "plugins: [changing.py, ").replace(*CONFIGS[stage])
    project.write(text.replace("launcher: inline", f"launcher: {launcher}"))


IN_A_CHILD = ("trainer", "generator", "detector", "baseline")
"""Kinds that `execution.launcher: local` takes out of the run's process."""


@pytest.mark.nightly(but_each=16)
@pytest.mark.parametrize(
    ("launcher", "kind"),
    [*(("inline", kind) for kind in PLUGINS), *(("local", kind) for kind in IN_A_CHILD)],
)
def test_who_changes_its_input_ends_the_run(
    project: Project, launcher: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing(project, kind, launcher)
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT))
    monkeypatch.syspath_prepend(str(SUPPORT))
    result = project.inside("iterate", "--json")
    assert result.code == 5, result.err
    for text in ("changing", "changed", *NAMED[kind]):
        assert text in result.err


PLANNING = """
from tests.support.showing import ShowingTrainer


class Changing(ShowingTrainer):
    name = "changing"

    def rendered(self, base, rows, context):
        made = list(super().rendered(base, rows, context))
        rows[0].messages[0]["content"] = "repeat: changed"
        return made
"""


def test_a_plan_is_not_made_of_changed_rows(project: Project) -> None:
    project.write(HEAD + PLANNING.lstrip() + TAIL.format(kind="trainer"), "changing.py")
    text = CONFIG.replace("plugins: [", "plugins: [changing.py, ")
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: changing}"))
    result = project.inside("plan")
    assert (result.code, "it changed what it was given" in result.err) == (5, True), result.err


SCORING = """
import pathlib


class Changing(harness.Metric):
    name = "changing"
    additive = False

    def corpus(self, pairs):
        if pathlib.Path("now").exists():
            pairs[0][1].meta["kind"] = "changed"
        return {"changing": 1.0}
"""


def test_a_database_is_not_made_of_changed_rows(short: tuple[Project, Result]) -> None:
    project, result = short
    project.write(HEAD + SCORING.lstrip() + TAIL.format(kind="metric"), "changing.py")
    run = ("--run", result.document["run"])
    done = project.inside("score", *run, "--plugin", "changing.py", "-m", "changing")
    assert done.code == 0, done.err
    (project.folder / "now").touch()
    done = project.inside("rebuild", "--trust")
    assert (done.code, "it changed what it was given" in done.err) == (5, True), done.err


TELLING = """
class Own(harness.Section):
    name = "own"
    title = "Own"

    def rows(self, document, database):
        document.rounds[1].scores.clear()
        return [{"a": 1}]

    def blocks(self, document):
        document.failed["own"] = "changed"
        return super().blocks(document)


@harness.hookimpl
def on_round_end(run, result):
    result.scores.clear()


@harness.hookimpl
def on_run_end(run, summary):
    summary.rounds[1].scores.clear()


@harness.hookimpl
def register_sections():
    return [Own]
"""


def test_sections_cannot_write_and_observers_have_copies(project: Project) -> None:
    project.write(HEAD + TELLING.lstrip(), "own.py")
    text = CONFIG.replace("plugins: [", "plugins: [own.py, ").replace("rounds: 3", "rounds: 1")
    project.write(text + "sections: [own]\n")
    document = project.inside("iterate", "--json").document
    assert [each["verdict"]["label"] for each in document["rounds"]] == ["baseline", "improved"]
    shown = project.inside("report", "--json").document
    assert list(shown["failed"]) == ["own"] and "mappingproxy" in shown["failed"]["own"]
    for told in (document, shown):
        assert [each["verdict"]["label"] for each in told["rounds"]] == ["baseline", "improved"]
        assert told["rounds"][1]["scores"]["overlap"]["value"] > 0.3
