from __future__ import annotations

import json

import pytest

import harness
from harness_transformers.lora import LoraTrainer
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")
modeling_utils = Later("transformers.modeling_utils")
attention = Later("harness_transformers.kernels.attention")
greedy = Later("harness_transformers.greedy")
layouts = Later("harness_transformers.layouts")

LENGTHS = (9, 3, 150, 1, 40)


def encoded(vocabulary: int, lengths=LENGTHS, shared=0):
    """Rows of random tokens, of which so many are the same at the beginning of each."""
    from harness_transformers.encoding import IGNORED, Encoded

    generator = torch.Generator().manual_seed(5)
    rows = []
    prefix = list(range(3, 3 + shared))
    for number, length in enumerate(lengths):
        ids = torch.randint(3, vocabulary, (length,), generator=generator).tolist()
        ids = prefix + ids[shared:]
        unlearned = max(length // 2, shared + 1)
        labels = [IGNORED] * unlearned + ids[unlearned:]
        rows.append(Encoded(f"row-{number}", ids, labels, truncated=False))
    return rows


def items(rows):
    return [
        {"row": number, "input_ids": row.input_ids, "labels": row.labels}
        for number, row in enumerate(rows)
    ]


def adapted(checkpoint, targets="all-linear"):
    options = {"r": 2, "precision": "fp32", "target_modules": targets}
    with quietly():
        torch.manual_seed(2)
        model = LoraTrainer(LoraTrainer.Options(**options))._adapted(checkpoint)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def computed(model, layout, rows):
    """The learned tokens' logits, row by row, and the gradients of their sum of squares."""
    found = layout.learned(model, layout(items(rows)))
    found.logits.square().mean().backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    model.zero_grad(set_to_none=True)
    return found.logits.detach(), found.wanted.tolist(), found.places.tolist(), gradients


@pytest.mark.nightly(but_each=28)
@pytest.mark.parametrize(
    ("lengths", "shared"), [(LENGTHS, 0), ((30, 150, 14), 12), ((133, 150, 140), 130)]
)
def test_flat_rows_compute_what_padded_ones_do_or_are_not_used(architecture, lengths, shared):
    """Rows of unlike lengths, one of a single token, some of more than a block of queries."""
    model = adapted(architecture.base, architecture.made.targets)
    rows = encoded(320, lengths, shared)
    expected = computed(model, layouts.Padded(model, 0), rows)
    with layouts.chosen(model, 0, rows, "cpu") as layout:
        assert isinstance(layout, layouts.Flat) == (architecture.name in FLAT)
        found = computed(model, layout, rows)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    assert found[1:3] == expected[1:3]
    for name, gradient in expected[3].items():
        if gradient is not None:
            torch.testing.assert_close(found[3][name], gradient, rtol=1e-3, atol=1e-5, msg=name)
    if isinstance(layout, layouts.Flat):
        assert layout.shares is (architecture.name != "gpt2")  # whose dropout is on
        shared *= layout.shares
        assert len(layout(items(rows))["input_ids"][0]) == sum(lengths) - shared * (len(rows) - 1)


FLAT = {"gpt-neox", "gpt2", "llama", "phi3", "qwen2", "qwen3"}
"""Not so: caps on scores (gemma2), a window of few tokens (mistral), states (mamba)."""


def test_a_model_is_afterwards_as_it_was(base):
    model = adapted(base)
    before = model.get_base_model().config._attn_implementation
    with layouts.chosen(model, 0, encoded(290), "cpu"):
        assert model.get_base_model().config._attn_implementation == attention.NAME
        assert any("forward" in vars(module) for module in model.modules() if _normed(module))
    assert model.get_base_model().config._attn_implementation == before
    assert not any("forward" in vars(module) for module in model.modules() if _normed(module))


def _normed(module):
    return type(module).__name__.endswith("RMSNorm")


def test_other_devices_and_no_rows_are_padded(base):
    model = adapted(base)
    for rows, device in ((encoded(290), "cuda"), ([], "cpu")):
        with layouts.chosen(model, 0, rows, device) as layout:
            assert isinstance(layout, layouts.Padded)


def test_a_first_token_is_learned_in_no_layout(base):
    """It would be predicted from the row before it."""
    model = adapted(base)
    rows = encoded(290, (5, 6))
    data = [{**item, "labels": item["input_ids"]} for item in items(rows)]
    for device in ("cuda", "cpu"):
        with layouts.chosen(model, 0, rows, device) as layout:
            learned = layout.learned(model, layout(data))
        assert learned.wanted.tolist() == [*rows[0].input_ids[1:], *rows[1].input_ids[1:]]
        assert learned.places.tolist() == [0] * 4 + [1] * 5


def qwen2(folder, **changed):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from tests.plugins.transformers.conftest import save_tokenizer

    save_tokenizer(folder)
    config = Qwen2Config(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_window_layers=0, **changed,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return harness.Checkpoint("base", str(folder), "d")


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(
    ("changed", "flat"),
    [
        ({"sliding_window": 149, "use_sliding_window": True}, False),
        ({"sliding_window": 150, "use_sliding_window": True}, True),
        ({"attention_dropout": 0.1}, True),
    ],
    ids=["window too short", "window long enough", "dropout"],
)
def test_windows_and_dropout_of_attention(tmp_path, changed, flat):
    """Windows that are shorter than a row are not known; dropout is drawn as PyTorch draws it."""
    model, rows = adapted(qwen2(tmp_path, **changed)), encoded(290)
    expected = computed(model, layouts.Padded(model, 0), rows)
    with layouts.chosen(model, 0, rows, "cpu") as layout:
        assert isinstance(layout, layouts.Flat) is flat
        found = computed(model, layout, rows)
        torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
        assert not flat or layout.shares is ("attention_dropout" not in changed)
        again = computed(model.train(), layout, rows)
        assert torch.equal(again[0], found[0]) is ("attention_dropout" not in changed)


@pytest.mark.parametrize("learned", [3, 5, 6, 20])
def test_a_shared_prefix_ends_before_what_predicts_a_learned_token(learned):
    """Token 5 is the last in common; a row whose answer begins earlier ends the prefix, too."""
    one, other = encoded(290, (10, 20))
    ids = [one.input_ids[:6] + row.input_ids[6:] for row in (one, other)]
    labels = [[layouts.IGNORED] * learned + row[learned:] for row in ids]
    data = [
        {"row": number, "input_ids": row, "labels": said}
        for number, (row, said) in enumerate(zip(ids, labels, strict=True))
    ]
    shared = {3: 0, 5: 4, 6: 5, 20: 6}[learned]
    batch = layouts.Flat()(data)
    assert batch["ends"].tolist() == [shared, 10, 30 - shared]
    assert batch["position_ids"][0].tolist() == [*range(10), *range(shared, 20)]
    assert (batch["labels"] != layouts.IGNORED).sum() == sum(max(0, n - learned) for n in (10, 20))
    assert layouts.Flat(shares=False)(data)["ends"].tolist() == [0, 10, 30]


def test_a_mask_of_the_models_own_is_not_left_out():
    """Doge learns which tokens are attended to, and hands that to attention as a mask."""
    from transformers import AutoModelForCausalLM, DogeConfig

    config = DogeConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    for name, parameter in model.named_parameters():
        if name.endswith(".A"):
            torch.nn.init.normal_(parameter)
    rows = encoded(290)
    with layouts.chosen(model, 0, rows, "cpu") as layout:
        assert isinstance(layout, layouts.Padded)
    assert not greedy.suits(model, [row.input_ids for row in rows], 4)


def test_flat_rows_are_compared_with_the_models_own_attention(base, monkeypatch):
    """A kernel that is wrong about each row in the same way: here it forgets its scale."""
    plain, model, rows = attention.flat_attention, adapted(base), encoded(290)
    monkeypatch.setitem(
        modeling_utils.ALL_ATTENTION_FUNCTIONS._global_mapping, attention.NAME,
        lambda *args, **named: plain(*args, **{**named, "scaling": 1.0}),
    )  # fmt: skip
    with layouts.chosen(model, 0, rows, "cpu") as layout:
        assert isinstance(layout, layouts.Padded)


def test_a_window_that_only_a_row_of_valid_goes_beyond(tmp_path, row, another):
    """Its loss before the first step is that of the base model, whose adapter is empty."""
    from harness_transformers import loading
    from harness_transformers.chats import Chats

    options = LoraTrainer.Options(r=2, epochs=1, batch_size=2, precision="fp32")
    train, valid = [row(n) for n in range(4)], [row(4, "list of names " * 60)]
    base = qwen2(tmp_path, sliding_window=150, use_sliding_window=True)
    chats = Chats.of(base)
    assert max(len(one.input_ids) for one in chats.training_rows(train, options)) < 150
    (long,) = chats.training_rows(valid, options)
    assert len(long.input_ids) > 150
    context = another()
    LoraTrainer(options).train(base, train, valid, context)
    first = json.loads((context.output / "log.jsonl").read_text().splitlines()[0])
    ids, labels = torch.tensor([long.input_ids]), torch.tensor([long.labels])
    with torch.no_grad():
        expected = loading.base_of(base, torch.float32).eval()(input_ids=ids, labels=labels).loss
    assert first["eval_loss"] == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.nightly
def test_gradient_checkpointing_gives_the_same_adapter(base, row, another):
    found = []
    for args in ({}, {"gradient_checkpointing": True}):
        context = another()
        options = LoraTrainer.Options(r=2, epochs=1, batch_size=2, precision="fp32", args=args)
        LoraTrainer(options).train(base, [row(n) for n in range(4)], (), context)
        found.append(_weights(context))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=1e-4, atol=1e-5)


def _weights(context):
    from safetensors.torch import load_file

    return load_file(context.output / "adapter_model.safetensors")
