"""What can be known of a model before it is loaded is known to ``harness check``."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from harness_transformers import checks, hub
from harness_transformers.folders import HubModel, LocalModel
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.pypi import PypiModel
from tests.support.waiting import LONG

TEXT = """\
data: {source: jsonl, path: rows.jsonl}
model: %s
train: {plugin: lora%s}
generate: {plugin: transformers%s}
metrics: [{plugin: bleu}]
primary: bleu
"""


@pytest.fixture
def copy(tiny, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    return folder


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """An empty cache of the hub, and a hub that does not answer."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "SECONDS", 0.2)


def said(plugin, settings=None, **options):
    problems = list(plugin(plugin.Options(**options)).check(settings or {}))
    return [(problem.level, problem.place, problem.message) for problem in problems]


def one(plugin, settings=None, **options):
    (answer,) = said(plugin, settings, **options)
    return answer


def test_a_whole_folder_is_fine(copy):
    assert said(LocalModel, path=copy) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (shutil.rmtree, "there is no such folder"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("["), "no JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), "only safetensors weights are loaded"),
        (lambda f: (f / "tokenizer.json").unlink(), "there is no tokenizer"),
        (
            lambda f: (f / "config.json").write_text('{"auto_map": {}}'),
            "Python code of its own (read it, then allow it",
        ),
    ],
)
def test_each_fault_of_a_folder_is_found(copy, damage, words):
    damage(copy)
    level, place, message = one(LocalModel, path=copy)
    assert (level, place) == ("config", ("path",))
    assert words in message
    assert str(copy) in message


