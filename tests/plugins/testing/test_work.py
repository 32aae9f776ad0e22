"""Every kind of plugin is called on a small data set, and what breaks there is named."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

import harness
import harness_launchers
from harness.records.analysis import RightCount
from harness.stages import KINDS
from harness_testing import check, rules
from harness_testing.sample import Sample
from harness_testing.subject import Subject
from tests.support.project import FAKES

GUIDE = "\n".join(
    page.read_text("utf-8")
    for page in sorted((Path(__file__).parents[3] / "docs" / "plugins").glob("*.md"))
)


def outcome(plugin: Any, **given: Any) -> Any:
    """Of the rule that calls it; where that one passes, of what is asked of its kind besides."""
    called = [rule for rule in rules(plugin.stage) if rule.id in ("work", "seed", "gate")]
    outcomes = [rule.run(Subject(plugin, **given)) for rule in called]
    return next((found for found in outcomes if found.status == "failed"), outcomes[0])


# -- augmenters -----------------------------------------------------------------------------


class GuessedNames(harness.Augmenter):
    """It calls what a data set and a slice do not have."""

    name = "guessed-names"

    def propose(self, item, data, context):
        for row in data.train:
            if item.slice.matches(row):
                yield row


class Parentless(harness.Augmenter):
    """It does not say where its rows come from."""

    name = "parentless"

    def propose(self, item, data, context):
        turn = {"role": "user", "content": f"May I pay {context.seed} instalments?"}
        yield harness.Example(f"new-{context.seed}", (turn,), ("Yes.",))


class OneName(harness.Augmenter):
    """It gives the rows of each round the names of the last one."""

    name = "one-name"

    def propose(self, item, data, context):
        row = data.split("train")[0]
        turn = {"role": "user", "content": f"Where is order {context.seed * 7919} by now?"}
        yield dataclasses.replace(row, id="new", messages=(turn,), parent=row.id)


class Writes(harness.Augmenter):
    """It changes a row that is everybody's."""

    name = "writes"

    def propose(self, item, data, context):
        row = data.split("pool")[0]
        row.meta["seen"] = True
        yield row


class Draws(harness.Augmenter):
    """It draws without the seed."""

    name = "draws"

    def propose(self, item, data, context):
        rows = list(data.split("pool"))
        random.shuffle(rows)
        yield from rows


class Loud(harness.Augmenter):
    """It prints."""

    name = "loud"

    def propose(self, item, data, context):
        print("a row")
        yield data.split("pool")[0]


class Repeats(harness.Augmenter):
    """It proposes rows of train as they are."""

    name = "repeats"

    def propose(self, item, data, context):
        yield from data.split("train")


def test_an_augmenter_whose_rows_are_all_refused_is_told_why():
    [gate] = [rule for rule in rules("augmenter") if rule.id == "gate"]
    found = gate.run(Subject(Repeats))
    assert (found.status, found.message) == (
        "note", "the gate let no row in, in two rounds (repeats train: 12)",
    )  # fmt: skip


# -- the other kinds ------------------------------------------------------------------------


class Empty(harness.Source):
    """It has nothing."""

    name = "empty"

    def load(self, context):
        return []


class Unkind(harness.Model):
    """It gives an adapter."""

    name = "unkind"

    def fetch(self, context):
        return harness.Checkpoint("adapter", str(context.output), "x")


class Misnamed(harness.Trainer):
    """It gives another kind than it says."""

    name = "misnamed"
    produces = "prompt"

    def train(self, base, train, valid, context):
        return harness.Checkpoint("adapter", str(context.output), "")


class Leaves(harness.Trainer):
    """It ends the process."""

    name = "leaves"

    def train(self, base, train, valid, context):
        os._exit(9)


class Forgets(harness.Generator):
    """It leaves a prompt unanswered."""

    name = "forgets"

    def generate(self, checkpoint, examples, context):
        return [harness.Prediction(row.id, "yes") for row in examples[1:]]


class Peeks(harness.Generator):
    """It looks at references, which generators are not given."""

    name = "peeks"

    def generate(self, checkpoint, examples, context):
        return [harness.Prediction(row.id, row.references[0]) for row in examples]


class Mislabels(harness.Detector):
    """Its label is of another answer."""

    name = "mislabels"

    def categories(self):
        return {"short": "a short answer"}

    def detect(self, scored):
        return [harness.ErrorLabel("somebody", "short")]


class Unscored(harness.Analyzer):
    """It takes every answer for scored."""

    name = "unscored"

    def analyze(self, evidence, context):
        total = sum(row.values[evidence.score] for row in evidence.scored)
        return harness.Findings(notes=(str(total),))


class Overwrites(harness.Baseline):
    """It puts its turn in place of the row's."""

    name = "overwrites"

    def prompts(self, rows, train, context):
        turn = ({"role": "user", "content": "Hello?"},)
        return [dataclasses.replace(row, messages=turn) for row in rows]


class Fine(harness.Searcher):
    """Tries numbers in order."""

    name = "fine-one"

    def space(self):
        return {"train.r": [1, 99]}

    def propose(self, trials, seed, higher_is_better):
        return {"train.r": len(trials)} if len(trials) < 4 else None


