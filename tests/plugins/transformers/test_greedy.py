from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness_transformers import loading
from harness_transformers.stops import Stops
from tests.support.later import Later

torch = Later("torch")
modeling_utils = Later("transformers.modeling_utils")
greedy = Later("harness_transformers.greedy")
decoding = Later("harness_transformers.kernels.decoding")
state = Later("harness_transformers.slots")

STOPS = Stops(frozenset(range(1, 30)))


@pytest.fixture(scope="module")
def model(base):
    return loading.base_of(base, torch.float32).eval()


def generated(model, prompts, limit, stops=STOPS):
    """What ``model.generate`` answers to each prompt alone."""
    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False,
            eos_token_id=sorted(stops.tokens) or [10_000],
        )  # fmt: skip
        found.append(out[0, len(prompt) :].tolist())
    return found


def answered(model, prompts, limit, most, stops=STOPS):
    """What the decoder answers, in the order of the prompts."""
    found = dict(greedy.Greedy(model, stops, most, lambda: None).answers(prompts, limit))
    return [found[number] for number in range(len(prompts))]


def prompts(seed, beginning, most=11):
    torch.manual_seed(seed)
    rest = [torch.randint(2, 300, (1 + 3 * k % most,)).tolist() for k in range(9)]
    return [[*beginning, *tokens] for tokens in rest]


@pytest.mark.nightly(but_each=14)
@pytest.mark.parametrize("beginning", [(), (5, 6, 7, 8)], ids=["nothing shared", "shared"])
@pytest.mark.parametrize("seed", range(6))
def test_it_answers_what_generate_answers_however_many_at_a_time(model, beginning, seed):
    asked = prompts(seed, beginning)
    assert greedy.shared(asked) >= len(beginning)
    wanted = generated(model, asked, 20)
    assert len(set(map(len, wanted))) > 1  # so slots are freed at different times
    for most in (1, 4, 32):
        assert answered(model, asked, 20, most) == wanted


@pytest.mark.nightly
def test_long_prompts_and_answers_beyond_the_first_places(model):
    torch.manual_seed(3)
    lengths = (3 * decoding.BLOCK + 5, decoding.BLOCK + 1, decoding.BLOCK, 2)
    asked = [[7, 8, *torch.randint(2, 300, (length,)).tolist()] for length in lengths]
    limit = state.GROWTH + 9
    never = Stops(frozenset())
    wanted = generated(model, asked, limit, never)
    for most in (2, 4):
        assert answered(model, asked, limit, most, never) == wanted


def test_freed_slots_are_filled_and_ended_answers_computed_no_more(model, monkeypatch):
    asked = prompts(1, (5,))
    first = answered(model, asked, 12, 9, Stops(frozenset()))
    stops = Stops(frozenset([first[0][2], first[4][5]]))
    sizes, plain = [], greedy._logits

    def watched(model, slots, work, *rest):
        sizes.append(len(work))
        return plain(model, slots, work, *rest)

    monkeypatch.setattr(greedy, "_logits", watched)
    found = answered(model, asked, 12, 4, stops)
    assert found == [
        row[: next((k for k, t in enumerate(row) if t in stops.tokens), 11) + 1] for row in first
    ]
    beginning, *steps = sizes
    assert beginning == 1
    assert sum(steps) == sum(map(len, found))  # each step of each answer once
    assert steps == sorted(steps, reverse=True)  # four, until no prompt waits
    assert steps[0] == 4
    assert len(steps) < sum(sorted(map(len, found), reverse=True)[k] for k in (0, 4, 8))


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("most", [1, 2, 3, 32])
def test_what_an_earlier_prompt_has_in_common_is_not_computed_again(model, monkeypatch, most):
    """Questions of two kinds in turn, one of them asked twice, one a beginning of the other."""
    torch.manual_seed(8)
    kinds = [torch.randint(2, 300, (size,)).tolist() for size in (30, 20)]
    asked = [[*kinds[k % 2], *torch.randint(2, 300, (2 + k,)).tolist()] for k in range(8)]
    asked += [list(asked[3]), asked[4][:31]]
    computed, plain = [], greedy.Slots.plan

    def watched(slots, lengths, pieces, device):
        computed.append(sum(piece.count for piece in pieces))
        plain(slots, lengths, pieces, device)

    monkeypatch.setattr(greedy.Slots, "plan", watched)
    monkeypatch.setattr(greedy, "MOST_NEW", 8)  # so that prompts do not begin together
    wanted = generated(model, asked, 15)
    assert answered(model, asked, 15, most) == wanted
    if most > 2:  # both kinds stay in a slot
        own = sum(2 + k for k in range(8))
        assert sum(computed) <= 30 + 20 + own


def test_a_step_takes_no_more_new_prompts_than_pay(model, monkeypatch):
    """Else the memory of the first step would follow from all prompts that are begun."""
    monkeypatch.setattr(greedy, "MOST_NEW", 8)
    widths, plain = [], greedy.Slots.plan

    def watched(slots, lengths, pieces, device):
        widths.append(sum(piece.count for piece in pieces))
        plain(slots, lengths, pieces, device)

    monkeypatch.setattr(greedy.Slots, "plan", watched)
    asked = prompts(2, ())
    assert answered(model, asked, 6, 9) == generated(model, asked, 6)
    assert max(widths) < 8 + max(map(len, asked))


