"""Plugins as they come: whole, broken, misspelt, or with a name that is taken."""

from __future__ import annotations

import importlib.metadata
import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import harness
from harness.errors import ConfigError, EnvironmentFailure, PluginError
from harness.registry import Registry

METRIC = """
import harness
class Own(harness.Metric):
    name = "{name}"
    def measure(self, prediction, example):
        return 1.0
@harness.hookimpl
def {hook}():
    return [Own]
"""


def plugin(folder: Path, text: str, name: str = "own.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_one_file_plugin_is_found_with_its_file(tmp_path):
    path = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics"))
    registry = Registry.build([path])
    assert registry.get("metric", "own").origin == str(path)
    assert "own" in registry.names("metric")


def test_installed_plugins_are_there_with_their_distribution():
    registry = Registry.build()
    assert "harness " in registry.get("reporter", "markdown").origin


def test_a_taken_name_names_both(tmp_path):
    first = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics"))
    second = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics"), "second.py")
    with pytest.raises(PluginError) as caught:
        Registry.build([first, second])
    assert str(first) in str(caught.value) and str(second) in str(caught.value)
    assert "metric 'own'" in str(caught.value)


def test_the_name_of_an_installed_plugin_is_taken_as_well(tmp_path):
    name = Registry.build().names("metric")[0]
    path = plugin(tmp_path, METRIC.format(name=name, hook="register_metrics"))
    with pytest.raises(PluginError, match="claimed by both"):
        Registry.build([path])


def test_an_installed_plugin_that_fails_with_the_word_both_is_set_aside(monkeypatch):
    class Point:
        name, value, dist = "keys", "acme_keys", None

        def load(self):
            raise PluginError("needs both KEY and SECRET")

    found = importlib.metadata.entry_points(group="harness")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [*found, Point()])
    registry = Registry.build()
    assert registry.failed["acme_keys (acme_keys)"] == "needs both KEY and SECRET"
    assert "markdown" in registry.names("reporter")