class Remembers(Fine):
    """Counts its calls."""

    calls = 0

    def propose(self, trials, seed, higher_is_better):
        type(self).calls += 1
        return {"train.r": self.calls}


class Wanders(Fine):
    """Gives a key that it has not named."""

    def propose(self, trials, seed, higher_is_better):
        return {"train.alpha": 1}


class Bare(Fine):
    """Has options of its own alone."""

    class Options(harness.Options):
        pass


class Unsure(Fine):
    """Answers in words."""

    def hopeless(self, folds, trials, higher_is_better):
        return "perhaps"


class Vague(Fine):
    """Names more limits than a course has places."""

    def limits(self, trials):
        return (1.0,) * 9


class Wordy(harness.Probe):
    """It answers in words."""

    name = "wordy"

    def texts(self):
        return ["A text about the weather in May."]

    def instructions(self):
        return [harness.Example("a", ({"role": "user", "content": "Is it May?"},))]

    def right(self, instruction, answer):
        return "yes"


class Boasts(harness.Reporter):
    """It names a file that it has not written."""

    name = "boasts"

    def write(self, document, folder):
        return [folder / "report.pdf"]


class Asks(harness.Section):
    """It asks the database for a table that there is not."""

    name = "asks"

    def rows(self, document, database):
        return harness.query(database, "SELECT * FROM answers").rows


class Drawn(harness.Section):
    """It divides by the number of answers."""

    name = "drawn"
    title = "Answers"

    def rows(self, document, database):
        (count,) = harness.query(database, "SELECT count(*) FROM predictions").rows[0]
        return [{"share of the first round": 1 / len(document.rows(RightCount)), "n": count}]


class Always(Drawn):
    """It shows rows that no report asks it for."""

    name = "always"
    always = True


class Assumes(harness.Section):
    """It takes a third round for granted."""

    name = "assumes"

    def blocks(self, document):
        return [document.rounds[2]]


class Stingy(harness.Judge):
    """It judges the first item only."""

    name = "stingy"

    def rate(self, rubric, items, context):
        yield harness.Judgement(items[0].id, rubric.criteria[0].id, True)


class Promises(harness.Experiment):
    """It asks for what it does not do."""

    name = "promises"

    def intent(self, variants):
        return harness.Intent(parts=frozenset({"a"}))

    def left(self, run):
        return ()

    def carry_out(self, run):
        return harness.Outcome()


class Tableless(harness.Annotations):
    """It gives a table that it has not declared."""

    name = "tableless"

    def digest(self, run, folder):
        return None

    def collect(self, run):
        return harness.Annotated({"complaints": []})


class Speechless(harness.Verifier):
    """It gives no reason."""

    name = "speechless"

    def verify(self, row, context):
        return harness.Verification(True, "")


class Doubles(harness_launchers.Launcher):
    """It runs a job again that was submitted before."""

    name = "doubles"

    def submit(self, job):
        self.ids = [*getattr(self, "ids", []), job.name]
        return str(len(self.ids))

    def state(self, id):
        return harness_launchers.Launched("ended")

    def cancel(self, id):
        return None


_LINE = f"test_work.py:{Assumes.blocks.__code__.co_firstlineno + 1}"


class Twice(harness.Store):
    """It lets one key be created twice."""

    name = "twice"

    class Options(harness.Store.Options):
        url: str = "twice://here"

    def __init__(self, options):
        super().__init__(options)
        self.objects = {}

    def get(self, key):
        return self.objects.get(key)

    def put(self, key, data):
        self.objects[key] = data

    def create(self, key, data):
        return self.put(key, data) is None

    def delete(self, key):
        self.objects.pop(key, None)

    def below(self, key):
        return [name.removeprefix(f"{key}/") for name in self.objects]


FAULTY = [
    (Twice, "create() gives (True, True) for one key, where (True, False) is due"),
    (GuessedNames, "AttributeError: 'Dataset' object has no attribute 'train'"),
    (Parentless, "refused: no origin. A new row names the row that it was made from"),
    (OneName, "refused: invalid row. A row ends in a user's turn, has a reference, and has an id"),
    (Writes, "it changed what it was given to read: row 'row-8': meta"),
    (Draws, "3 calls with one seed give different results"),
    (Loud, "it prints: a row. Print nothing"),
    (Empty, "load() gives nothing, and no run can do without"),
    (Unkind, "fetch() gives the kind 'adapter'"),
    (Misnamed, "train() gives the kind 'adapter', where `produces` says 'prompt'"),
    (Leaves, "SystemExit: os._exit(9) (test_work.py:"),
    (Forgets, "it left 1 of 4 prompts unanswered"),
    (Peeks, "IndexError: tuple index out of range"),
    (Mislabels, "gives a label of 'somebody'"),
    (Unscored, "TypeError: unsupported operand"),
    (Overwrites, "its last turns are not those of the row"),
    (Remembers, "one record gives two proposals"),
    (Wanders, "a value of each key of space"),
    (Bare, "lack those of a search"),
    (Unsure, "True or False is due"),
    (Vague, "at most 3 of numbers and None"),
    (Wordy, "right() of 'a' is the text"),
    (Boasts, "write() names 'report.pdf', which is not there"),
    (Asks, "answers does not exist"),
    (Always, "which is not asked of a section with `always = True`"),
    (Assumes, f"({_LINE}). The docstring of harness.Section says what is given"),
    (Stingy, "rate() leaves 1 of 2 items without a judgement"),
    (Promises, "intent() asks for 'a', which carry_out() has not done"),
    (Tableless, "collect() gives a table 'complaints', which `tables` does not name"),
    (Speechless, "a verification has no reason"),
    (Doubles, "submit() gives one job two ids"),
]


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("plugin", "words"), FAULTY, ids=[p.__name__ for p, _ in FAULTY])
def test_a_plugin_that_breaks_when_it_is_called_fails(plugin, words):
    found = outcome(plugin)
    assert (found.status, words in found.message) == ("failed", True), found


