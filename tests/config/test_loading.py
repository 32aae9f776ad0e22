"""A config is checked whole: every problem at once, each with its line."""

from __future__ import annotations

import pytest

from harness.config import loading as configuration
from harness.errors import ConfigError
from tests.support.launchers import SAMPLE
from tests.support.rubric import RUBRIC


def problems(project, text=None, sets=()):
    if text is not None:
        project.write(text)
    with pytest.raises(ConfigError) as caught:
        configuration.load(project.folder / "harness.yaml", sets=sets)
    assert caught.value.exit_code == 2
    return str(caught.value)


def changed(project, old, new):
    text = (project.folder / "harness.yaml").read_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rounds: 3", "ronuds: 3", ["harness.yaml:1:", "ronuds", "did you mean 'rounds'?"]),
        ("rounds: 3", "rounds: many", ["harness.yaml:1:", "rounds", "'many'"]),
        ("rounds: 3", "rounds: 0", ["harness.yaml:1:", "greater than or equal to 1"]),
        ("seed: 7", "seed: 7\nseed: 8", ["harness.yaml:3", "duplicate"]),
        ("{source: fake}\nmodel", "{source: fakes}\nmodel", ["yaml:4:", "no source"]),
        ("plugin: overlap", "plugin: overlop", ["no metric", "did you mean 'overlap'?"]),
        ("primary: overlap", "primary: overlapp", ["no score", "did you mean 'overlap'?"]),
        ("{plugin: fake}\ngen", "{plugin: fake, gian: 1}\ngen", ["train.gian", "mean 'gain'?"]),
        ("{plugin: fake}\ngen", "{plugin: fake, gain: lot}\ngen", ["train.gain", "'lot'"]),
        ("{plugin: fake}\ngen", "fast\ngen", ["train", "'fast'"]),
        ("{plugin: fake}\ngen", "{name: fake}\ngen", ["train", "plugin: is needed"]),
        ("{plugin: fake}\ngen", "3\ngen", ["train", "{plugin: NAME} is needed"]),
        ("detect: [fake]", "detect: null", ["detect: a list of plugins is needed"]),
        ("[{plugin: overlap}]", "null", ["metrics: a list of plugins is needed"]),
        ("metrics: [{plugin: overlap}]", "metrics: []", ["metrics", "at least one"]),
        ("metrics: [{plugin: overlap}]", "metrics: overlap", ["metrics", "a list"]),
        ("[{plugin: overlap}]", "[overlap, overlap]", ["metrics.1", "twice"]),
        ("rows: 10", "rows: ten", ["augment.0.rows", "whole number", "'ten'"]),
        (", rows: 10", "", ["augment.0", "rows", "needed"]),
        ("rows: 10", "rows: 10, control: best", ["'random' or 'none' is needed", "'best'"]),
        ("launcher: inline", "launcher: cloud", ["execution.launcher", "'cloud'"]),
        ("launcher: inline", "launcher: loacl", ["execution.launcher: ", "mean 'local'?"]),
        ("launcher: inline", "cache: 1.2.3GB", ["execution.cache: a number of MiB, or", "24GB"]),
        (
            "launcher: inline", "resources: {train: {memory: lots}}",
            ["resources.train.memory: a number of MiB, or a text such as 24GB, is needed, not 'l"],
        ),
        (
            "train: {plugin: fake}", "train: {plugin: lora, processes: none}",
            ["1 problem", "train.processes: input should be 'auto' or a valid integer, not 'none'"],
        ),
        (
            "train: {plugin: fake}", "train: {plugin: lora, processes: 0}",
            ["train.processes: input should be 'auto' or greater than or equal to 1, not 0"],
        ),
        ("launcher: inline", "budget: {hours: 0}", ["execution.budget.hours", "greater than 0"]),
        ("launcher: inline", "budget: {hours: -1}", ["execution.budget.hours", "greater than 0"]),
        ("launcher: inline", "budget: {hours: soon}", ["execution.budget.hours", "'soon'"]),
        ("launcher: inline", "budget: {hours: .inf}", ["execution.budget.hours", "finite"]),
        ("launcher: inline", "budget: {hour: 1}", ["execution.budget.hour", "mean 'hours'?"]),
        ("launcher: inline", "budget: 3", ["execution.budget", "3"]),
        ("rounds: 3", "rounds: [", ["harness.yaml:", "not well-formed"]),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(project, old, new, words):
    message = problems(project, changed(project, old, new))
    assert [word for word in words if word not in message] == []


def test_a_launcher_whose_name_is_like_one_of_the_core_is_that_launcher(project):
    plugin = SAMPLE.read_text("utf-8").replace('name = "sample"', 'name = "local-gpu"')
    (project.folder / "near.py").write_text(plugin)
    text = changed(project, "plugins: [", "plugins: [near.py, ")
    project.write(text.replace("launcher: inline", "launcher: local-gpu"))
    launcher = configuration.load(project.folder / "harness.yaml").runner
    assert launcher is not None and launcher.plugin == "local-gpu"


def test_all_problems_come_at_once(project):
    text = changed(project, "{plugin: fake}\ngen", "{plugin: fake, gian: 1}\ngen")
    text = text.replace("detect: [fake]", "detect: [fakir]").replace("rows: 10", "rows: ten")
    message = problems(project, text)
    assert message.startswith("3 problems")
    assert "gian" in message and "fakir" in message and "ten" in message


def test_needed_keys_are_asked_for(project):
    message = problems(project, "rounds: 1\n")
    for key in ("data", "model", "train", "generate", "metrics", "primary"):
        assert f"{key}: is needed" in message


