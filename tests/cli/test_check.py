"""What ``harness check`` finds before a GPU does."""

from __future__ import annotations

import json
import re

import pytest

from harness.config.finding import shipped
from harness.errors import near

POOL = "augment: [{plugin: pool, rows: 60}]"


def configure(project, *changes):
    text = (project.folder / "harness.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return project.write(text)


def checked(project, code, *options):
    done = project.inside("check", *options)
    assert done.code == code, done.out + done.err
    return " ".join((done.out + done.err).split())


EMPTY = ("{source: fake}\nmodel", "{source: fake, pool: 0}\nmodel")
FAKE_AUGMENT = "augment: [{plugin: fake, rows: 10}]"


def test_an_augmenter_whose_pool_is_empty(project):
    configure(project, (FAKE_AUGMENT, POOL), EMPTY)
    shown = checked(project, 2)
    assert "harness.yaml:" in shown and "augment.0: 'pool' draws rows from pool, which has" in shown
    assert "fine" not in shown


@pytest.mark.nightly
def test_a_run_with_an_empty_pool_says_so_in_its_notes(project):
    configure(project, (FAKE_AUGMENT, POOL), EMPTY)
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert any("draws rows from pool, which has none" in note for note in done.document["notes"])


def test_a_pool_that_will_run_out_is_a_note(project):
    configure(project, (FAKE_AUGMENT, POOL))
    assert "asks for 60 rows in each of 3 rounds, and pool has 40" in checked(project, 0)


def test_without_a_plan_nobody_needs_a_pool(project):
    configure(project, (FAKE_AUGMENT, POOL + "\nplan: {strategy: none}"),
              EMPTY)  # fmt: skip
    assert "plan.strategy is none, so that no row is asked for" in checked(project, 0)


@pytest.mark.parametrize("name", ["harness.yml", "harness.toml"])
def test_a_config_of_nearly_that_name_is_not_passed_over(project, name):
    (project.folder / "harness.yaml").rename(project.folder / name)
    shown = checked(project, 2)
    assert f"there is {name} here, and only harness.yaml is read" in shown
    assert f"-c {name}" in shown


def test_beside_the_config_it_is_a_note(project):
    project.write("rounds: 1", "harness.yml")
    assert "note: harness.yml is not read: harness.yaml is" in checked(project, 0)
    assert "harness.yml" not in checked(project, 0, "-c", str(project.folder / "harness.yaml"))


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("rounds: 3", "rounds: 1"), "augment: with one round nothing is trained on what it adds"),
        (("analyze: [fake]", "analyze: []"), "analyze: no analyzer finds slices"),
        (("seed: 7", "seed: 7\nplan: {strategy: random, explore: 0.4}"),
         "plan.explore: it has an effect under the strategy targeted alone, not random"),
        (("rounds: 3", "rounds: 1"), "fine"),
    ],
)  # fmt: skip
def test_settings_without_effect(project, change, told):
    configure(project, change)
    assert told in checked(project, 0)


def test_defaults_are_not_called_without_effect(project):
    configure(project, ("seed: 7", "seed: 7\nplan: {strategy: random}"))
    assert "explore" not in checked(project, 0)


def test_all_problems_come_in_one_pass_those_of_the_data_too(project):
    project.write('{"text": 1}\n', "rows.jsonl")
    configure(
        project, ("{source: fake}\nmodel", "{source: jsonl, path: rows.jsonl}\nmodel"),
        ("augment: [{plugin: fake, rows: 10}]", "augment: [{plugin: pool}]"),
        ("primary: overlap", "primary: overlapp"), ("seed: 7", "sead: 7"),
    )  # fmt: skip
    shown = checked(project, 2)
    for told in ("unknown key, did you mean 'seed'?", "rows: is needed", "no score is called",
                 "rows.jsonl:1:"):  # fmt: skip
        assert told in shown


def test_the_name_that_is_meant():
    for name, known, meant in [
        ("lr", ("r", "learning_rate", "epochs"), "learning_rate"),
        ("wd", ("r", "weight_decay"), "weight_decay"),
        ("epoch", ("r", "epochs"), "epochs"),
        ("rank", ("r", "alpha", "warmup"), "r"),
        ("zzz", ("r", "alpha"), None),
        ("bs", ("batch_size", "big_step"), None),
    ]:
        found = re.findall(r"'(.*)'", near(name, known, {"rank": "r", "dim": "width"}))
        assert found == ([meant] if meant else []), name