def test_every_kind_but_metrics_has_a_broken_one():
    assert {plugin.stage for plugin, _ in FAULTY} == KINDS.keys() - {"metric"}


def test_the_kit_as_a_whole_says_so():
    failed = [found.rule for found in check(GuessedNames) if found.status == "failed"]
    assert failed == ["work"]


class Loads(harness.Trainer):
    """It has a library load the model."""

    name = "loads"

    def train(self, base, train, valid, context):
        return json.loads(Path(base.path, "config.json").read_text())


def test_what_a_library_says_of_a_model_without_files_is_no_fault():
    found = outcome(Loads)
    assert found.status == "skipped"
    assert "one that it can load is given by checkpoint=…: FileNotFoundError" in found.message
    given = harness.Checkpoint("base", "nowhere", "x")
    assert outcome(Loads, checkpoint=given).status == "failed"


class Waits(harness.Augmenter):
    """Its server is down."""

    name = "waits"

    def propose(self, item, data, context):
        raise harness.EnvironmentFailure("the teacher does not answer")


def test_what_a_plugin_lacks_here_is_no_fault_of_it():
    found = outcome(Waits)
    assert (found.status, found.message) == (
        "skipped", "not called to the end: the teacher does not answer",
    )  # fmt: skip


def test_a_model_that_needs_the_network_is_not_fetched():
    class Far(harness.Model):
        """It would take an hour."""

        name = "far"

        def at_hand(self):
            return False

    assert outcome(Far).status == "skipped"


def test_sections_and_reporters_are_given_a_run_with_answers():
    assert outcome(Drawn).status == "ok"
    with tempfile.TemporaryDirectory() as folder:
        sample = Sample(Path(folder), Subject(Drawn))
        document = sample.document
        answers = harness.query(sample.database, "SELECT id FROM predictions").rows
    assert len(answers) == 8
    assert document.failed == {}
    assert [entry.kept for entry in document.rounds] == [True, True]
    empty = {name for name, rows in document.tables.items() if not rows}
    assert not empty & {"rounds", "scores", "slices", "plans", "categories", "right", "causes"}


class Silent(harness.Augmenter):
    """It has nothing to say here."""

    name = "silent"

    def propose(self, item, data, context):
        return iter(())


def test_what_gives_nothing_is_noted_and_has_no_tick():
    found = outcome(Silent)
    assert found.status == "note"
    assert "it gives nothing for the small data set" in found.message
    gate = next(rule for rule in rules("augmenter") if rule.id == "gate")
    assert gate.run(Subject(Silent)).status == "note"


def test_a_search_that_computes_from_the_record_passes():
    assert outcome(Fine).message == "it gives 3 results"


def test_the_plugins_of_the_guide_pass(tmp_path):
    """All whole examples of the page on plugins, but the command and the section that has two."""
    blocks = re.findall(r"```python\n(# (\w+)\.py\n.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) > 5
    for place, (code, name) in enumerate(blocks):
        if "hookimpl" not in code:
            continue
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / f"{name}.py").write_text(code)
        (stage, _, provider), = (
            entry for entry in harness.Registry.build([folder / f"{name}.py"]).providers()
            if entry[2].plugin.__module__.startswith(("harness_plugin", name))
            or str(folder) in entry[2].origin
        )  # fmt: skip
        if stage != "metric":
            options = {"url": "dictionary://try"} if stage == "store" else {}
            found = outcome(provider.plugin, options=options)
            # The experiment is asked for nothing by its defaults.
            assert found.status == ("note" if name == "again" else "ok"), (name, found)


def test_a_trainer_is_called_with_the_model_that_it_is_given(tmp_path):
    """It knows nothing but the models of its own family."""
    registry = harness.Registry.build([FAKES])
    base = registry.get("model", "fake").plugin().fetch(harness.Context(tmp_path))
    trainer = registry.get("trainer", "fake").plugin
    assert "KeyError: 'skill'" in outcome(trainer).message
    assert outcome(trainer, checkpoint=base).message == "it gives a Checkpoint"
