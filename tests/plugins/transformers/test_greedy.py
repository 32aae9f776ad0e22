from __future__ import annotations

import pytest
import torch

from harness_transformers import greedy, loading
from harness_transformers.greedy import Greedy, shared
from harness_transformers.stops import Stops

STOPS = Stops(frozenset([1]))


@pytest.fixture(scope="module")
def model(base):
    return loading.base_of(base, torch.float32).eval()


def generated(model, prompts, limit):
    """What ``model.generate`` answers to each prompt alone."""
    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False
        )
        found.append(out[0, len(prompt) :].tolist())
    return found


def prompts(seed, beginning):
    torch.manual_seed(seed)
    rest = [torch.randint(2, 300, (1 + 3 * k % 11,)).tolist() for k in range(9)]
    return [[*beginning, *tokens] for tokens in rest]


@pytest.mark.parametrize("beginning", [(), (5, 6, 7, 8)], ids=["nothing shared", "shared"])
@pytest.mark.parametrize("seed", range(6))
def test_it_answers_what_generate_answers(model, beginning, seed):
    asked = prompts(seed, beginning)
    decoder = Greedy(model, asked, STOPS, 1, lambda: None)
    assert decoder.length >= len(beginning)
    assert decoder.answer(asked, 20) == generated(model, asked, 20)
    assert decoder.answer(asked[3:5], 6) == generated(model, asked[3:5], 6)


def test_answers_that_have_ended_leave_the_batch(model, monkeypatch):
    asked = prompts(1, (5,))
    first = Greedy(model, asked, STOPS, 1, lambda: None).answer(asked, 12)
    stops = [first[0][2], first[4][5]]
    sizes = []
    decoder = Greedy(model, asked, Stops(frozenset(stops)), 1, lambda: None)
    plain = decoder._logits
    monkeypatch.setattr(
        decoder, "_logits", lambda ids, *a: sizes.append(len(ids)) or plain(ids, *a)
    )
    found = decoder.answer(asked, 12)
    assert found == [
        row[: next((k for k, t in enumerate(row) if t in stops), 11) + 1] for row in first
    ]
    assert sizes[0] == 9
    assert sizes[-1] < 9
    assert sum(sizes) == sum(map(len, found))


@pytest.mark.parametrize(
    ("given", "length"),
    [([[1, 2, 3], [1, 2, 4]], 2), ([[1, 2]], 1), ([[1, 2], [1, 2, 3]], 1), ([[1], [1]], 0),
     ([[3, 1], [2, 1]], 0)],
)  # fmt: skip
def test_the_shared_beginning_leaves_a_token_of_each_prompt(given, length):
    assert shared(given) == length


def test_windows_over_places_in_the_batch_are_left_to_generate():
    """GPT-Neo's local attention would count the padding between prompt and shared beginning."""
    from transformers import AutoModelForCausalLM, GPTNeoConfig

    def neo(kind):
        config = GPTNeoConfig(
            vocab_size=300, hidden_size=32, num_layers=2, num_heads=4, window_size=6,
            attention_types=[[["global", kind], 1]], max_position_embeddings=64,
        )  # fmt: skip
        return AutoModelForCausalLM.from_config(config)

    assert greedy.suits(neo("global"), 20)
    assert not greedy.suits(neo("local"), 20)


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
    assert greedy.suits(stretched, 16)
    assert not greedy.suits(stretched, 17)
    if rope["rope_type"] == "dynamic":
        return  # transformers keeps what a longer sequence stretched, so the order would decide
    examples = [row(number) for number in range(5)]
    options = TransformersGenerator.Options(max_new_tokens=10, precision="fp32")
    found = {
        p.example_id: p for p in TransformersGenerator(options).generate(base, examples, context)
    }
    asked, _ = chats.prompts(examples, 10, count=False)
    wanted = generated(stretched, asked, 10)
    assert [found[row.id].text for row in examples] == [chats.text(one) for one in wanted]


def test_it_can_be_stopped_at_any_step(model):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    decoder = Greedy(model, [[5, 6], [7, 8]], Stops(frozenset()), 1, check)
    with pytest.raises(KeyboardInterrupt):
        decoder.answer([[5, 6], [7, 8]], 20)
    assert len(calls) == 3