def test_all_faults_of_a_folder_come_at_once(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    (copy / "tokenizer.json").unlink()
    assert len(said(LocalModel, path=copy)) == 2


@pytest.mark.parametrize("name", ["a/b/c", "a b", "../x", "x--y", "/x", "", "x.git", "models/é"])
def test_what_is_no_id_of_the_hub_is_said(name, nowhere):
    level, place, message = one(HubModel, id=name)
    assert (level, place) == ("config", ("id",))
    assert "no id of the hub" in message


@pytest.mark.parametrize("name", ["gpt2", "HuggingFaceTB/SmolLM2-135M-Instruct", "a_b/c.d-e_f"])
def test_ids_of_the_hub_are_known_as_such(name):
    from huggingface_hub.utils import validate_repo_id

    validate_repo_id(name)
    assert hub.is_id(name)


def test_a_hub_that_cannot_be_asked_makes_it_unknown(nowhere):
    level, place, message = one(HubModel, id="team/model")
    assert (level, place) == ("unknown", ("id",))
    assert "not in the cache and the hub cannot be asked" in message


def test_offline_what_is_not_cached_is_missing(nowhere, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    level, place, message = one(HubModel, id="team/model")
    assert (level, place) == ("environment", ("id",))
    assert "HF_HUB_OFFLINE" in message


@contextlib.contextmanager
def answering(status, code=None):
    """A hub on this machine that gives that answer to each question."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(
                {"id": "team/model", "sha": "a" * 40, "siblings": [{"rfilename": "model.bin"}]}
            ).encode()
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "place", "words"),
    [
        (404, "RepoNotFound", "id", "the hub has no model 'team/model'"),
        (401, "RepoNotFound", "id", "the hub has no model 'team/model'"),
        (404, "RevisionNotFound", "revision", "has no revision 'main'"),
        (200, None, "id", "no safetensors weights"),
    ],
)
def test_what_the_hub_says_is_told(nowhere, monkeypatch, status, code, place, words):
    from huggingface_hub import constants

    monkeypatch.setattr(hub, "SECONDS", LONG)
    with answering(status, code) as endpoint:
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        level, where, message = one(HubModel, id="team/model")
    assert (level, where) == ("config", (place,))
    assert words in message


def test_a_model_of_the_package_index_that_is_not_cached_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    level, place, message = one(PypiModel)
    assert (level, place) == ("unknown", ("name",))
    assert "not cached" in message


def model(folder):
    return {"model": {"source": "local", "path": str(folder)}}


def test_a_layer_that_the_model_does_not_have_is_named(tiny):
    assert said(LoraTrainer, model(tiny)) == []
    assert said(LoraTrainer, model(tiny), target_modules=["q_proj", "mlp.up_proj"]) == []
    level, place, message = one(LoraTrainer, model(tiny), target_modules=["v_proj", "q_projj"])
    assert (level, place) == ("config", ("target_modules", 1))
    assert "no layer 'q_projj', did you mean 'q_proj'?" in message
    # A norm has weights, and is no layer that LoRA can adapt.
    assert "no layer 'norm'" in one(LoraTrainer, model(tiny), target_modules=["norm"])[2]


def test_a_pattern_of_layers_is_compared_as_far_as_names_are_known(tiny):
    assert said(LoraTrainer, model(tiny), target_modules=r".*\.self_attn\.[qv]_proj") == []
    assert said(LoraTrainer, model(tiny), target_modules=r"model\.layers\.0\..*up_proj") == []
    assert one(LoraTrainer, model(tiny), target_modules=r".*x_proj")[0] == "unknown"
    assert "no regular expression" in one(LoraTrainer, model(tiny), target_modules="(")[2]


def test_layers_of_a_model_that_is_not_here_are_unknown(tmp_path):
    level, place, _ = one(LoraTrainer, model(tmp_path), target_modules=["q_proj"])
    assert (level, place) == ("unknown", ("target_modules",))
    assert said(LoraTrainer, model(tmp_path)) == []


@pytest.mark.parametrize(
    ("value", "level", "words"),
    [
        ("wandbb", "config", "no 'wandbb', did you mean 'wandb'?"),
        (["none-such"], "config", "reports to no 'none-such'"),
        ("dvclive", "environment", "'dvclive' needs the package dvclive"),
        (["dvclive"], "environment", "not installed here"),
    ],
)
def test_trackers_that_are_not_there(value, level, words):
    found, place, message = one(LoraTrainer, args={"report_to": value})
    assert (found, place) == (level, ("args", "report_to"))
    assert words in message


@pytest.mark.parametrize("value", ["none", "all", ["none"]])
def test_no_tracker_needs_no_package(value):
    assert said(LoraTrainer, args={"report_to": value}) == []


def test_a_schedule_and_an_optimizer_have_to_be_known():
    found = said(LoraTrainer, scheduler="cosin", args={"optim": "adamw_torc"})
    assert [(level, place) for level, place, _ in found] == [
        ("config", ("scheduler",)), ("config", ("args", "optim")),
    ]  # fmt: skip
    assert "no scheduler 'cosin', did you mean 'cosine'?" in found[0][2]
    assert "no optim 'adamw_torc', did you mean 'adamw_torch'?" in found[1][2]


@pytest.mark.nightly
def test_every_schedule_and_optimizer_of_transformers_is_known():
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    for kind, option in ((SchedulerType, "scheduler"), (OptimizerNames, "optim")):
        for one_of_them in kind:
            name = one_of_them.value
            given = {"scheduler": name} if option == "scheduler" else {"args": {"optim": name}}
            assert said(LoraTrainer, **given) == []


def test_a_package_for_quantising_that_is_not_there(monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else real(name)
    )
    level, place, _ = one(LoraTrainer, quantization="4bit")
    assert (level, place) == ("environment", ("quantization",))
    assert said(LoraTrainer) == []


def test_what_does_not_go_with_training(tiny):
    settings = {"train": {"quantization": "4bit", "precision": "bf16"}}
    level, place, _ = one(TransformersGenerator, settings, merge=True)
    assert (level, place) == ("config", ("merge",))
    level, place, message = one(TransformersGenerator, settings, precision="fp32")
    assert (level, place) == ("note", ("precision",))
    assert "training computes in bf16, answering in fp32" in message
    level, place, _ = one(TransformersGenerator, min_new_tokens=9, max_new_tokens=4)
    assert (level, place) == ("config", ("min_new_tokens",))


def test_check_tells_all_of_it_at_once_and_loads_nothing(tiny, tmp_path):
    """The configs that were called fine, each with its place; no torch, no transformers."""
    rows = [
        {"split": split, "messages": [{"role": "user", "content": split}], "references": ["x"]}
        for split in ("train", "dev", "test")
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = tmp_path / "harness.yaml"
    model = f"{{source: local, path: {tiny}}}"
    train = ", target_modules: [q_projj], args: {report_to: dvclive}"
    config.write_text(TEXT % (model, train, ", merge: true, min_new_tokens: 300"))
    code = (
        "import sys\nfrom harness.cli import main\n"
        "try: main()\n"
        "finally: print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "-c", str(config)], capture_output=True, text=True,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "3 problems in the config" in done.stderr
    assert f"{config}:3: train.target_modules.0: the model has no layer 'q_projj'" in done.stderr
    assert f"{config}:3: train.args.report_to: 'dvclive' needs the package" in done.stderr
    assert f"{config}:4: generate.min_new_tokens: more than max_new_tokens 256" in done.stderr
    assert done.stdout == "[]\n"


def test_training_refuses_a_name_of_no_layer_that_nobody_could_check(base, row, context):
    import harness

    for targets in (["q_proj", "q_projj"], ["q_projj"]):
        plugin = LoraTrainer(LoraTrainer.Options(target_modules=targets, precision="fp32"))
        with pytest.raises(harness.ConfigError, match="q_projj") as caught:
            plugin.train(base, [row(1)], (), context)
        assert caught.value.where == "train.target_modules"


def test_names_come_from_the_headers_of_all_files(tiny):
    names = checks.shapes(tiny)
    assert names["model.layers.1.mlp.up_proj.weight"] == [64, 32]
    assert names["model.norm.weight"] == [32]


def test_processes_that_bring_nothing_are_noted():
    level, place, message = one(LoraTrainer, processes=1, strategy="fsdp")
    assert (level, place, message) == ("note", ("strategy",), "no effect with one process")
    level, place, message = one(LoraTrainer, processes=3, batch_size=8)
    assert (level, place) == ("note", ("batch_size",)) and "no multiple of 3" in message
    assert not said(LoraTrainer, processes=4, batch_size=8)
