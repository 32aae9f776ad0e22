from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

import harness
from harness.records import to_json
from harness.records.context import values_in
from harness_transformers import arguments
from harness_transformers.arguments import IGNORED, OWNED, UNLIKE
from harness_transformers.lora import LoraTrainer
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")


def trainer(**options):
    settings = {"r": 4, "epochs": 1, "batch_size": 4, "precision": "fp32", **options}
    return LoraTrainer(LoraTrainer.Options(**settings))


def log(context):
    return [json.loads(line) for line in (context.output / "log.jsonl").read_text().splitlines()]


def bytes_of(context):
    weights = (context.output / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(weights).hexdigest()


def test_it_learns_and_records_what_it_did(base, row, context, capfd):
    train = [row(number) for number in range(12)]
    steps, told = [], []

    def report(done, total, what):
        steps.append((done, total))
        told.extend((done, *value) for value in values_in(what))

    context.report = report
    made = trainer(epochs=8, learning_rate=0.02).train(base, train, train[:3], context)
    losses = [entry for entry in log(context) if "loss" in entry]
    validation = [entry["eval_loss"] for entry in log(context) if "eval_loss" in entry]
    assert [entry["step"] for entry in losses] == list(range(1, 25))
    assert {"step", "epoch", "loss", "learning_rate", "grad_norm"} == set(losses[0])
    assert losses[-1]["loss"] < losses[0]["loss"] - 0.5
    assert len(validation) == 9
    assert validation[-1] < validation[0] - 0.5
    assert [*dict.fromkeys(steps)] == [(step, 24) for step in range(25)]
    assert told == [
        (line["step"], name, float(f"{line[name]:.4g}"))
        for line in log(context) for name in ("loss", "eval_loss") if name in line
    ]  # fmt: skip
    assert (made.kind, made.base_path, made.path) == ("adapter", base.path, str(context.output))
    assert made.template
    assert context.facts["trained_tokens"] == made.info["trained_tokens"] > 12
    assert context.facts["truncated_rows"] == 0
    names = sorted(path.name for path in context.output.iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors", "log.jsonl"]
    assert base.path not in (context.output / "adapter_config.json").read_text()
    json.dumps(to_json(made))
    assert capfd.readouterr() == ("", "")


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (7, {"batch_size": 3, "accumulation": 2, "epochs": 1.5}),
        (5, {"batch_size": 8, "epochs": 2}),
        (7, {"batch_size": 3, "args": {"dataloader_drop_last": True}}),
        (6, {"batch_size": 2, "args": {"max_steps": 4}}),
    ],
)
def test_its_schedule_is_the_steps_that_it_takes(base, row, context, rows, options):
    plugin = trainer(**options)
    said = []
    context.report = lambda done, total, what: said.append((done, total))
    plugin.train(base, [row(number) for number in range(rows)], (), context)
    planned = plugin.schedule(rows)
    assert said[-1] == (planned.steps, planned.steps)
    seen = log(context)[-1]["epoch"]
    assert planned.passes == pytest.approx(seen, abs=0.2)


def test_one_seed_gives_equal_bytes_and_another_does_not(base, row, another):
    train = [row(number) for number in range(9)]
    found = []
    for seed in (1, 1, 2):
        context = another(seed=seed)
        trainer(dropout=0.1).train(base, train, (), context)
        found.append(bytes_of(context))
    assert found[0] == found[1] != found[2]


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("way", ["flat", "padded", "all positions"])
def test_loss_and_gradients_equal_the_plain_trainers(base, row, context, tmp_path, way):
    """Two unequal batches in one step: a mean of means would differ."""
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    from harness_transformers import layouts, training
    from harness_transformers.chats import Chats

    plugin = trainer(accumulation=2, batch_size=3)
    chats = Chats.of(base)
    tokenizer = chats.tokenizer
    long = "list of names value first last open close count find red blue"
    train = [row(0, "a"), row(5, long), row(2), row(8, "of"), row(7, "list of names"), row(1)]
    encoded = chats.training_rows(train, plugin.options)

    def settings(folder):
        return TrainingArguments(
            str(tmp_path / folder), per_device_train_batch_size=3, gradient_accumulation_steps=2,
            use_cpu=True, train_sampling_strategy="sequential", remove_unused_columns=False,
            max_steps=1, learning_rate=0.1, optim="sgd", max_grad_norm=0, save_strategy="no",
            logging_steps=1, disable_tqdm=True, dataloader_pin_memory=False,
            lr_scheduler_type="constant",
        )  # fmt: skip

    def result(make):
        torch.manual_seed(3)
        model = plugin._adapted(base)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1)
        with make(model) as made:
            made.train()
        loss = next(entry["loss"] for entry in made.state.log_history if "loss" in entry)
        return loss, {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}

    @contextlib.contextmanager
    def plain(model):
        data = [{"input_ids": e.input_ids, "labels": e.labels} for e in encoded]
        collate = DataCollatorForSeq2Seq(tokenizer, padding=True)
        made = Trainer(model, settings("plain"), train_dataset=data, data_collator=collate)
        from transformers import PrinterCallback

        made.remove_callback(PrinterCallback)
        yield made

    @contextlib.contextmanager
    def ours(model):
        device = "cpu" if way == "flat" else "another"
        with layouts.chosen(model, tokenizer.pad_token_id, encoded, device) as layout:
            assert type(layout) is (layouts.Flat if way == "flat" else layouts.Padded)
            if way == "all positions":
                assert layout.chooses
                layout.chooses = False
            yield training.make(model, layout, settings("ours"), encoded, (), context)

    with quietly():
        expected_loss, expected = result(plain)
        loss, found = result(ours)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert len(found) == len(expected) > 4
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6, msg=name)


