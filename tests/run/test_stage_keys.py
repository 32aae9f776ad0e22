"""What a stage's result depends on besides its inputs, and what happens where that changes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import harness
from harness.config.plugin_entries import PluginEntry, entry_of
from harness.errors.installing import DISTRIBUTION
from harness.kit.files import digest
from harness.kit.problems import Problems
from harness.records.context import Quiet
from harness.registry import Registry
from harness.run import stage_keys
from harness.run.run import Run
from harness.run.stage_keys import entry_key, versions_of
from tests.support.project import FAKES

PLUGINS = f"""
import importlib.metadata
import os
import runpy

import harness

FAKES = runpy.run_path({str(FAKES)!r})


class Trainer(FAKES["FakeTrainer"]):
    '''Stops where it is told to.'''

    name = "stopping"

    def train(self, base, train, valid, context):
        if os.environ.get("STOP_IN") == str(context.round):
            raise harness.EnvironmentFailure("stopped here")
        return super().train(base, train, valid, context)


class Generator(FAKES["FakeGenerator"]):
    '''On a machine that may change.'''

    name = "machine"

    def environment(self):
        return {{"device": os.environ.get("DEVICE", "cpu AVX2")}}


class Counted(FAKES["Overlap"]):
    '''A metric that a library makes.'''

    name = "counted"
    libraries = ("acme-metric",)

    def signature(self):
        return "counted|version:" + importlib.metadata.version("acme-metric")


@harness.hookimpl
def register_trainers():
    return [Trainer]


@harness.hookimpl
def register_generators():
    return [Generator]


@harness.hookimpl
def register_metrics():
    return [Counted]