def test_the_model_is_as_it_was_afterwards(model):
    asked = prompts(2, ())
    before = generated(model, asked[:2], 6)
    assert greedy.suits(model, asked, 6)
    decoder = greedy.Greedy(model, STOPS, 2, lambda: None).answers(asked, 6)
    next(decoder)
    decoder.close()  # interrupted
    assert model.config._attn_implementation == "sdpa"
    assert generated(model, asked[:2], 6) == before


def test_a_step_on_another_device_makes_nothing_on_the_cpu():
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class OneDevice(TorchDispatchMode):
        """Refuses tensors of two devices in one operation: GPUs do, the device `meta` does not."""

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
            assert len({one.device for one in tensors if one.dim()}) < 2, operation
            return operation(*args, **(kwargs or {}))

    slots, layer = greedy.Slots(2), SimpleNamespace(layer_idx=0)
    with OneDevice():
        slots.plan([4, 2], (state.Piece(0, 2, 3, 0), state.Piece(1, 5, 1, 0)), "meta")
        query, key = (torch.empty(1, heads, 6, 8, device="meta") for heads in (4, 2))
        found, _ = decoding.slot_attention(layer, query, key, key, None, slots=slots)
    assert (found.device.type, found.shape) == ("meta", (1, 6, 4, 8))


def test_attention_of_other_devices_is_that_of_the_cpu():
    slots = greedy.Slots(3)
    slots.plan([4, 7, 2], (), "cpu")
    torch.manual_seed(1)
    query = torch.randn(2, 2, 3, 8)
    layer = state.Layer(torch.randn(3, 2, 9, 8), torch.randn(3, 2, 9, 8))
    expected = decoding._last(query, layer, slots)
    torch.testing.assert_close(decoding._last_by_torch(query, layer, slots), expected)


@pytest.mark.parametrize(
    ("given", "length"),
    [([[1, 2, 3], [1, 2, 4]], 2), ([[1, 2]], 1), ([[1, 2], [1, 2, 3]], 1), ([[1], [1]], 0),
     ([[3, 1], [2, 1]], 0)],
)  # fmt: skip
def test_the_shared_beginning_leaves_a_token_of_each_prompt(given, length):
    assert greedy.shared(given) == length


def test_attention_that_is_not_known_is_left_to_generate(model):
    """GPT-Neo cannot be given another attention; Gemma 2 caps its scores."""
    from transformers import AutoModelForCausalLM, Gemma2Config, GPTNeoConfig

    sizes = {"vocab_size": 300, "hidden_size": 32, "max_position_embeddings": 64}
    neo = GPTNeoConfig(num_layers=1, num_heads=4, attention_types=[[["global"], 1]], **sizes)
    capped = Gemma2Config(
        num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=64, layer_types=["full_attention"], **sizes,
    )  # fmt: skip
    asked = [[5, 6, 7], [8, 9]]
    assert greedy.suits(model, asked, 9)
    for config in (neo, capped):
        other = AutoModelForCausalLM.from_config(config).eval()
        assert not greedy.suits(other, asked, 9)
        assert other(torch.tensor(asked[:1])).logits.isfinite().all()  # as it was


def test_a_model_that_answers_otherwise_is_left_to_generate(model, monkeypatch):
    """Whatever the reason: here attention that forgets its scale."""
    plain = decoding.slot_attention
    asked = [[5, 6, 7, 9], [8, 9, 4]]
    monkeypatch.setitem(
        modeling_utils.ALL_ATTENTION_FUNCTIONS._global_mapping, decoding.NAME,
        lambda *args, **named: plain(*args, **{**named, "scaling": 1.0}),
    )  # fmt: skip
    assert not greedy.suits(model, asked, 9)


@pytest.mark.parametrize(
    "rope",
    [{"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [4.0] * 4,
       "factor": 8.0, "original_max_position_embeddings": 16},
     {"rope_type": "dynamic", "factor": 4.0}],
    ids=lambda rope: rope["rope_type"],
)  # fmt: skip
def test_positions_that_stretch_are_left_to_generate_one_by_one(tiny, row, context, tmp_path, rope):
    """A batch would stretch its short prompts as far as its longest one."""
    import json
    import shutil

    from harness.records import Checkpoint
    from harness_transformers.chats import Chats
    from harness_transformers.generator import TransformersGenerator

    folder = tmp_path / "stretched"
    shutil.copytree(tiny, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config |= {"rope_parameters": {"rope_theta": 10000.0, **rope}, "max_position_embeddings": 16}
    path.write_text(json.dumps(config))
    base = Checkpoint("base", str(folder), "s", "stretched")
    chats = Chats.of(base)
    assert chats.context == 16 * rope["factor"]
    stretched = loading.base_of(base, torch.float32).eval()
    assert greedy.suits(stretched, [[5] * 10, [6]], 6)
    assert not greedy.suits(stretched, [[5] * 10, [6]], 7)
    if rope["rope_type"] == "dynamic":
        return  # transformers keeps what a longer sequence stretched, so the order would decide
    examples = [row(number) for number in range(5)]
    options = TransformersGenerator.Options(max_new_tokens=10, precision="fp32")
    found = {
        p.example_id: p for p in TransformersGenerator(options).generate(base, examples, context)
    }
    asked, _ = chats.prompts(examples, 10, count=False)
    wanted = generated(stretched, asked, 10, chats.stops)
    assert [found[row.id].text for row in examples] == [chats.text(one) for one in wanted]


def test_it_can_be_stopped_at_any_step(model):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    decoder = greedy.Greedy(model, Stops(frozenset()), 2, check)
    with pytest.raises(KeyboardInterrupt):
        list(decoder.answers([[5, 6], [7, 8]], 20))
    assert len(calls) == 3
