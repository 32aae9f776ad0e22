"""Plugins say what they know of their entries before anything heavy is loaded."""

from __future__ import annotations

import pytest

PLUGIN = '''
import harness


class Checked(harness.Metric):
    """A metric that says what it is told to say."""

    name = "checked"

    class Options(harness.Options):
        level: str = ""
        raising: str = ""

    def check(self, settings):
        if self.options.raising == "plain":
            raise RuntimeError("no luck")
        if self.options.raising == "ours":
            raise harness.EnvironmentFailure("no network", hint="plug it in")
        if self.options.level:
            model = settings.get("model", {}).get("source", "nothing")
            yield harness.Problem(f"beside {model}", ("level",), self.options.level)

    def measure(self, prediction, example):
        return 1.0


@harness.hookimpl
def register_metrics():
    return [Checked]
'''


@pytest.fixture
def checked(project):
    project.write(PLUGIN, "checked.py")
    configure(project, "{plugin: checked}")
    return project


def configure(project, entry):
    text = (project.folder / "harness.yaml").read_text()
    plugins = next(line for line in text.splitlines() if line.startswith("plugins:"))
    if "checked.py" not in plugins:
        text = text.replace("plugins: [", "plugins: [checked.py, ")
    metrics = next(line for line in text.splitlines() if line.startswith("metrics:"))
    project.write(text.replace(metrics, f"metrics: [{{plugin: overlap}}, {entry}]"))


@pytest.mark.parametrize("command", ["check", "iterate"])
@pytest.mark.parametrize(("level", "code"), [("config", 2), ("environment", 3)])
def test_a_problem_stops_with_its_place_and_its_exit_code(checked, command, level, code):
    configure(checked, f"{{plugin: checked, level: {level}}}")
    done = checked.inside(command)
    assert (done.code, done.out) == (code, "")
    assert "1 problem" in done.err
    assert "harness.yaml:8: metrics.1.level: beside fake" in done.err
    assert not (checked.folder / ".harness" / "artifacts").exists()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("level", ["unknown", "note"])
def test_what_stops_nothing_is_said(checked, level):
    configure(checked, f"{{plugin: checked, level: {level}}}")
    done = checked.inside("check")
    assert done.code == 0
    first, *others = done.out.splitlines()
    assert ("fine" in first) == (level == "note")
    assert ("1 unknown" in first) == (level == "unknown")
    line = f"{level}: harness.yaml:8: metrics.1.level: beside fake"
    assert line in others
    assert line in checked.inside("iterate").err


@pytest.mark.parametrize(
    ("raising", "words"),
    [
        ("plain", "'checked' cannot check it: RuntimeError: no luck"),
        ("ours", "no network (plug it in)"),
    ],
)
def test_a_check_that_raises_has_found_nothing_out(checked, raising, words):
    configure(checked, f"{{plugin: checked, raising: {raising}}}")
    done = checked.inside("check")
    assert done.code == 0
    assert f"metrics.1: {words}" in done.out
    assert "fine" not in done.out


def test_all_stages_of_checking_speak_at_once(checked):
    """A wrong key, a plugin that is not there, a score that is not there, a plugin's own check."""
    configure(checked, "{plugin: checked, level: config}")
    text = (checked.folder / "harness.yaml").read_text()
    text = text.replace("rounds: 3", "ronuds: 3").replace("detect: [fake]", "detect: [fakir]")
    checked.write(text.replace("primary: overlap", "primary: overlop").replace(", rows: 10", ""))
    done = checked.inside("check")
    assert done.code == 2
    assert "5 problems in the config" in done.err
    for words in ("ronuds", "fakir", "overlop", "rows: is needed", "beside fake"):
        assert words in done.err


def test_a_score_is_not_missed_where_its_metric_cannot_be_read(project):
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("plugin: overlap", "plugin: overlop"))
    done = project.inside("check")
    assert done.code == 2
    assert "1 problem in the config" in done.err
    assert "no score is called" not in done.err


def test_the_same_problem_is_told_once_with_all_its_places(project):
    text = (project.folder / "harness.yaml").read_text()
    fake = "{plugin: fake, rows: 10}"
    project.write(text.replace(fake, "{plugin: fake}, {plugin: fake, name: again}"))
    done = project.inside("check")
    assert "2 problems in the config" in done.err
    (line,) = [line for line in done.err.splitlines() if "rows: is needed" in line]
    assert "augment.0" in line
    assert "(also: " in line and line.rstrip(")").endswith("augment.1")


def test_looking_asks_nobody(checked):
    """A run stays readable where its model is gone."""
    configure(checked, "{plugin: checked, level: environment}")
    assert checked.inside("config", "show").code == 0


def test_what_is_unknown_is_told_beside_what_is_wrong(checked):
    configure(checked, "{plugin: checked, level: unknown}")
    text = (checked.folder / "harness.yaml").read_text()
    checked.write(text.replace("primary: overlap", "primary: overlop"))
    done = checked.inside("check")
    assert done.code == 2
    assert "1 problem in the config" in done.err
    assert "unknown: harness.yaml:8: metrics.1.level: beside fake" in done.err


def test_what_is_not_installed_is_one_problem_and_asked_no_further(checked):
    text = PLUGIN.replace(
        'name = "checked"', 'name = "checked"\n    libraries = ("no-such", "rich")'
    )
    text = text.replace("return [Checked]", "return [Checked, Other]").replace(
        "@harness.hookimpl",
        'class Other(Checked):\n    name = "other"\n    libraries = ("nor-this",)\n\n\n'
        "@harness.hookimpl",
    )
    checked.write(text, "checked.py")
    configure(checked, "{plugin: checked, level: config}, {plugin: other, raising: plain}")
    done = checked.inside("iterate")
    assert done.code == 3 and "1 problem of this machine" in done.err
    lacking = "no-such and nor-this are not installed: pip install no-such nor-this"
    assert f"harness.yaml:8: metrics.1: {lacking}" in done.err
    assert "beside fake" not in done.err and "no luck" not in done.err


def test_a_check_that_imports_what_an_extra_brings_names_the_extra(checked, monkeypatch):
    missed = 'raise ModuleNotFoundError("no module", name="torch.nn")'
    checked.write(PLUGIN.replace('raise RuntimeError("no luck")', missed), "checked.py")
    configure(checked, "{plugin: checked, raising: plain}")
    monkeypatch.setattr("harness.errors.installing._is_installed", lambda name: name != "torch")
    done = checked.inside("check")
    assert done.code == 3
    assert "harness.yaml:8: metrics.1: torch is not installed: pip install " in done.err
    assert "[train]" in done.err
