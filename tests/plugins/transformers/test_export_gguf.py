"""``harness export --gguf``: what it writes answers in llama.cpp as what was evaluated."""

from __future__ import annotations

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest

import harness
from harness.records.context import silent
from harness_transformers import loading
from harness_transformers.export import modelfile
from harness_transformers.quiet import quietly
from tests.plugins.transformers.conftest import save_tokenizer
from tests.plugins.transformers.test_export import leftovers, trained
from tests.support.later import Later
from tests.support.waiting import LONG

__all__ = ["trained"]

adapters = Later("harness_transformers.adapters")
asking = Later("harness_transformers.llamacpp.asking")
fidelity = Later("harness_transformers.export.fidelity")
library = Later("harness_transformers.llamacpp.library")
origin = Later("harness_transformers.export.origin")
parity = Later("harness_transformers.export.parity")
stranger = Later("harness_transformers.export.stranger")
torch = Later("torch")
weighing = Later("harness_transformers.export.weighing")
writing = Later("harness_transformers.llamacpp.writing")


def test_a_file_is_written_that_holds_what_was_evaluated(trained, tmp_path):
    target = tmp_path / "tuned"
    done = trained.inside("export", "--gguf", "--quantize", "q8_0", "-o", str(target))
    assert done.code == 0, done.err
    assert done.out == f"llama-server -m {target}/model-q8_0.gguf --jinja\n"
    assert {path.name for path in target.iterdir()} == {
        "LICENSE", "Modelfile", "README.md", "model-q8_0.gguf",
    }  # fmt: skip
    card = (target / "README.md").read_text()
    for text in (
        "Accepted: all 24 answers are the same.", "library_name: gguf",
        "All 24 prompts of dev, rendered by llama.cpp's server from the file's template, are the",
        "of what training changed in 14 of them, ", "Slope ", "GGUF file (q8_0) of round 1",
        "llama-server -m model-q8_0.gguf --jinja", "ollama create tuned -f Modelfile",
    ):  # fmt: skip
        assert text in card
    assert str(trained.folder) not in card
    assert 'PARAMETER stop "<|end|>"' in (target / "Modelfile").read_text()
    assert leftovers(tmp_path) == ["tuned"]
    again = trained.inside("export", "--gguf", "-o", str(target))
    assert again.code == 2
    assert "there is something in this folder already" in again.err


@pytest.fixture(scope="module")
def found(trained):
    import os

    before = os.getcwd()
    os.chdir(trained.folder)
    try:
        with quietly():
            yield origin.find(None, None, silent)
    finally:
        os.chdir(before)


def test_answers_are_compared_by_their_tokens_and_not_by_those_of_their_text(found):
    with quietly():
        tokenizer = loading.tokenizer_of(found.tuned)
        model = adapters.ready(found.tuned, torch.float32, None, merge=False)
    prompts = [[place, 30, 31] for place in range(5, 45)]
    ids = torch.tensor(prompts)
    for _ in range(4):
        ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
    own = ids[:, 3:].tolist()
    texts = tokenizer.batch_decode(own)
    assert any(tokenizer(text)["input_ids"] != ids for text, ids in zip(texts, own, strict=True))
    other = [[*answer[:2], (answer[2] + 1) % 300, answer[3]] for answer in own]
    with quietly():
        same, apart = (fidelity._gaps(found.tuned, prompts, each, silent) for each in (own, other))
    with torch.no_grad():
        ids = torch.tensor(
            [[*prompt, *answer] for prompt, answer in zip(prompts, other, strict=True)]
        )
        chances = model(ids).logits.log_softmax(-1)[:, 4]
    due = [line.max() - line[answer[2]] for line, answer in zip(chances, other, strict=True)]
    assert same == [0] * 40
    assert apart == pytest.approx([float(gap) for gap in due], abs=1e-4)


def test_a_token_that_llama_cpp_reads_otherwise_is_a_fault(found, tmp_path):
    base, path = tmp_path / "base", tmp_path / "model.gguf"
    shutil.copytree(found.tuned.base_path, base)
    rules = json.loads((base / "tokenizer.json").read_text())
    known = {"id": rules["model"]["vocab"]["value"], "content": "value", "lstrip": True}
    rules["added_tokens"].append({**rules["added_tokens"][-1], **known})
    (base / "tokenizer.json").write_text(json.dumps(rules))
    tuned = dataclasses.replace(found.tuned, base_path=str(base))
    with quietly():
        asking.written(tuned, path, "f32", lambda *_: None)
        _, faults = fidelity.prompts(dataclasses.replace(found, tuned=tuned), path)
    assert faults == ["llama.cpp builds other tokens of the text 'a value b'"]