@pytest.mark.parametrize(
    ("content", "words"), [(b"- a\n", "mapping"), (b"\xff\xfe", "UTF-8"), (b"", "is needed")]
)
def test_a_file_of_something_else(project, content, words):
    (project.folder / "harness.yaml").write_bytes(content)
    assert words in problems(project)


def test_a_missing_file(project):
    with pytest.raises(ConfigError, match="does not exist"):
        configuration.load(project.folder / "no.yaml")


def test_yaml_is_1_2(project):
    text = changed(project, "{plugin: fake}\ngen", "{plugin: fake, gain: 1e-4}\ngen")
    project.write(text)
    config = configuration.load(project.folder / "harness.yaml")
    assert config.train.instance.options.gain == 1e-4


def test_toml_says_the_same(project):
    import tomllib

    config = configuration.load(project.folder / "harness.yaml")
    plugins = config.settings.plugins
    text = f'''
rounds = 3
seed = 7
plugins = ["{plugins[0]}"]
primary = "overlap"
detect = ["fake"]
analyze = ["fake"]
metrics = [{{plugin = "overlap"}}]
augment = [{{plugin = "fake", rows = 10}}]
data = {{source = "fake"}}
model = {{source = "fake"}}
train = {{plugin = "fake"}}
generate = {{plugin = "fake"}}
'''
    assert tomllib.loads(text)
    path = project.write(text, "same.toml")
    assert configuration.load(path).key() == config.key()
    path.write_text("rounds = ")
    with pytest.raises(ConfigError, match="not TOML"):
        configuration.load(path)


def test_overrides_in_order_and_flags_win(project):
    path = project.folder / "harness.yaml"
    config = configuration.load(
        path, sets=["train.gain=1", "train.gain=2", "rounds=4", "augment.0.rows=3"],
        flags={"rounds": 5},
    )  # fmt: skip
    assert config.train.instance.options.gain == 2
    assert config.settings.rounds == 5
    assert config.augment[0].rows == 3
    assert config.origins["rounds"] == "--rounds"
    assert config.origins["train.gain"] == "--set train.gain=2"
    assert config.origins["seed"].endswith("harness.yaml:2")


@pytest.mark.parametrize("text", ["rounds", "=3", "rounds.deep=1", "augment.7.rows=1"])
def test_an_override_that_cannot_be(project, text):
    assert "--set" in problems(project, sets=[text])


def test_execution_reports_and_paths_change_no_key(project):
    path = project.folder / "harness.yaml"
    key = configuration.load(path).key()
    same = ["execution.launcher=local", "execution.budget.hours=2", "report=[]"]
    assert configuration.load(path, sets=same).key() == key
    for text in ("seed=8", "valid=0.2", "plan.explore=0.5", "train.gain=1", "augment.0.rows=9"):
        assert configuration.load(path, sets=[text]).key() != key, text


def test_what_is_shown_can_be_loaded_and_is_the_same_experiment(project):
    from harness.kit import yaml_file

    config = configuration.load(project.folder / "harness.yaml")
    path = project.write(yaml_file.dump(config.shown()), "shown.yaml")
    assert configuration.load(path).key() == config.key()


def test_a_plugin_file_that_is_missing(project):
    project.write(changed(project, "fakes.py", "fakirs.py"))
    with pytest.raises(ConfigError, match="does not exist"):
        configuration.load(project.folder / "harness.yaml")


def test_wrong_core_keys_do_not_hide_the_plugins_problems(tmp_path):
    path = tmp_path / "harness.yaml"
    path.write_text(
        "rounds: many\naugmnt: []\nmodel: {source: nowhere}\nmetrics: [{plugin: exact, x: 1}]\n"
    )
    with pytest.raises(ConfigError) as caught:
        configuration.load(path)
    told = "\n".join(caught.value.details)
    for part in ("rounds", "augmnt", "data: is needed", "nowhere", "metrics.0.x", "primary"):
        assert part in told


def test_a_wrong_key_of_a_mapping_is_named_and_not_the_whole_mapping(project):
    text = changed(
        project, "train: {plugin: fake}",
        "train: {plugin: lora, args: {gradient_checkpointing: true, label_smoothing_factor: .1}}",
    )  # fmt: skip
    message = problems(project, text)
    assert "train.args.label_smoothing_factor: 'label_smoothing_factor' would change nothing" in (
        message
    )
    assert "{" not in message
    assert "gradient_checkpointing" not in message


def test_a_plugin_that_an_option_names_is_asked_too_and_answers_at_its_place(project):
    (project.folder / "short.yaml").write_text(RUBRIC)
    server = "endpoint: 'http://127.0.0.1:9/v1'"
    judge = f"{{metric: judge, at_least: 1, rubric: short.yaml, {server}, model: judge}}"
    entry = f"{{plugin: teacher, rows: 6, {server}, model: big, verify: [{judge}]}}"
    path, sets = project.folder / "harness.yaml", [f"augment=[{entry}]"]
    remarks = [line for _, line in configuration.load(path, sets=sets, asking=True).remarks]
    assert any("augment.0.verify.0.metric.endpoint: whether 127.0.0.1:9" in r for r in remarks)
    capped = [*sets, "execution.budget.money=1"]
    with pytest.raises(ConfigError) as refused:
        configuration.load(path, sets=capped, asking=True)
    needs = [line for line in refused.value.details if "needs price" in line]
    assert any("augment.0.verify.0.metric.price" in line for line in needs), needs