def test_rows_with_nothing_to_learn_are_refused_by_id(base, row, context):
    train = [row(1), row(2, place="data.jsonl:7"), row(3)]
    with pytest.raises(harness.DataError) as caught:
        trainer(max_length=8).train(base, train, (), context)
    assert caught.value.details == ("row-1", "data.jsonl:7", "row-3")
    assert "no token to learn" in str(caught.value)


def test_a_cut_answer_is_refused_or_counted(base, row, another):
    train = [row(1, "list of names " * 20), row(2)]
    with pytest.raises(harness.DataError, match="cuts 1 training answers") as caught:
        trainer(max_length=60).train(base, train, (), another())
    assert caught.value.details == ("row-1",)
    context = another()
    made = trainer(max_length=60, on_truncated="count").train(base, train, (), context)
    assert context.facts["truncated_rows"] == made.info["truncated_rows"] == 1


def test_a_loss_that_is_not_finite_stops_and_says_where(tiny, row, tmp_path, context):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "broken"
    shutil.copytree(tiny, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    broken = harness.Checkpoint("base", str(folder), "d")
    with pytest.raises(harness.PluginError, match=r"loss is nan after step 0 of 1 \(rows row-"):
        trainer().train(broken, [row(1), row(2)], (), context)


def test_a_rate_that_blows_the_weights_up_is_noticed(base, row, context):
    train = [row(number) for number in range(12)]
    message = r"(the loss is (nan|inf) after|training is not finite at) step \d+ of 12 \("
    with pytest.raises(harness.PluginError, match=message) as caught:
        trainer(learning_rate=1e38, epochs=4, args={"max_grad_norm": 0}).train(
            base, train, (), context
        )
    assert "learning_rate" in caught.value.hint


def test_cancellation_stops_after_the_step(base, row, context):
    done = []
    context.report = lambda step, total, what: done.append(step)
    context.cancelled = lambda: bool(done) and done[-1] == 2
    with pytest.raises(harness.Cancelled):
        trainer(batch_size=1).train(base, [row(n) for n in range(6)], (), context)
    assert done[-1] == 2


@pytest.mark.nightly
@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_it_trains_on_a_quantised_base(base, row, context, bits, capfd):
    train = [row(number) for number in range(8)]
    options = {"quantization": bits, "precision": "bf16", "epochs": 6, "learning_rate": 0.02}
    made = trainer(**options).train(base, train, (), context)
    losses = [entry["loss"] for entry in log(context) if "loss" in entry]
    assert losses[-1] < losses[0]
    assert made.kind == "adapter"
    assert capfd.readouterr() == ("", "")


def test_named_layers_only(base, row, context):
    from safetensors.torch import load_file

    trainer(target_modules=["q_proj", "v_proj"]).train(base, [row(1)], (), context)
    weights = load_file(context.output / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in weights} == {"q_proj", "v_proj"}


@pytest.mark.parametrize("key", sorted(OWNED))
def test_what_the_harness_owns_cannot_be_set(key):
    with pytest.raises(ValidationError, match=f"'{key}' belongs to the harness: use"):
        trainer(args={key: 1})


@pytest.mark.parametrize("key", sorted(IGNORED))
def test_what_would_change_nothing_is_refused_with_the_reason(key):
    assert key in arguments.names()
    with pytest.raises(ValidationError, match=f"'{key}' would change nothing: {IGNORED[key]}"):
        trainer(args={key: 1})


@pytest.mark.parametrize("key", sorted(UNLIKE))
def test_what_would_mean_something_else_is_refused_with_the_reason(key):
    assert key in arguments.names()
    with pytest.raises(ValidationError, match=f"'{key}' would not do what .*: {UNLIKE[key]}"):
        trainer(args={key: 1})


def test_every_tracker_of_transformers_is_known():
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    assert set(arguments.TRACKERS) == set(INTEGRATION_TO_CALLBACK)


def test_one_of_several_gpus_is_used_and_it_is_said(base, row, context, monkeypatch):
    """The count alone is simulated: that CUDA then computes on that device is not shown here."""
    import functools

    from transformers import TrainingArguments

    real = TrainingArguments._setup_devices.func

    def two(arguments):
        device = real(arguments)
        arguments._n_gpu = 2
        return device

    kept = functools.cached_property(two)
    kept.__set_name__(TrainingArguments, "_setup_devices")
    monkeypatch.setattr(TrainingArguments, "_setup_devices", kept)

    def wrap(*_, **__):
        raise AssertionError("the model is wrapped in DataParallel")

    monkeypatch.setattr(torch.nn.DataParallel, "__init__", wrap)
    trainer(batch_size=2).train(base, [row(number) for number in range(8)], (), context)
    assert len([entry for entry in log(context) if "loss" in entry]) == 4
    assert context.facts["remarks"] == [
        "2 GPUs are visible and training used one of them, cpu; processes: auto uses all, "
        "CUDA_VISIBLE_DEVICES chooses which"
    ]


def test_one_gpu_needs_no_word(base, row, context):
    trainer().train(base, [row(1)], (), context)
    assert "remarks" not in context.facts


def test_an_unknown_training_argument_is_refused_without_loading_transformers():
    import subprocess
    import sys

    code = (
        "import sys; from harness_transformers.lora import LoraTrainer\n"
        "try: LoraTrainer.Options(args={'max_grad_nrm': 1})\n"
        "except ValueError as error: print(error)\n"
        "LoraTrainer.Options(args={'max_grad_norm': 1.0, 'report_to': 'none'})\n"
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "no TrainingArguments key 'max_grad_nrm', did you mean 'max_grad_norm'?" in done.stdout
    assert done.stdout.endswith("False False\n")


def test_a_value_that_transformers_refuses_is_a_config_error(base, row, context):
    with pytest.raises(harness.ConfigError, match=r"train.args: transformers refuses"):
        trainer(args={"optim": "none-such"}).train(base, [row(1)], (), context)


def test_other_training_arguments_reach_the_trainer(base, row, context):
    train = [row(number) for number in range(8)]
    trainer(args={"max_steps": 3}).train(base, train, (), context)
    assert [entry["step"] for entry in log(context) if "loss" in entry] == [1, 2, 3]


def test_gradients_pass_through_4_bits_after_a_validation(wide):
    """What is computed in eval mode must not change what the adapter learns afterwards."""
    plugin = LoraTrainer(LoraTrainer.Options(r=2, quantization="4bit"))
    quantised = replace(wide, info={"quantization": "4bit"})
    with quietly():
        torch.manual_seed(2)
        model = plugin._adapted(quantised)
    ids = torch.arange(2, 14)[None]

    def gradients():
        model.zero_grad(set_to_none=True)
        model.train()(input_ids=ids).logits.float().square().mean().backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    before = gradients()
    with torch.no_grad():
        model.eval()(input_ids=ids)
    after = gradients()
    assert before.keys() == after.keys() and len(before) > 20
    for name, gradient in before.items():
        torch.testing.assert_close(after[name], gradient, rtol=0, atol=0, msg=name)


def test_a_disk_that_is_full_when_weights_are_saved_is_no_fault_of_the_trainer(tmp_path):
    """The library that writes them says so in its text alone."""
    import errno
    import resource

    from safetensors import SafetensorError
    from safetensors.torch import save_file

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, before[1]))
    try:
        with pytest.raises(SafetensorError) as caught:
            save_file({"weight": torch.zeros(2_000)}, tmp_path / "adapter.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    too_large, full = f"os error {errno.EFBIG}", f"os error {errno.ENOSPC}"
    found = harness.machine_trouble(caught.value)
    assert found is not None and "larger than is allowed" in found.what
    found = harness.machine_trouble(SafetensorError(caught.value.args[0].replace(too_large, full)))
    assert found is not None and "the disk is full" in found.what
    assert harness.machine_trouble(SafetensorError("a header is wrong")) is None