BROKEN = {
    "scaled": "0.900 of what training changed is there",
    "untouched": "0.000 of what training changed is there",
    "permuted": "is rounding",
}


@pytest.mark.nightly
@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_file_is_refused_by_its_weights(way, trained, found, tmp_path, monkeypatch):
    from harness_transformers.llamacpp import families

    with quietly():
        faithful, broken = asking.merged(found.tuned), asking.merged(found.tuned)
        base = loading.base_of(loading.without_adapter(found.tuned), "auto").state_dict()
    for name, weight in broken.state_dict().items():
        if way == "scaled":
            weight.sub_(0.1 * (weight - base[name]))
        elif way == "untouched" and ".layers.1." in name:
            weight.copy_(base[name])
    if way == "permuted":
        monkeypatch.setattr(families, "_permuted", lambda numbers, heads: numbers)
    path = tmp_path / "model.gguf"
    tokenizer = loading.tokenizer_of(found.tuned)
    writing.write(path, broken, tokenizer, name="m", kind="f16", bos=False, said=lambda *told: None)
    monkeypatch.undo()
    with quietly():
        troubles = weighing.weighed(found.tuned, path, faithful).troubles
    assert any(BROKEN[way] in trouble for trouble in troubles)


@pytest.fixture(scope="module")
def little(found, tmp_path_factory):
    """A checkpoint whose training changed little beside what rounding to bf16 leaves of base
    weights that are numbers of bf16 themselves."""
    base = tmp_path_factory.mktemp("little")
    shutil.copytree(found.tuned.base_path, base, dirs_exist_ok=True)
    adapter = tmp_path_factory.mktemp("adapter")
    shutil.copytree(found.tuned.path, adapter, dirs_exist_ok=True)
    with quietly():
        model = loading.base_of(loading.without_adapter(found.tuned), torch.float32)
        model.bfloat16().float().save_pretrained(base)
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["lora_alpha"] *= 1e-3
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    return dataclasses.replace(found.tuned, path=str(adapter), base_path=str(base))


def weighed_as(kind, tuned, model, path):
    writing.write(
        path, model, loading.tokenizer_of(tuned), name="m", kind=kind, bos=False,
        said=lambda *_: None,
    )  # fmt: skip
    return weighing.weighed(tuned, path)


def test_weights_that_rounding_made_are_told_from_broken_ones(little, tmp_path):
    with quietly():
        faithful, broken = asking.merged(little), asking.merged(little)
        base = loading.base_of(loading.without_adapter(little), "auto").state_dict()
        for name, weight in broken.state_dict().items():
            weight.sub_(0.3 * (weight - base[name]))
        rounded = weighed_as("bf16", little, faithful, tmp_path / "bf16.gguf")
        shares = [tensor.share for tensor in rounded.tensors if tensor.share is not None]
        assert min(shares) < 0.9
        assert rounded.rounded and not rounded.troubles
        wrong = weighed_as("bf16", little, broken, tmp_path / "wrong.gguf")
        assert not wrong.rounded
        assert "is by rounding alone" in wrong.troubles[0]
        whole = weighed_as("f32", little, faithful, tmp_path / "f32.gguf")
    assert whole.rounded
    assert all(abs(tensor.share - 1) < 0.01 for tensor in whole.tensors if tensor.share is not None)


def test_rounding_takes_nothing_away_of_weights_between_the_numbers_of_the_kind(
    little, found, tmp_path
):
    between = dataclasses.replace(little, base_path=found.tuned.base_path)
    with quietly():
        seen = weighed_as("bf16", between, asking.merged(between), tmp_path / "bf16.gguf")
    assert seen.rounded
    assert all(tensor.alone == 1 for tensor in seen.tensors)