"""


def install(folder: Path, name: str, version: str) -> None:
    """A distribution that is nothing but a name and a version."""
    for old in folder.glob("*.dist-info"):
        shutil.rmtree(old)
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    stage_keys._version.cache_clear()


@pytest.fixture
def libraries(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("libraries")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    yield folder
    stage_keys._version.cache_clear()


@pytest.fixture
def experiment(project, libraries):
    """A run of such plugins."""
    install(libraries, "acme-metric", "1.0")
    project.write(PLUGINS, "machine.py")
    text = (
        (project.folder / "harness.yaml")
        .read_text()
        .replace("plugins: [", "plugins: [machine.py, ")
    )
    text = text.replace("train: {plugin: fake}", "train: {plugin: stopping}")
    text = text.replace("generate: {plugin: fake}", "generate: {plugin: machine}")
    text = text.replace("{plugin: overlap}", "{plugin: counted}").replace(
        "primary: overlap", "primary: counted"
    )
    project.write(text)
    return project


def entry(plugin, given=None, **fields):
    instance = plugin(plugin.Options.model_validate(given or {}))
    return PluginEntry("metric", "x", "x", instance, fields.pop("origin", "x"), **fields)


class Reader(harness.Metric):
    """Reads a file that it does not tell of."""

    name = "reader"

    class Options(harness.Options):
        path: Path
        more: dict[str, Path] = {}

    def measure(self, prediction, example):
        return 1.0


@pytest.mark.parametrize("kind", ["file", "folder", "nested"])
def test_paths_of_options_count_by_content(tmp_path, kind):
    place = tmp_path / "words" / "list.txt"
    place.parent.mkdir()
    (tmp_path / "other.txt").write_text("other")
    given = {
        "file": {"path": place}, "folder": {"path": place.parent},
        "nested": {"path": tmp_path / "other.txt", "more": {"a": place}},
    }[kind]  # fmt: skip
    keys = []
    for text in ("one", "two", "one"):
        place.write_text(text)
        keys.append(digest(entry_key(entry(Reader, given), {})))
    assert keys[0] != keys[1] and keys[0] == keys[2]


def test_a_path_that_is_not_there_yet_is_no_error(tmp_path):
    assert entry_key(entry(Reader, {"path": tmp_path / "none"}), {})


class Inner(harness.Verifier):
    """Reads a file, and one that grows."""

    name = "inner"
    libraries = ("acme-metric",)
    unkeyed = {"workers": "changes no result"}

    class Options(harness.Options):
        path: Path
        bar: int = 1
        workers: int = 1

    def growing(self):
        return [self.options.path.with_name("growing.txt")]


class Outer(harness.Metric):
    """Names another plugin, in a list, which may be one that names a third."""

    name = "outer"

    class Options(harness.Options):
        checks: tuple[harness.Named[harness.Verifier], ...] = ()
        bases: dict[str, harness.Named[harness.Metric]] = {}

    def measure(self, prediction, example):
        return 1.0


class Nesting:
    @harness.hookimpl
    def register_metrics(self):
        return [Outer]

    @harness.hookimpl
    def register_verifiers(self):
        return [Inner]


def nesting(folder: Path, bar: int = 1, workers: int = 1) -> PluginEntry:
    """An entry whose options name a plugin that names another one."""
    registry = Registry()
    registry.add(Nesting(), str(folder / "mine.py"), "acme-metric")
    inner = {"plugin": "inner", "path": "words.txt", "bar": bar, "workers": workers}
    raw = {"plugin": "outer", "bases": {"a": {"plugin": "outer", "checks": [inner]}}}
    problems = Problems(None, {})
    made = entry_of(registry, "metric", raw, ("metrics", 0), folder, problems)
    problems.done()
    assert made is not None
    return made


@pytest.mark.parametrize(
    "changed",
    ["option", "file", "growing", "code", "revision", "library", "unkeyed", "path"],
)
def test_what_an_option_names_counts_as_the_entry_itself(tmp_path, libraries, monkeypatch, changed):
    def key(**options):
        made = nesting(tmp_path, **options)
        return digest(entry_key(made, versions_of(made)))

    install(libraries, "acme-metric", "1.0")
    for name in ("words.txt", "growing.txt", "mine.py"):
        (tmp_path / name).write_text("once")
    before, options = key(), {}
    match changed:
        case "option":
            options = {"bar": 2}
        case "unkeyed":
            options = {"workers": 2}
        case "file":
            (tmp_path / "words.txt").write_text("twice")
        case "growing":
            (tmp_path / "growing.txt").write_text("twice")
        case "code":
            (tmp_path / "mine.py").write_text("twice")
        case "revision":
            monkeypatch.setattr(Inner, "revision", 2)
        case "library":
            install(libraries, "acme-metric", "2.0")
        case "path":
            moved = tmp_path / "elsewhere"
            moved.mkdir()
            for name in ("words.txt", "growing.txt", "mine.py"):
                (moved / name).write_text("once")
            made = nesting(moved)
            assert digest(entry_key(made, versions_of(made))) == before
    assert (key(**options) == before) == (changed in ("unkeyed", "path"))


def test_what_an_option_names_is_shown_as_it_was_given_with_whole_paths(tmp_path):
    (tmp_path / "words.txt").write_text("once")
    inner = nesting(tmp_path).shown()["bases"]["a"]["checks"][0]
    path = str(tmp_path / "words.txt")
    assert inner == {"plugin": "inner", "path": path, "bar": 1, "workers": 1}


def test_an_option_names_a_plugin_that_is_installed_where_no_config_made_it():
    class Names(harness.Metric):
        name = "names"

        class Options(harness.Options):
            metric: harness.Named[harness.Metric]

    made = Names(Names.Options.model_validate({"metric": "length"}))
    assert made.options.metric.plugin.name == "length"
    assert made.options.model_dump(mode="json") == {"metric": {"plugin": "length"}}
    assert Names.Options.model_validate({"metric": {"plugin": "length"}}) == made.options


def test_a_plugin_depends_on_its_own_distribution_unless_it_names_libraries(libraries):
    class Plain(harness.Metric):
        name = "plain"

    class Naming(harness.Metric):
        name = "naming"
        libraries = ("acme-metric", "no-such-thing")

    install(libraries, "acme-metric", "1.0")
    assert versions_of(entry(Plain, distribution="acme-metric")) == {"acme-metric": "1.0"}
    assert versions_of(entry(Plain, distribution=DISTRIBUTION)) == {}
    assert versions_of(entry(Plain)) == {}
    assert versions_of(entry(Naming, distribution=DISTRIBUTION)) == {
        "acme-metric": "1.0", "no-such-thing": "none",
    }  # fmt: skip


def test_first_party_plugins_that_wrap_a_library_name_it(project):
    from harness.config import loading

    project.write("metrics: [bleu, chrf, ter, meteor]\nprimary: bleu\n", "more.yaml")
    loaded = loading.load(
        project.folder / "harness.yaml",
        sets=["metrics=[bleu, chrf, ter, meteor]", "primary=bleu", "train.plugin=lora",
              "generate.plugin=transformers"],
    )  # fmt: skip
    named = {
        e.plugin: set(versions_of(e)) for e in [*loaded.metrics, loaded.train, loaded.generate]
    }
    assert named["bleu"] == named["chrf"] == named["ter"] == {"sacrebleu"}
    assert named["meteor"] == {"nltk"}
    assert {"torch", "transformers", "peft"} <= named["lora"] & named["transformers"]
    quantised = loading.load(
        project.folder / "harness.yaml", sets=["train={plugin: lora, quantization: 4bit}"]
    )
    assert "bitsandbytes" in versions_of(quantised.train)


def test_answers_of_a_base_that_the_trainer_loads_name_its_libraries(project):
    from harness.config import loading

    lora = "train={plugin: lora, quantization: %s}"
    for bits, named in (("4bit", True), ("null", False)):
        config = loading.load(
            project.folder / "harness.yaml", sets=[lora % bits, "generate.plugin=transformers"]
        )
        run = Run(config, Quiet())
        key = run.key_of(config.generate)
        assert ("bitsandbytes" in key["libraries"]) is named
        assert run.key_of(config.train)["libraries"]["peft"] == key["libraries"]["peft"]


def test_an_upgrade_is_the_same_run_with_other_stages(experiment, libraries, monkeypatch):
    from harness.config import loading

    monkeypatch.chdir(experiment.folder)
    runs = []
    for version in ("1.0", "2.0"):
        install(libraries, "acme-metric", version)
        runs.append(Run(loading.load(None), Quiet()))
    assert runs[0].name == runs[1].name and runs[0].key == runs[1].key
    (metric,) = runs[1].config.metrics
    after = runs[1].key_of(metric)
    install(libraries, "acme-metric", "1.0")
    assert runs[0].key_of(metric) != after


def test_one_revision_of_the_core_is_in_every_key(short, monkeypatch):
    project, first = short
    before = set(project.manifests())
    shutil.rmtree(project.folder / ".harness" / "runs")
    (project.folder / ".harness" / "test-openings.jsonl").unlink()
    shutil.rmtree(project.folder / "reports")
    monkeypatch.setattr("harness.run.run.CORE_REVISION", 10_000)
    for path in (project.folder / ".harness" / "artifacts" / "summary").glob("*"):
        shutil.rmtree(path)
    again = project.inside("iterate", "--rounds", "1", "--json")
    assert again.code == first.code == 0
    made = set(project.manifests())
    stages = {name.split("/")[0] for name in before if not name.startswith("summary")}
    assert stages == {name.split("/")[0] for name in made - before} - {"summary"}


def stored_signatures(project) -> set[str]:
    return {
        json.loads(path.read_text())["facts"]["signature"]
        for path in (project.folder / ".harness" / "artifacts").glob("score*/*/manifest.json")
    }


@pytest.mark.nightly
def test_an_upgraded_metric_measures_both_sides_of_a_comparison_again(experiment, libraries):
    stopped = experiment.inside("iterate", "--rounds", "2", STOP_IN="2")
    assert stopped.code == 3 and "stopped here" in stopped.err
    install(libraries, "acme-metric", "2.0")
    done = experiment.inside("iterate", "--rounds", "2", "--json")
    assert done.code == 0, done.err
    rounds = done.document["rounds"]
    signatures = [one["scores"]["counted"]["signature"] for one in rounds]
    versions = ["1.0", "1.0", "2.0"]
    assert signatures == [f"counted|version:{version}" for version in versions]
    (note,) = [n for n in done.document["notes"] if "measured again" in n]
    against = rounds[2]["verdict"]["against"]
    assert f"{against} was measured with acme-metric 1.0" in note and "acme-metric 2.0" in note
    assert stored_signatures(experiment) == {"counted|version:1.0", "counted|version:2.0"}


@pytest.mark.nightly
def test_a_signature_is_shown_as_it_was_kept(experiment, libraries):
    first = experiment.inside("iterate", "--rounds", "1", "--json")
    install(libraries, "acme-metric", "2.0")
    assert experiment.inside("rebuild").code == 0
    asked = experiment.inside("query", "SELECT DISTINCT signature FROM scores", "--json")
    assert asked.document == [{"signature": "counted|version:1.0"}]
    assert experiment.inside("iterate", "--rounds", "1", "--json").document == first.document
    assert stored_signatures(experiment) == {"counted|version:1.0"}


@pytest.mark.nightly
@pytest.mark.parametrize(("launcher", "rounds"), [("inline", 2), ("local", 1)])
def test_another_machine_stops_an_open_round_with_both_ways_out(experiment, launcher, rounds):
    # The child's environment is the parent's.
    command = ("iterate", "--rounds", f"{rounds}", "--set", f"execution.launcher={launcher}")
    stopped = experiment.inside(*command, STOP_IN=f"{rounds}")
    assert stopped.code == 3
    journal = next(experiment.folder.glob(".harness/runs/*/journal.jsonl"))
    before = journal.read_bytes()
    other = experiment.inside(*command, DEVICE="cuda 9.0")
    assert other.code == 3
    for text in ("device cpu AVX2", "device cuda 9.0", "--as-new-run", "--reopen"):
        assert text in other.err
    assert journal.read_bytes() == before
    for look in (("rebuild",), ("why", "dev-1"), ("compare", "0", "1"))[: rounds + 1]:
        looked = experiment.inside(*look)
        assert looked.code == 0, looked.err
    back = experiment.inside(*command, "--json")
    assert back.code == 0 and len(back.document["rounds"]) == rounds + 1


@pytest.mark.nightly
def test_a_finished_run_is_shown_on_another_machine_without_asking_it(experiment):
    first = experiment.inside("iterate", "--rounds", "1", "--json")
    again = experiment.inside("iterate", "--rounds", "1", "--json", DEVICE="cuda 9.0")
    assert again.document == first.document
    assert experiment.inside("rebuild", DEVICE="cuda 9.0").code == 0
    assert experiment.inside("why", "dev-1", DEVICE="cuda 9.0").code == 0


@pytest.mark.nightly
def test_answers_to_test_that_were_scored_stand_on_another_machine_too(experiment):
    first = experiment.inside("iterate", "--rounds", "1", "--json")
    before = {name for name in experiment.manifests() if name.startswith("generate")}
    shutil.rmtree(experiment.folder / "reports")
    again = experiment.inside("iterate", "--rounds", "1", "--json", DEVICE="cuda 9.0")
    assert again.bare == first.bare, again.err
    assert {name for name in experiment.manifests() if name.startswith("generate")} == before
    assert {"round 0: generate test", "round 1: generate test"} <= set(again.document["cached"])