@pytest.mark.nightly(but_each=7)
@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("model", "{source: hf, id: x/y}", "did you mean 'hub'?"),
        ("model", "{source: hub, repo_id: x/y}", "did you mean 'id'?"),
        ("train", "{plugin: qlora}", "did you mean 'lora'?"),
        ("train", "{plugin: lora, lr: 1e-4}", "did you mean 'learning_rate'?"),
        ("train", "{plugin: lora, lora_alpha: 8}", "did you mean 'alpha'?"),
        ("train", "{plugin: lora, num_train_epochs: 2}", "did you mean 'epochs'?"),
        ("generate", "{plugin: transformers, max_tokens: 9}", "did you mean 'max_new_tokens'?"),
    ],
)
def test_names_of_other_programs_lead_to_ours(project, key, given, meant):
    source = "source" if key == "model" else "plugin"
    configure(project, (f"{key}: {{{source}: fake}}", f"{key}: {given}"))
    assert meant in checked(project, 2)


def test_a_wrong_value_is_not_told_with_all_that_stands_beside_it(project):
    sizes = "{source: jsonl, path: a.jsonl, sizes: {train: 0.6, dev: 0.3, test: 0.2}}"
    configure(project, ("{source: fake}\nmodel", f"{sizes}\nmodel"))
    shown = checked(project, 2)
    assert "add up to 1.1, not to 1" in shown and "'path'" not in shown
    configure(project, ("rounds: 3", f"rounds: {'x' * 300}"))
    assert "x" * 90 not in checked(project, 2)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{plugin: evaluate, hub: rouge, key: rougeL}", "'rouge' can be fetched is not tried"),
        ("{plugin: judge, rubric: RUBRIC, endpoint: 'http://127.0.0.1:9/v1', model: m}",
         "whether 127.0.0.1:9 answers, and has this model, is not tried"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_here_is_unknown_and_never_fine(project, entry, told):
    entry = entry.replace("RUBRIC", str(shipped("rubrics/everyday.yaml")))
    configure(project, ("[{plugin: overlap}]", f"[{{plugin: overlap}}, {entry}]"))
    shown = checked(project, 0)
    assert told in shown and "no problem found, " in shown and "fine" not in shown


def test_a_judge_in_a_folder_that_is_not_there(project):
    rubric = shipped("rubrics/everyday.yaml")
    entry = f"{{plugin: judge, rubric: {rubric}, local: ./nowhere}}"
    configure(project, ("[{plugin: overlap}]", f"[{{plugin: overlap}}, {entry}]"))
    assert "metrics.1.local: there is no folder" in checked(project, 3)


def test_an_option_of_the_source_without_effect(project):
    rows = [{"id": f"{at}{split}", "split": split, "references": ["yes"],
             "messages": [{"role": "user", "content": f"{split} {at}?"}]}
            for split in ("train", "dev", "test") for at in range(2)]  # fmt: skip
    project.write("".join(json.dumps(one) + "\n" for one in rows), "rows.jsonl")
    source = "{source: jsonl, path: rows.jsonl, draw: 3}"
    configure(project, ("{source: fake}\nmodel", f"{source}\nmodel"))
    assert "note: " in (shown := checked(project, 0))
    assert "data.draw: without `sizes` no row is dealt out" in shown


@pytest.mark.nightly(but_each=5)
@pytest.mark.parametrize(("text", "shown"), [
    ("train.gain=x", "--set train.gain: "),
    ("train={plugin: fake, gain: x}", "--set train.gain: "),
    ("train.gian=1", "--set train.gian: unknown key, did you mean 'gain'?"),
    ("model.path=a word: B", "--set model.path: "),
    ("primary=a word: B", "--set primary: a text is needed, and this reads as a mapping: quote it"),
])  # fmt: skip
def test_a_wrong_value_of_a_flag_is_placed_at_the_flag(project, text, shown):
    found = checked(project, 2, "--set", text)
    assert shown in found and "harness.yaml:" not in found


def test_workers_without_effect_are_noted(project):
    inline = ("--set", "execution.launcher=inline", "--set", "execution.workers=4")
    assert "note: --set execution.workers: the launcher inline" in checked(project, 0, *inline)
    local = ("--set", "execution.launcher=local", "--set", "execution.workers=4")
    assert "execution.workers" not in checked(project, 0, *local)


@pytest.mark.nightly
def test_remarks_break_between_words(project):
    configure(project, ("{plugin: fake, rows: 10}", "{plugin: fake, rows: 10, review: required}"))
    for command in ("check", "plan", "iterate"):
        done = project.inside(command, COLUMNS="80")
        lines = [*done.out.splitlines(), *done.err.splitlines()]
        first = next(n for n, line in enumerate(lines) if "review: each round that adds" in line)
        assert max(map(len, lines[first : first + 2])) <= 80, lines
        told = " ".join(" ".join(lines[first : first + 2]).split())
        assert told.endswith("waits (exit 6) until they are reviewed by me")