@pytest.mark.nightly
def test_what_rounding_took_away_is_said_with_the_kind_that_has_it(little, found, tmp_path):
    origin = dataclasses.replace(found, tuned=little)
    path = tmp_path / "model.gguf"
    with quietly():
        asking.written(little, path, "bf16", lambda *_: None)
        seen = fidelity.checked(origin, path, "bf16", None, silent)
        assert seen.outcome == "refused"
        assert "rounded to bf16, and what training changed is too small" in seen.verdict
        assert seen.finer == "--quantize f32 has all of what training changed"
        asking.written(little, path, "f32", lambda *_: None)
        assert not fidelity.checked(origin, path, "f32", None, silent).faults


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A checkpoint whose rows are multiples of 256, so that its K-quants are real ones."""
    import peft
    from transformers import LlamaConfig, LlamaForCausalLM

    base, adapter = (tmp_path_factory.mktemp(name) for name in ("wide", "adapter"))
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=300, hidden_size=256, intermediate_size=512, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    with quietly():
        save_tokenizer(base)
        model = LlamaForCausalLM(config)
        model.save_pretrained(base)
        tuned = peft.get_peft_model(
            model, peft.LoraConfig(r=8, lora_alpha=8, target_modules="all-linear")
        )
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(std=0.004)  # the update is about 3 % of the weights
        tuned.save_pretrained(adapter)
    return harness.Checkpoint("adapter", str(adapter), "wide", "wide", base_path=str(base))


def scaled(tuned, scale):
    """The merged model with so much of what training changed."""
    model = asking.merged(tuned)
    base = loading.base_of(loading.without_adapter(tuned), "auto").state_dict()
    for name, weight in model.state_dict().items():
        weight.add_((scale - 1) * (weight - base[name]))
    return model


K_KINDS = {"q4_k_m": {"Q4_K", "Q6_K"}, "q5_k_m": {"Q5_K", "Q6_K"}, "q6_k": {"Q6_K"}}


@pytest.mark.nightly
@pytest.mark.parametrize("scale", [1, 0.9, 0.7, 0, -1])
@pytest.mark.parametrize("kind", [*K_KINDS, "q8_0"])
def test_a_quantised_file_has_to_hold_all_that_training_changed(kind, scale, wide, tmp_path):
    with quietly():
        seen = weighed_as(kind, wide, scaled(wide, scale), tmp_path / "model.gguf")
    share = seen.pooled.share
    assert seen.pooled.se < 0.008 and abs(share - scale) < 0.02
    assert bool(seen.troubles) == (scale != 1) and seen.rounded == (scale == 1)
    if scale != 1:
        assert seen.troubles[0].startswith(f"all weights together: {share:.3f} of")
    assert {tensor.kind for tensor in seen.tensors} - {"F32"} == K_KINDS.get(kind, {"Q8_0"})
    assert f"{share:.3f} of all together (1 is all of it" in seen.sentence


def on_a_grid(tuned, folder):
    """The same adapter on a base whose weights are numbers of Q4_K already."""
    shutil.copytree(tuned.base_path, folder, dirs_exist_ok=True)
    import gguf

    with quietly(), library.rounding() as rounded:
        model = loading.base_of(loading.without_adapter(tuned), torch.float32)
        for weight in model.parameters():
            if weight.dim() == 2:
                numbers = weight.detach().numpy()
                of_four = rounded(numbers, gguf.GGMLQuantizationType.Q4_K)
                weight.data.copy_(torch.from_numpy(of_four))
        model.save_pretrained(folder)
    return dataclasses.replace(tuned, base_path=str(folder))


@pytest.mark.nightly
def test_what_rounding_to_a_k_quant_takes_away_is_no_fault_of_the_file(wide, tmp_path, monkeypatch):
    """A base that was quantised before lies on a grid, from which a small change does not get."""
    coarse = on_a_grid(wide, tmp_path / "coarse")
    with quietly():
        faithful = weighed_as("q5_k_m", coarse, scaled(coarse, 1), tmp_path / "faithful.gguf")
        broken = weighed_as("q5_k_m", coarse, scaled(coarse, -1), tmp_path / "broken.gguf")
        assert faithful.pooled.share < 0.94 and not faithful.troubles
        assert faithful.pooled.alone == pytest.approx(faithful.pooled.share, abs=0.01)
        assert "is by rounding alone" in broken.troubles[0]
        # Whoever cannot repeat a rounding knows nothing of it.
        monkeypatch.setattr(library, "_Process", Dead)
        assert not weighing.weighed(coarse, tmp_path / "broken.gguf").troubles
        assert weighing.weighed(wide, tmp_path / "broken.gguf").troubles


def test_weights_that_give_no_numbers_give_no_answer(wide, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(wide.base_path, broken)
    with quietly():
        model = loading.base_of(loading.without_adapter(wide), torch.float32)
        model.get_input_embeddings().weight.data[7] = float("nan")
        model.save_pretrained(broken)
        tuned = dataclasses.replace(wide, base_path=str(broken))
        prompts, answers = [[5, 6], [5, 7]], [[8, 9], [8, 9]]
        gaps = fidelity._gaps(tuned, prompts, answers, silent)
    assert gaps[0] < float("inf") and gaps[1] == float("inf")
    _, faults = fidelity._sameness(2, {"second": gaps[1]})
    assert faults == [
        "the answer to row 'second' parts from that of the weights at a token that is no near tie "
        "(inf nats)"
    ]


class Dead:
    """A process of llama.cpp that has ended."""

    def ask(self, *asked):
        raise harness.EnvironmentFailure("llama.cpp ended with -6")

    def end(self):
        pass


def test_a_file_that_weighed_numbers_by_what_they_do_is_not_held_to_an_even_rounding():
    even, own = (weighing.Pooled(0.3, 0.002, 0.87, repeated=known) for known in (True, False))
    assert not even.holds and own.holds
    # A part of an update that an even rounding rounds up.
    even, own = (weighing.Pooled(1.0, 0.002, 1.29, repeated=known) for known in (True, False))
    assert not even.holds and own.holds
    assert not weighing.Pooled(0.7, 0.002, 1.0, repeated=False).holds


@pytest.mark.nightly
def test_a_refused_file_is_not_written_unless_anyway(trained, tmp_path, monkeypatch):
    from harness_transformers.llamacpp import families

    monkeypatch.setattr(families, "_permuted", lambda numbers, heads: numbers[::-1].copy())
    real = fidelity.weighing.weighed
    monkeypatch.setattr(
        fidelity.weighing, "weighed", lambda *told: (monkeypatch.undo(), real(*told))[1]
    )
    done = trained.inside("export", "--gguf", "-o", str(tmp_path / "tuned"))
    assert done.code == 4
    assert "the file is not what was evaluated: refused: weights are not what training made" in (
        done.err
    )
    assert "finer kind" not in done.err  # which would be as broken
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"), [("--quantize", "q8_0"), ("--anyway", None), ("--tolerance", "0.1")]
)
def test_options_of_files_need_gguf(name, value, project, tmp_path):
    done = project.inside("export", name, *filter(None, [value]), "-o", str(tmp_path / "out"))
    assert done.code == 2
    assert "are for --gguf" in done.err


def test_without_llama_cpp_the_extra_is_named(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "installed", bool)
    done = trained.inside("export", "--gguf", "-o", str(tmp_path / "tuned"))
    assert done.code == 3
    assert "the package llama-cpp-py-sync is not installed" in done.err
    assert "[gguf]" in done.err
    assert leftovers(tmp_path) == []


def test_a_file_that_is_none_is_one_message(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(harness.DataError, match="no GGUF file"):
        writing.read(path)
    with (
        pytest.raises(harness.HarnessError, match=r"does not load|ended with"),
        library.loaded(path, 8),
    ):
        pass


def test_what_is_no_export_is_refused_by_what_it_is(found, tmp_path):
    text = tmp_path / "notes.gguf.txt"
    text.write_text("hello\n")
    with pytest.raises(harness.UsageError, match="this is no GGUF file"):
        stranger.compared(found, text, None, silent)
    blob = tmp_path / "sha256-0"
    blob.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(harness.DataError, match="no GGUF file that can be read"):
        stranger.compared(found, blob, None, silent)
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(harness.UsageError, match="there are 2 GGUF files"):
        stranger.compared(found, tmp_path, None, silent)


def test_a_folder_with_another_template_is_refused_by_its_prompts(found, tmp_path):
    with quietly():
        tokenizer = loading.tokenizer_of(found.tuned)
        tokenizer.chat_template = "{{ 'Answer this.' }}" + tokenizer.chat_template
        tokenizer.save_pretrained(tmp_path)
        asking.merged(found.tuned).save_pretrained(tmp_path)
        with pytest.raises(
            harness.DataError, match="refused: the exported tokenizer builds another"
        ):
            stranger.compared(found, tmp_path, None, silent)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("kind", "changed"), [("adapter", {}), ("bfloat16", {}), ("float32", {"precision": "fp32"})]
)
def test_a_folder_is_asked_in_the_precision_of_the_run_unless_its_weights_are_finer(
    kind, changed, found, tmp_path, monkeypatch
):
    asked = []
    real = parity.answers
    monkeypatch.setattr(
        parity, "answers", lambda *given, **options: (asked.append(options), real(*given))[1]
    )
    with quietly():
        if kind == "adapter":
            shutil.copytree(found.tuned.path, tmp_path, dirs_exist_ok=True)
        else:
            asking.merged(found.tuned).to(getattr(torch, kind)).save_pretrained(tmp_path)
            loading.tokenizer_of(found.tuned).save_pretrained(tmp_path)
        seen = stranger.compared(found, tmp_path, None, silent)
    assert asked == [changed]
    assert kind != "adapter" or seen.verdict == "accepted: all 24 answers are the same"


ROLES = [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")]


@pytest.mark.parametrize("name", ["qwen2", "llama", "gemma2", "phi3"])
def test_a_modelfile_renders_chats_as_the_template_does(name, architectures):
    with quietly():
        tokenizer = loading.tokenizer_of(architectures(name).base)
        pieces = modelfile.pieces_of(tokenizer)
        chat = ROLES if "system" in pieces.around else ROLES[1:]
        assert pieces.rendered(chat) == modelfile._rendered(tokenizer, chat)


def test_a_template_of_another_build_gets_no_modelfile_template(architectures):
    with quietly():
        tokenizer = loading.tokenizer_of(architectures("qwen2").base)
    tokenizer.chat_template = "{{ messages | length }}{{ messages[0].content }}:"
    assert modelfile.pieces_of(tokenizer) is None


@pytest.mark.nightly
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_export_leaves_no_half_file(number, trained, tmp_path):
    target = tmp_path / "tuned"
    started = subprocess.Popen(
        [sys.executable, "-c", "from harness.cli import main; main()",
         "export", "--gguf", "--quantize", "q4_k_m", "-o", str(target)],
        cwd=trained.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    while not list(tmp_path.glob(".tuned*/*.gguf*")):
        assert started.poll() is None, started.communicate()
        time.sleep(0.01)
    started.send_signal(number)
    _, said = started.communicate(timeout=LONG)
    assert not target.exists()
    if number == signal.SIGINT:
        assert started.returncode == 130
        assert b"nothing was written" in said
        assert leftovers(tmp_path) == []
    assert json.dumps(leftovers(tmp_path)).count("tuned") <= 1


@pytest.fixture(params=[("f32", 100), ("q4_k_m", 190)], ids=str)
def full(tmp_path, request):
    """A kind, and a file system that its file does not fit into: the tiny model's has 170 kB in
    float32, of which llama.cpp makes those of other kinds."""
    kind, size = request.param
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")
    yield kind, folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.nightly(but_each=2)
def test_a_disk_that_is_full_is_one_message_and_leaves_no_half_file(trained, full):
    kind, disk = full
    done = trained.inside("export", "--gguf", "--quantize", kind, "-o", str(disk / "tuned"))
    assert done.code == 3, done.err
    assert done.err.count("the disk is full") == 1
    assert "nothing was written" in done.err
    assert leftovers(disk) == []


@pytest.mark.nightly
def test_what_others_made_is_compared_and_nothing_is_written(trained, tmp_path):
    for form in (["--gguf"], ["--merge"], []):
        target = tmp_path / "-".join(["made", *form])
        assert trained.inside("export", *form, "-o", str(target)).code == 0
        done = trained.inside("export", "--check", str(target))
        assert done.code == 0, done.err
        assert done.out == "accepted: all 24 answers are the same\n"
    adapter = tmp_path / "made" / "adapter_config.json"
    values = json.loads(adapter.read_text())
    adapter.write_text(json.dumps({**values, "lora_alpha": values["lora_alpha"] / 4}))
    done = trained.inside("export", "--check", str(tmp_path / "made"))
    assert done.code == 4
    assert "the log-probabilities are not those after training" in done.err
    empty = tmp_path / "empty"
    empty.mkdir()
    done = trained.inside("export", "--check", str(empty))
    assert done.code == 2
    assert "this is no GGUF file, and no folder with one" in done.err