def test_two_stages_may_share_a_name():
    registry = Registry()
    one = type("One", (harness.Metric,), {"name": "same"})
    two = type("Two", (harness.Detector,), {"name": "same"})
    module = SimpleNamespace(
        register_metrics=harness.hookimpl(lambda: [one]),
        register_detectors=harness.hookimpl(lambda: [two]),
    )
    registry.add(module, "both")
    assert registry.get("metric", "same").plugin is one
    assert registry.get("detector", "same").plugin is two


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            METRIC.format(name="own", hook="register_metric"),
            "no hook is called 'register_metric', did you mean 'register_metrics'?",
        ),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        (METRIC.format(name="", hook="register_metrics"), "has no name"),
        (METRIC.format(name="own", hook="register_detectors"), "no harness.Detector"),
        (
            METRIC.format(name='own"; libraries = "sacrebleu', hook="register_metrics"),
            """`libraries` of the metric 'own' is the text "sacrebleu", where a list or tuple""",
        ),
        (
            METRIC.format(name="own", hook="register_metrics").replace("@harness.hookimpl", ""),
            "lacks the decorator",
        ),
        (
            METRIC.format(name="own", hook="register_metrics").replace("[Own]", "1 / 0"),
            "register_metrics failed: ZeroDivisionError",
        ),
        (
            METRIC.format(name="own", hook="register_metrics").replace("[Own]", "None"),
            "register_metrics failed: TypeError",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_where(tmp_path, text, words):
    path = plugin(tmp_path, text)
    with pytest.raises(PluginError) as caught:
        Registry.build([path])
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_misspelt_hook_is_named_beside_one_that_is_right(tmp_path):
    misspelt = "\n\ndef register_detecters():\n    return []\n"
    path = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics") + misspelt)
    with pytest.raises(PluginError, match="did you mean 'register_detectors'"):
        Registry.build([path])


def test_a_hook_that_only_observes_needs_its_decorator_too(tmp_path):
    bare = "\n\ndef on_run_end(run):\n    print(run)\n"
    path = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics") + bare)
    with pytest.raises(PluginError, match="on_run_end lacks the decorator"):
        Registry.build([path])


def test_a_function_of_another_name_is_no_hook(tmp_path):
    other = "\n\ndef register_fonts():\n    return []\n"
    path = plugin(tmp_path, METRIC.format(name="own", hook="register_metrics") + other)
    assert Registry.of_file(path).names("metric") == ["own"]


def test_an_edited_file_runs_as_it_stands(tmp_path):
    """Python's own cache tells files apart by their size and the second of their last change."""
    text = METRIC.format(name="own", hook="register_metrics")
    values = []
    for value in ("1.0", "0.5"):
        path = plugin(tmp_path, text.replace("1.0", value))
        os.utime(path, (1_000_000_000, 1_000_000_000))
        values.append(Registry.of_file(path).get("metric", "own").plugin().measure(None, None))
    assert values == [1.0, 0.5]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        Registry.build([tmp_path / "no.py"])


def test_an_unknown_name_says_what_is_near_and_what_failed():
    registry = Registry.build()
    registry.failed["broken 1.0"] = "ImportError: no luck"
    with pytest.raises(ConfigError) as caught:
        registry.get("reporter", "markdwon")
    assert "did you mean 'markdown'?" in str(caught.value)
    assert "broken 1.0: ImportError: no luck" in str(caught.value)


def test_an_observer_that_fails_is_logged_and_the_others_are_told(caplog):
    told = []
    registry = Registry()

    @harness.hookimpl
    def fails(run, config):
        raise RuntimeError("no")

    @harness.hookimpl
    def hears(run):
        told.append(run)

    registry.add(SimpleNamespace(on_run_start=hears), "hears")
    registry.add(SimpleNamespace(on_run_start=fails), "fails")
    log = logging.getLogger("test")
    with caplog.at_level(logging.ERROR):
        said = registry.observe(log, "on_run_start", run="r", config={})
    assert told == ["r"]
    assert "plugin fails failed in on_run_start" in caplog.text
    assert said == [
        "the observer fails failed in on_run_start, and the run goes on: RuntimeError: no"
    ]
    assert registry.observe(log, "on_run_start", run="r", config={}) == []  # once is enough
    assert told == ["r", "r"]


def test_a_hook_of_one_package_is_asked_with_what_it_takes_and_its_failure_names_it():
    registry = Registry()

    @harness.hookimpl
    def counts(sharing):
        return {"runs": len(sharing)}

    registry.add(SimpleNamespace(all_runs=counts), "counts")
    given = {"beside": frozenset(), "sharing": [["a", "b"]], "last": None}
    assert registry.only("all_runs", **given) == {"runs": 1}
    with pytest.raises(PluginError, match=r"all_runs\(\) of counts: .*TypeError"):
        registry.only("all_runs", beside=frozenset(), sharing=3, last=None)


@pytest.mark.parametrize("names", [[], ["one", "two"]])
def test_a_hook_of_one_package_that_none_or_several_have_is_said(names):
    registry = Registry()

    @harness.hookimpl
    def nothing():
        return {}

    for name in names:
        registry.add(SimpleNamespace(name=name, all_runs=nothing), name)
    registry.failed["broken 1.0"] = "ImportError: no luck"
    with pytest.raises(PluginError, match=f"these have it: {', '.join(names) or 'none'}") as caught:
        registry.only("all_runs", beside=frozenset(), sharing=[], last=None)
    assert "broken 1.0: ImportError: no luck" in str(caught.value)


def test_an_observer_s_own_words_are_said(caplog):
    registry = Registry()

    @harness.hookimpl
    def fails(run):
        raise EnvironmentFailure("nobody\nis there", where="place", hint="wait")

    registry.add(SimpleNamespace(on_run_start=fails), "fails")
    said = registry.observe(logging.getLogger("test"), "on_run_start", run="r", config={})
    assert said == ["place: nobody is there (wait)"]


def install(folder: Path, name: str, module: str) -> None:
    """An installed distribution with one entry point, as a package manager leaves it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[harness]\n{name} = {module}\n")


@pytest.mark.parametrize("text", ["import no_such_module_anywhere", "raise SystemError('old')"])
def test_an_installed_plugin_that_cannot_be_imported_harms_no_other(tmp_path, monkeypatch, text):
    install(tmp_path, "zz-broken", "zz_broken_plugin")
    (tmp_path / "zz_broken_plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry.build()
    assert "terminal" in registry.names("reporter")
    ((origin, reason),) = registry.failed.items()
    assert "zz-broken 1.0" in origin
    assert reason.split(":")[0] in ("ModuleNotFoundError", "SystemError")
    with pytest.raises(ConfigError) as caught:
        registry.get("metric", "of-zz")
    assert "zz-broken 1.0" in str(caught.value)


def test_an_installed_plugin_with_a_wrong_attribute_is_the_plugins_fault_where_it_is_named(
    tmp_path, monkeypatch
):
    install(tmp_path, "zz-wrong", "zz_wrong_plugin")
    text = METRIC.format(name="of-zz", hook="register_metrics")
    wrong = text.replace("    def measure", "    bounds = 'wide'\n    def measure")
    (tmp_path / "zz_wrong_plugin.py").write_text(wrong)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry.build()
    with pytest.raises(PluginError, match="`bounds` of the metric 'of-zz'") as caught:
        registry.get("metric", "of-zz")
    with pytest.raises(PluginError, match="`bounds` of the metric 'of-zz'") as in_file:
        Registry.build([plugin(tmp_path, wrong)])
    assert caught.value.exit_code == in_file.value.exit_code == 5


def test_an_installed_plugin_that_claims_a_taken_name_stops_the_run(tmp_path, monkeypatch):
    name = Registry.build().names("metric")[0]
    install(tmp_path, "zz-claims", "zz_claims_plugin")
    text = METRIC.format(name=name, hook="register_metrics")
    (tmp_path / "zz_claims_plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError) as caught:
        Registry.build()
    assert "zz-claims 1.0" in str(caught.value) and "harness 0" in str(caught.value)
