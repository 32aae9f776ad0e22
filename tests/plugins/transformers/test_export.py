"""``harness export``: what it writes loads without harness, and answers as what was evaluated."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

import harness
from harness.cli import commands
from harness_transformers import loading
from harness_transformers.export import command, origin, parity
from harness_transformers.export.origin import Origin
from harness_transformers.export.parity import Sameness
from harness_transformers.quiet import quietly
from tests.support.later import Later
from tests.support.project import Project

torch = Later("torch")
adapters = Later("harness_transformers.adapters")
export_card = Later("harness_transformers.export.card")
made = Later("harness_transformers.export.made")
transfer = Later("harness_transformers.export.transfer")
weights = Later("harness_transformers.export.weights")

HOSTILE = "base <b>*x*|`"
"""Name of the base model's folder."""
COUNTS = {"train": 8, "dev": 24, "test": 24}
ANSWER = "find the red"
CONFIG = """\
rounds: 1
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 8, epochs: 12, batch_size: 4, learning_rate: 0.03, precision: fp32}}
generate: {{plugin: transformers, max_new_tokens: 8, precision: fp32}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
execution: {{launcher: inline}}
"""


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A project with a run whose best round is 1; the base model lies beside its files."""
    project = Project(tmp_path_factory.mktemp("trained"))
    base = project.folder / HOSTILE
    shutil.copytree(tiny, base)
    (base / "LICENSE").write_text("Licence of <i>tests</i>\nall of it\n")
    rows = [
        {"split": split, "references": [ANSWER],
         "messages": [{"role": "user", "content": f"{split} number {n}"}]}
        for split, count in COUNTS.items() for n in range(count)
    ]  # fmt: skip
    project.write("\n".join(map(json.dumps, rows)), "rows.jsonl")
    project.write(CONFIG.format(folder=json.dumps(str(base))))
    done = project.inside("iterate", "--json")
    assert done.code == 0, done.err
    assert done.document["kept_round"] == 1
    return project


@pytest.fixture
def evaluated(trained, monkeypatch):
    """Prompt -> the answer that was evaluated, of the first rows of dev."""
    monkeypatch.chdir(trained.folder)
    run = harness.open_run()
    pairs = zip(run.rows("dev"), run.answers(1), strict=True)
    return {row.prompt: prediction.text for row, prediction in list(pairs)[:5]}


@pytest.mark.nightly
def test_the_run_names_the_command_that_exports_its_model(trained):
    (path,) = trained.folder.glob("reports/*/summary.json")
    document = json.loads(path.read_text())
    assert f"harness export {document['run']} -o model" in document["model"]["commands"]
    assert "export" in commands.installed()


def leftovers(folder):
    """What an export that failed has left beside its target."""
    return sorted(path.name for path in folder.iterdir())


LOADED = """\
import importlib.util, json, sys
sys.path += {paths!r}
assert importlib.util.find_spec("harness") is None
{lines}
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained({folder!r})
found = {{}}
for prompt in {prompts!r}:
    inputs = tokenizer.apply_chat_template(
        [{{"role": "user", "content": prompt}}], add_generation_prompt=True,
        return_tensors="pt", return_dict=True,
    )
    answer = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    text = tokenizer.decode(answer[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True)
    found[prompt] = text.strip()
print(json.dumps([found, str(model.dtype)]))
"""


def loaded_elsewhere(lines, folder, prompts, tmp_path):
    """Answers and type of the model that the lines load, in a process that has no harness."""
    specs = [find_spec(name) for name in ("torch", "transformers", "peft")]
    paths = sorted({str(Path(spec.origin).parents[1]) for spec in specs})
    code = LOADED.format(lines=lines, folder=str(folder), prompts=list(prompts), paths=paths)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.nightly
def test_an_adapter_loads_without_harness_and_answers_the_same(trained, evaluated, tmp_path):
    target = tmp_path / "tuned's"
    done = trained.inside("export", "-o", str(target))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines == [
        "from peft import AutoPeftModelForCausalLM",
        f"model = AutoPeftModelForCausalLM.from_pretrained({str(target)!r})",
    ]
    answers, _ = loaded_elsewhere(done.out, target, evaluated, tmp_path)
    assert answers == evaluated
    assert ANSWER in evaluated.values()
    assert "24 of 24 answers to dev (100 %) are identical" in done.err
    assert (
        "asked one at a time on this machine, 24 of 24 answers are those of the run's own adapter, "
        "and 0 of 24 differ from the answer in a batch"
    ) in done.err
    assert "asked again" not in done.err, "the stored answers were enough"
    config = json.loads((target / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(trained.folder / HOSTILE)
    assert "holds on this machine only" in done.err
    assert {path.name for path in target.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip


@pytest.mark.nightly
def test_merged_weights_load_without_harness_and_answer_the_same(trained, evaluated, tmp_path):
    target = tmp_path / "merged"
    target.mkdir()
    done = trained.inside("export", "--merge", "-o", str(target))
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "from transformers import AutoModelForCausalLM",
        f"model = AutoModelForCausalLM.from_pretrained({str(target)!r})",
    ]
    answers, dtype = loaded_elsewhere(done.out, target, evaluated, tmp_path)
    assert answers == evaluated
    assert dtype == "torch.float32"
    assert "saved in float32, which changed the update by 0.00%" in done.err
    assert "slope 1.000: so much of what training changed in the log-probabilities" in done.err
    assert "rest 0.000: what the export changed in them beside that" in done.err
    assert "--dtype" not in done.err
    assert "this machine only" not in done.err
    assert (target / "LICENSE").read_text().startswith("Licence of")
    modes = {path.stat().st_mode for path in target.iterdir()}
    assert len(modes) == 1, "a file that others may not read as they may the rest"
    assert leftovers(tmp_path) == ["merged"]


def beside(summary):
    found = summary["rounds"][1]["forgetting"]
    return f"{found['instructions']['sentence']} {found['sentence']}"


def test_the_card_says_what_the_run_measured_and_shows_texts_as_texts(trained, tmp_path):
    assert trained.inside("export", "-o", str(tmp_path / "out")).code == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert not re.search(r"(?<!\\)<[bi]>", card)
    assert str(trained.folder) not in card.replace("\\", "")
    plain = card.replace("\\", "")
    summary = json.loads(next(trained.folder.glob("reports/*/summary.json")).read_text())
    verdict = summary["rounds"][1]["verdict"]
    for text in (
        HOSTILE, "Licence of <i>tests</i>", summary["run"], "learning_rate: 0.03",
        f"train {summary['data']['rows']['train']}, ", summary["dates"]["finished"][:10],
        verdict["sentence"], f"[{verdict['low']:+.3f}, {verdict['high']:+.3f}], each bound at 95.0",
        "No answer of this run was rated by a rubric.", "24 of 24 answers to dev",
        f"- Beside the task: {beside(summary)}",
    ):  # fmt: skip
        assert text in plain, text
    assert 2 * "| 0.000 [0.000, 0.138] | 1.000 [0.862, 1.000] " in card
    code = card.partition("```python\n")[2].partition("```")[0]
    compile(code, "card.py", "exec")


def test_settings_are_shown_without_folders_of_this_machine_and_without_what_is_empty():
    entry = {
        "path": "/home/ana/rows.jsonl", "files": {"train": "/home/ana/a.csv", "dev": ""},
        "also": ["/home/ana/b.csv", "c.csv"], "columns": {"meta": []}, "rows": 0,
    }  # fmt: skip
    assert export_card._settings(entry).replace("\\", "") == (
        'path: rows.jsonl, files: {"train": "a.csv"}, also: ["b.csv", "c.csv"], columns: {}, '
        "rows: 0"
    )


@pytest.mark.nightly
def test_the_base_can_be_named_for_another_machine(trained, tmp_path):
    done = trained.inside("export", "--base", "owner/model", "-o", str(tmp_path / "out"))
    assert done.code == 0, done.err
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "owner/model"
    assert 'base_model: "owner/model"' in (tmp_path / "out" / "README.md").read_text()
    assert "this machine only" not in done.err


def damaged(monkeypatch):
    """From here on adapters are not copied as they are."""
    from safetensors.torch import load_file, save_file

    def copy(source, target):
        torch.manual_seed(3)
        parts = load_file(source)
        save_file({name: torch.randn_like(part) for name, part in parts.items()}, target)

    monkeypatch.setattr(weights.shutil, "copyfile", copy)


def test_weights_that_answer_otherwise_are_refused(trained, tmp_path, monkeypatch):
    damaged(monkeypatch)
    done = trained.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 4
    assert done.err.count("data: ") == 1
    assert (
        "the exported adapter does not answer as the run's own does: asked again on this machine"
        in done.err
    )
    assert (
        "gives 0 of 24 of these answers; asked one at a time on this machine, 0 of 24" in done.err
    )
    assert done.out == ""
    assert leftovers(tmp_path) == []


@pytest.mark.nightly
def test_one_weight_that_is_not_base_and_update_is_refused(trained, tmp_path, monkeypatch):
    merge = adapters.merged

    def worse(adapted, dtype=None):
        model, lost = merge(adapted, dtype)
        model.model.layers[1].mlp.up_proj.weight.data[0, 0] *= 2
        return model, lost

    monkeypatch.setattr(adapters, "merged", worse)
    done = trained.inside("export", "--merge", "-o", str(tmp_path / "out"))
    assert done.code == 4
    assert "1 of the exported weights are not the base model's with the adapter" in done.err
    assert "model.layers.1.mlp.up_proj.weight" in done.err
    assert leftovers(tmp_path) == []


def test_an_update_that_is_not_what_the_adapter_adds_is_refused(trained, tmp_path, monkeypatch):
    from peft.tuners.lora.layer import Linear

    update = Linear.get_delta_weight
    monkeypatch.setattr(Linear, "get_delta_weight", lambda *given: 0.9 * update(*given))
    command = ("export", "--merge", "--dtype", "bfloat16", "-o", str(tmp_path / "out"))
    done = trained.inside(*command)
    assert done.code == 4
    assert "14 of the exported weights are not the base model's with the adapter" in done.err
    assert leftovers(tmp_path) == []


@pytest.mark.nightly
def test_a_scale_that_is_wrong_is_refused_by_the_log_probabilities(trained, tmp_path, monkeypatch):
    merge = adapters.merged

    def scaled(adapted, dtype=None):
        for layer in adapters.layers_of(adapted).values():
            layer.scaling["default"] *= 0.9
        return merge(adapted, dtype)

    monkeypatch.setattr(adapters, "merged", scaled)
    monkeypatch.setattr(weights, "strange", lambda *_: [])
    done = trained.inside("export", "--merge", "-o", str(tmp_path / "out"))
    assert done.code == 4
    assert "the merged weights are not what was evaluated" in done.err
    assert "the slope has to be from 0.97 to 1.03" in done.err
    assert "nothing was written; without --merge the adapter is exported as it is" in done.err
    assert leftovers(tmp_path) == []


@pytest.mark.nightly
def test_merged_weights_can_be_of_another_type(trained, evaluated, tmp_path):
    target = tmp_path / "merged"
    done = trained.inside("export", "--merge", "--dtype", "float16", "-o", str(target))
    assert done.code == 0, done.err
    assert "saved in float16, which changed the update by " in done.err
    config = json.loads((target / "config.json").read_text())
    assert config["dtype"] == "float16"
    model = loading.base_of(harness.Checkpoint("base", str(target), "d", "t"), "auto")
    assert {weight.dtype for weight in model.parameters()} == {torch.float16}


@pytest.mark.parametrize(
    ("dtype", "lost", "advised"),
    [("bfloat16", 0.42, "--dtype float32 changes the update by next to nothing, --dtype float16 by "
                        "less"),
     ("bfloat16", 0.1, ""),
     ("float16", 0.11, "--dtype float32 changes the update by next to nothing")],
)  # fmt: skip
def test_another_type_is_advised_where_rounding_changed_more_than_a_tenth(dtype, lost, advised):
    seen = transfer.Transfer(9, 1.0, 0.0, 0.0, transfer.LIMITS[dtype])
    merging = made.Merging(dtype, lost, seen)
    assert merging.advice == advised
    assert not any("--dtype" in sentence for sentence in merging.checks), "the card has them"


@pytest.mark.nightly
def test_answers_that_change_with_the_machine_are_not_the_exports_fault(
    trained, tmp_path, monkeypatch
):
    """The run's own adapter answers here as its export does, though not as it was stored."""
    monkeypatch.chdir(trained.folder)
    found = origin.find(None, None, lambda *_: None)
    card = found.stored.card
    elsewhere = [dataclasses.replace(card.predictions[0], text="no"), *card.predictions[1:]]
    other = dataclasses.replace(
        found, stored=dataclasses.replace(
            found.stored, card=dataclasses.replace(card, predictions=elsewhere)
        )
    )  # fmt: skip
    monkeypatch.setattr(parity, "ALONE", 23)
    answers = parity.answers(found.tuned, other, card.examples, lambda *_: None)
    same = parity.same(found.tuned, other, answers, lambda *_: None)
    same.require()
    assert (same.n, same.differing, same.again) == (24, [], True)
    assert (same.alone, same.alone_differing) == (23, [])
    assert parity.compare(other, answers).identical == 23
    assert "asked again on this machine, the run's own adapter gives 24 of 24" in same.sentence


def test_one_at_a_time_is_compared_with_one_at_a_time():
    moved = Sameness(150, (), False, 30, (), 2)
    moved.require()
    assert moved.sentence.endswith("and 2 of 30 differ from the answer in a batch")
    with pytest.raises(
        harness.DataError, match="own does: asked one at a time on this machine, 29"
    ):
        Sameness(150, (), False, 30, ("row",), 2).require()


def test_a_run_without_batches_is_told_of_none(trained, monkeypatch):
    monkeypatch.chdir(trained.folder)
    found = origin.find(None, None, lambda *_: None)
    config = dict(found.stored.config)
    config["generate"] = {**config["generate"], "batch_size": 1}
    single = dataclasses.replace(found, stored=dataclasses.replace(found.stored, config=config))
    stored = {answer.example_id: answer for answer in found.stored.card.predictions}
    same = parity.same(found.tuned, single, stored, lambda *_: None)
    assert (same.n, same.differing, same.alone) == (24, [], 0)
    assert same.sentence == ""


UNEQUAL = """\
import harness

class Unequal(harness.Generator):
    name = "unequal"
    accepts = frozenset({"adapter"})

    class Options(harness.Options):
        rows: list[int]

    def generate(self, checkpoint, examples, context):
        for row in self.options.rows:
            yield harness.Prediction(examples[row].id, "the")

@harness.hookimpl
def register_generators():
    return [Unequal]
"""


@pytest.mark.parametrize("rows", [[0], [0, 0], [0, 1, 1]])
def test_a_generator_has_to_answer_each_row_once(row, tmp_path, rows):
    file = tmp_path / "unequal.py"
    file.write_text(UNEQUAL)
    config = {"generate": {"plugin": "unequal", "rows": rows}, "plugins": [str(file)]}
    stored = SimpleNamespace(config=config, seed=1, result=SimpleNamespace(round=1))
    tuned = harness.Checkpoint("adapter", "", "")
    with pytest.raises(harness.PluginError, match=f"it gave {len(rows)} answers to 2 prompts"):
        parity.answers(tuned, Origin(stored, tuned, {}), [row(1), row(2)], lambda *_: None)


def test_a_tokenizer_that_builds_other_prompts_is_refused(trained, tmp_path, monkeypatch):
    write = weights.write_tokenizer

    def other(tuned, folder):
        write(tuned, folder)
        template = folder / "chat_template.jinja"
        template.write_text(template.read_text().replace("<|start|>assistant", "<|start|>bot"))

    monkeypatch.setattr(weights, "write_tokenizer", other)
    done = trained.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 4
    assert "builds another prompt of row" in done.err
    assert leftovers(tmp_path) == []


def test_answers_that_differ_count_by_the_primary_score(trained, monkeypatch):
    monkeypatch.chdir(trained.folder)
    found = origin.find(None, None, lambda *_: None)
    card = found.stored.card
    answers = {
        one.example_id: dataclasses.replace(one, text="no" if place == 3 else one.text)
        for place, one in enumerate(card.predictions)
    }
    seen = parity.compare(found, answers)
    assert (seen.n, seen.identical) == (24, 23)
    assert seen.difference == pytest.approx(-1 / 24)
    assert seen.low < seen.difference < seen.high + 1e-9
    assert "difference in exact, exported minus evaluated: -0.042 [" in seen.sentence
    assert seen.sentence.endswith("] (95 % interval)")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["-o", "full"], "there is something in this folder already"),
        (["-o", "file"], "this is a file"),
        (["-o", "none/out"], "there is no folder"),
        (["-o", "out", "--tolerance", "1"], "--tolerance"),
        (["-o", "out", "--merge", "--dtype", "int8"], "--dtype"),
        (["-o", "out", "--dtype", "float16"], "an adapter is exported in the type"),
        (["-o", "out", "--base", "./here"], "neither an id of the hub"),
        (["-o", "out", "--round", "0"], "round 0 is the base model"),
        (["-o", "out", "--round", "7"], "no closed round 7"),
        (["-o", "out", "nobody"], "no run is called 'nobody'"),
        ([], "--output"),
    ],
)
def test_a_wrong_command_line_is_told_and_writes_nothing(trained, given, message, tmp_path):
    shutil.copytree(trained.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("base <*"))
    project = Project(tmp_path / "copy")
    (project.folder / "full").mkdir()
    (project.folder / "full" / "theirs").write_text("x")
    project.write("theirs", "file")
    before = leftovers(project.folder)
    done = project.inside("export", *given)
    assert done.code == 2
    assert message in done.err
    assert leftovers(project.folder) == before
    assert leftovers(project.folder / "full") == ["theirs"]


@pytest.mark.nightly
def test_what_no_trainer_of_adapters_left_is_not_exported(finished, tmp_path):
    project, _ = finished
    done = project.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 2
    assert "no PEFT adapter" in done.err
    assert leftovers(tmp_path) == []


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left (os error 28)"),
        None,
    ],
)
def test_a_full_disk_is_told_once(trained, tmp_path, monkeypatch, error):
    def full(source, target, *_):
        # A copy names the file that it reads first.
        raise error or OSError(errno.ENOSPC, "No space", str(source), None, str(target))

    monkeypatch.setattr(weights.shutil, "copyfile", full)
    done = trained.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 3
    assert done.err.count("the disk is full") == 1
    assert f"-o {tmp_path / 'out'}" in done.err
    assert leftovers(tmp_path) == []


def test_memory_that_runs_out_is_told(trained, tmp_path, monkeypatch):
    def short(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 B")

    monkeypatch.setattr(weights, "strange", short)
    done = trained.inside("export", "--merge", "-o", str(tmp_path / "out"))
    assert done.code == 3
    assert "the memory is not enough to export this model" in done.err
    assert "without --merge less is needed" in done.err
    assert leftovers(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told(trained):
    done = trained.inside("export", "-o", "/proc/out")
    assert done.code == 3
    assert "environment: -o /proc/out: " in done.err


def test_a_failure_of_a_library_is_one_message(trained, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("something <odd>")

    monkeypatch.setattr(parity, "answers", broken)
    done = trained.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 5
    assert "RuntimeError: something <odd>" in done.err
    assert leftovers(tmp_path) == []


@pytest.mark.nightly
def test_ctrl_c_leaves_nothing_and_the_same_command_goes_on(trained, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parity, "answers", stopped)
        done = trained.inside("export", "-o", str(tmp_path / "out"))
    assert done.code == 130
    assert f"stopped; nothing was written to {tmp_path / 'out'}" in done.err
    assert leftovers(tmp_path) == []
    assert trained.inside("export", "-o", str(tmp_path / "out")).code == 0


def test_a_base_that_has_moved_is_told(trained, tmp_path):
    base = trained.folder / HOSTILE
    base.rename(tmp_path / "moved")
    try:
        done = trained.inside("export", "-o", str(tmp_path / "out"))
    finally:
        (tmp_path / "moved").rename(base)
    assert done.code == 3
    assert str(base) in done.err
    assert "bring it back" in done.err
    assert leftovers(tmp_path) == []


def test_a_base_that_is_another_one_by_now_is_told(trained, tmp_path):
    config = trained.folder / HOSTILE / "generation_config.json"
    before = config.read_text()
    config.write_text(before.replace("{", '{ "max_length": 77,', 1))
    try:
        done = trained.inside("export", "-o", str(tmp_path / "out"))
    finally:
        config.write_text(before)
    assert done.code == 4
    assert "is not the one that run" in done.err
    assert leftovers(tmp_path) == []


@pytest.mark.nightly
def test_a_quantised_run_loads_in_as_few_bits_elsewhere(wide, project, tmp_path, monkeypatch):
    rows = [
        {"split": split, "references": [ANSWER],
         "messages": [{"role": "user", "content": f"{split} number {n}"}]}
        for split, count in COUNTS.items() for n in range(count)
    ]  # fmt: skip
    project.write("\n".join(map(json.dumps, rows)), "rows.jsonl")
    config = CONFIG.format(folder=json.dumps(wide.path)).replace("fp32", "bf16")
    project.write(config.replace("r: 8, epochs: 12", "quantization: 4bit, r: 8, epochs: 3"))
    done = project.inside("iterate", "--no-test", "--json")
    assert done.code == 0, done.err
    target = tmp_path / "out"
    done = project.inside("export", "--round", "1", "-o", str(target))
    assert done.code == 0, done.err
    assert "24 of 24 answers to dev (100 %) are identical" in done.err
    assert "load_in_4bit=True" in done.out and "bnb_4bit_compute_dtype='bfloat16'" in done.out
    monkeypatch.chdir(project.folder)
    run = harness.open_run()
    pairs = list(zip(run.rows("dev"), run.answers(1), strict=True))[:4]
    evaluated = {row.prompt: prediction.text for row, prediction in pairs}
    answers, _ = loaded_elsewhere(done.out, target, evaluated, tmp_path)
    assert answers == evaluated


@pytest.mark.parametrize("stored", [False, True])
def test_nothing_is_merged_into_quantised_weights(tmp_path, stored):
    config = {"quantization_config": {}} if stored else {}
    (tmp_path / "config.json").write_text(json.dumps(config))
    info = {} if stored else {"quantization": "4bit"}
    tuned = harness.Checkpoint("adapter", "", "", base_path=str(tmp_path), info=info)
    with pytest.raises(harness.UsageError, match="cannot be merged into quantised weights"):
        command._refuse_merging(Origin(SimpleNamespace(), tuned, {}))


def test_merging_rounds_once_and_says_what_that_changed(base, tmp_path):
    """The update is half of a percent of its weight, as training makes it."""
    from peft import LoraConfig, PeftModel, get_peft_model

    torch.manual_seed(5)
    with quietly():
        made = get_peft_model(
            loading.base_of(base, torch.float32),
            LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=12, target_modules="all-linear"),
        )
        for name, parameter in made.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.002)
        made.save_pretrained(str(tmp_path))
        half = str(tmp_path / "half")
        loading.base_of(base, torch.bfloat16).save_pretrained(half)
        rounded, exact = (
            PeftModel.from_pretrained(loading.base_of(base, dtype), str(tmp_path))
            for dtype in (torch.bfloat16, torch.float32)
        )
        untouched = dict(loading.base_of(base, torch.bfloat16).named_parameters())
        due = {
            name.removeprefix("base_model.model."): layer.get_delta_weight("default").detach()
            for name, layer in exact.named_modules() if hasattr(layer, "get_delta_weight")
        }  # fmt: skip
        model, lost = adapters.merged(rounded)
        tuned = harness.Checkpoint("adapter", str(tmp_path), "a", base_path=half)
        assert weights.strange(tuned, model) == []
    error = whole = 0.0
    for name, update in due.items():
        weight = dict(model.named_parameters())[f"{name}.weight"]
        wanted = untouched[f"{name}.weight"].detach().float() + update
        assert weight.dtype == torch.bfloat16
        assert torch.equal(weight.detach(), wanted.to(torch.bfloat16))
        error += float((weight.detach().float() - wanted).square().sum())
        whole += float(update.square().sum())
    assert len(due) == 14
    assert lost == pytest.approx((error / whole) ** 0.5, rel=1e-4)
    assert lost > 0.05
