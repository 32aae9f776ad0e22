"""What a card does: equality, speed and memory beside plain transformers, in parts of minutes.

    python benchmarks/gpu.py --part doctor|equality|training|answers|ranks [--folder FOLDER]
        [--sizes 0.5B 1B 3B 8B] [--device cuda|cpu] [--minutes 7]
    python benchmarks/gpu.py --write

Nothing is downloaded: models are random weights in the shapes of common ones, made on the device by
their config, with a tokenizer of one token for each byte. A part is a list of cells, each a process
of its own whose result is a line of FOLDER (benchmarks/recorded/gpu), so that a part that is called
again goes on where it was left; after so many minutes no cell is begun. Parts:

    doctor     the card, its driver, versions, and what `harness doctor` says
    equality   losses and gradients of a batch as our layouts compute them beside rows one by one,
               and our greedy loop beside `generate`; where two answers part, how far the logits of
               the two tokens are apart, by `generate`'s forward pass
    training   tokens per second and peak memory of LoRA (r 16, all linear layers, 8 rows a step)
               beside Trainer with PEFT; `flat` is ours with the rows of a CPU's batch
    answers    new tokens per second and peak memory, 32 at a time, beside `generate`
    ranks      one process beside two that hold the model (ddp) or a half of it (fsdp); two cards

Each in bf16 and in 4 bits (NF4). `--write` puts the table into docs/devices.md. `--device cpu`,
with `--sizes tiny` and a FOLDER, walks through the same code without a card; such lines are no
part of the table.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import harness
from harness_transformers.lora import LoraTrainer

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "benchmarks" / "recorded" / "gpu"
PAGE = ROOT / "docs" / "devices.md"
REGION = re.compile(r"(?<=<!-- gpu -->\n).*?(?=<!-- /gpu -->)", re.S)
SHAPES = {
    "tiny": (512, 64, 128, 2, 4, 2, True),
    "0.5B": (151_936, 896, 4_864, 24, 14, 2, True),
    "1B": (128_256, 2_048, 8_192, 16, 32, 8, True),
    "3B": (128_256, 3_072, 8_192, 28, 24, 8, True),
    "8B": (128_256, 4_096, 14_336, 32, 32, 8, False),
}
"""Tokens, width, inner width, layers, heads, heads of keys, and whether input and output share
weights: as Qwen2.5-0.5B, Llama-3.2-1B, Llama-3.2-3B and Llama-3.1-8B have them."""
SIDES = {
    "doctor": ("doctor",),
    "equality": ("padded", "flat", "greedy"),
    "training": ("ours", "flat", "Trainer"),
    "answers": ("ours", "generate"),
    "ranks": ("one", "ddp", "fsdp"),
}
BITS = ("bf16", "4bit")
LIBRARIES = ("torch", "transformers", "peft", "accelerate", "bitsandbytes")
STEPS = {"tiny": 3}
"""Of a training that is timed; else 12."""
TOKENS = {"tiny": 8}
"""Of an answer; else 128."""
LONGEST = 470
"""Seconds of a part, whatever it is at."""
TEMPLATE = (
    "{% for turn in messages %}<|start|>{{ turn['role'] }}: {{ turn['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant: {% endif %}"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=SIDES)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--sizes", nargs="+", choices=SHAPES, default=[*SHAPES][1:])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell:
        import gpu  # ranks import the trainer by this name

        print(json.dumps(gpu.cell(*json.loads(given.cell))))
    elif given.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(REGION.sub(lambda _: table(RECORDED), text), encoding="utf-8")
    elif given.part is None or (given.device == "cpu" and given.folder is None):
        parser.error("--part is needed, and --folder with --device cpu")
    else:
        _go_on(given)


def cells(part: str, sizes: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Part, size, bits and side of each cell, small ones first."""
    if part == "doctor":
        yield part, "", "", "doctor"
        return
    for size, bits, side in itertools.product(sizes, BITS, SIDES[part]):
        if (bits, side) != ("4bit", "fsdp"):  # refused: such weights cannot be cut
            yield part, size, bits, side


def _go_on(given: argparse.Namespace) -> None:
    """Do the cells of a part that are not done, for as long as there is time."""
    folder = given.folder or RECORDED
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        one for one in cells(given.part, given.sizes) if one not in done(folder, given.device)
    ]
    begun, taken = time.monotonic(), {"": 0.0}
    for number, one in enumerate(wanted):
        gone = time.monotonic() - begun
        if gone and gone + 1.5 * max(taken.values()) > 60 * given.minutes:
            print(f"{len(wanted) - number} of {len(wanted)} are left: call it again")
            return
        since = time.monotonic()
        result = _measured(one, given.device, LONGEST - gone)
        if result is None and gone:
            print(f"{' '.join(one)}: no time is left for it: call it again")
            return
        taken[one[1]] = time.monotonic() - since
        result = result or {"failed": f"not within {LONGEST} s"}
        names = dict(zip(("part", "size", "bits", "side"), one, strict=True))
        line = {**names, "device": given.device, **_machine(given.device), **result}
        with (folder / f"{given.part}.jsonl").open("a", encoding="utf-8") as stream:
            stream.write("\n" + json.dumps(line) + "\n")  # a killed part's line ends here
        print(f"{' '.join(filter(None, one))}: {json.dumps(result)[:200]}", flush=True)
    print("the part is done")


def done(folder: Path, device: str = "cuda") -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """The lines of a folder by their cells; a line that was cut does not count."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if line["device"] == device:
                found[line["part"], line["size"], line["bits"], line["side"]] = line
    return found


def _measured(one: Sequence[str], device: str, seconds: float) -> dict[str, Any] | None:
    """What a cell gives; None where the time was too short."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    places = [str(Path(__file__).parent), str(ROOT), kept.get("PYTHONPATH", "")]
    environment = {**kept, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    call = [sys.executable, __file__, "--cell", json.dumps([*one, device])]
    try:
        ended = subprocess.run(
            call, env=environment, capture_output=True, text=True, timeout=max(1.0, seconds)
        )
    except subprocess.TimeoutExpired:
        return None
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        return {"failed": lines[-1][:300]}
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def _machine(device: str) -> dict[str, Any]:
    """The card, its driver, and versions."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    if device == "cpu":
        return {"card": "", "driver": "", "versions": versions}
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        said = ""
    card, _, driver = said.partition("\n")[0].partition(", ")
    return {"card": card, "driver": driver, "versions": versions}


# -- models and rows -----------------------------------------------------------------------


def model_of(folder: Path, size: str, bits: str) -> harness.Checkpoint:
    """A folder with a config and a tokenizer; weights are made where they are asked for."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: n for n, word in enumerate(["<|start|>", "<|end|>", *alphabet])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<|start|>", "<|end|>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    words, width, inner, layers, heads, keys, tied = SHAPES[size]
    LlamaConfig(
        vocab_size=words, hidden_size=width, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=keys, tie_word_embeddings=tied,
        max_position_embeddings=4096, bos_token_id=None, eos_token_id=1, pad_token_id=1,
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(folder)  # fmt: skip
    info = {"quantization": bits} if bits == "4bit" else {}
    return harness.Checkpoint("base", str(folder), f"{size}", f"random {size}", info=info)


def random_base(checkpoint: harness.Checkpoint, dtype: Any) -> Any:
    """In place of ``loading.base_of``: the same weights in every process."""
    import torch
    from transformers import LlamaForCausalLM

    from harness_transformers import devices, loading

    config = loading.config_of(checkpoint)
    random_states = torch.get_rng_state()
    torch.manual_seed(1)
    with torch.device(devices.current().type):
        model = LlamaForCausalLM._from_config(config, dtype=dtype)
    torch.set_rng_state(random_states)
    bits = checkpoint.info.get(loading.QUANTIZATION)
    if bits is None:
        return model
    weights = model.state_dict()
    if config.tie_word_embeddings:
        del weights["lm_head.weight"]
    return LlamaForCausalLM.from_pretrained(
        None, config=config, state_dict=weights, dtype=dtype,
        quantization_config=loading._bits(bits, dtype),
    )  # fmt: skip


class RandomLora(LoraTrainer):
    """The trainer `lora` upon random weights, in each of its processes."""

    def work(self, *given: Any) -> Any:
        from harness_transformers import loading

        loading.base_of = random_base
        return super().work(*given)


def rows_of(number: int, size: str) -> list[harness.Example]:
    """Prompts of 50 to 400 tokens with answers of 10 to 60; of a tiny model a tenth of it."""
    draw, part = random.Random(1), 10 if size == "tiny" else 1
    letters = "abcdefghijklmnopqrstuvwxyz "

    def text(least: int, most: int) -> str:
        count = draw.randint(least // part, most // part)
        return "".join(draw.choice(letters) for _ in range(max(1, count)))

    return [
        harness.Example(
            f"row-{n}", ({"role": "user", "content": text(50, 400)},), (text(10, 60),), "train"
        )
        for n in range(number)
    ]


# -- cells ---------------------------------------------------------------------------------


def cell(part: str, size: str, bits: str, side: str, device: str) -> dict[str, Any]:
    """What one cell gives."""
    import torch

    from harness_transformers import loading
    from harness_transformers.quiet import quietly

    if part == "doctor":
        return _doctor()
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch finds no card here")
    if part == "ranks" and side != "one" and device == "cuda" and torch.cuda.device_count() < 2:
        raise SystemExit("needs two cards")
    loading.base_of = random_base
    with tempfile.TemporaryDirectory() as name, quietly():
        base = model_of(Path(name), size, bits)
        make = {"equality": _equality, "training": _training, "answers": _answers, "ranks": _ranks}
        return make[part](base, size, side, Path(name) / "out")


def _doctor() -> dict[str, Any]:
    program = "from harness.cli import main; main()"
    call = [sys.executable, "-c", program, "doctor", "--json"]
    said = subprocess.run(call, capture_output=True, text=True)
    return {"doctor": json.loads(said.stdout), "exit": said.returncode}


def _memory() -> int:
    from harness_transformers import devices, memory

    return memory.peak(devices.current().type) or 0


def _equality(base: harness.Checkpoint, size: str, side: str, out: Path) -> dict[str, Any]:
    return _answers_alike(base, size) if side == "greedy" else _layouts_alike(base, side)


def _layouts_alike(base: harness.Checkpoint, side: str) -> dict[str, Any]:
    """Relative errors of a batch's losses and of the adapter's gradients, beside PEFT's own layers
    on rows one by one."""
    import torch
    from peft import LoraConfig, get_peft_model

    from harness_transformers import devices, layouts, loading
    from harness_transformers.chats import Chats
    from harness_transformers.kernels import attention
    from harness_transformers.kernels.installing import installed
    from harness_transformers.kernels.loss import token_losses
    from harness_transformers.state import trained

    bits = base.info.get(loading.QUANTIZATION)
    options = LoraTrainer.Options(r=16, precision="bf16", dropout=0.0, quantization=bits)
    chats = Chats.of(base)
    rows = chats.training_rows(rows_of(4, base.digest), options)
    lines = [
        {"row": n, "input_ids": list(row.input_ids), "labels": list(row.labels)}
        for n, row in enumerate(rows)
    ]
    pad, device = chats.tokenizer.pad_token_id, devices.current().type

    def computed(model: Any, batches: Sequence[Any], layout: Any) -> tuple[Any, Any]:
        found = []
        for batch in batches:
            on_device = {name: value.to(device) for name, value in layout(batch).items()}
            learned = layout.learned(model, on_device)
            losses = token_losses(learned.logits, learned.wanted)
            losses.sum().backward()
            order = learned.places.argsort(stable=True)
            found.append(losses.detach()[order].double().cpu())
        parts = [p.grad.flatten().double().cpu() for _, p in trained(model) if p.grad is not None]
        return torch.cat(found), torch.cat(parts)

    def adapted(ours: bool) -> Any:
        torch.manual_seed(2)
        if ours:
            return LoraTrainer(options)._adapted(base).to(device)
        model = loading.base_of(base, torch.bfloat16)
        if bits:
            from peft import prepare_model_for_kbit_training

            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
            loading.keep_gradients(model)
        config = LoraConfig(
            r=options.r, lora_alpha=options.alpha, target_modules="all-linear",
            task_type="CAUSAL_LM", lora_dropout=0.0,
        )  # fmt: skip
        return get_peft_model(model, config).to(device)

    plain = adapted(False).eval()
    losses, gradients = computed(plain, [[line] for line in lines], layouts.Padded(plain, pad))
    del plain
    model = adapted(True).eval()
    if side == "padded":
        mine = computed(model, [lines], layouts.Padded(model, pad))
    else:
        with installed(model.get_base_model(), attention.NAME):
            mine = computed(model, [lines], layouts.Flat())
    apart = (mine[0] - losses).abs().max() / losses.abs().max()
    return {
        "losses": float(apart),
        "gradients": float((mine[1] - gradients).norm() / gradients.norm()),
    }


def _prompts(base: harness.Checkpoint, size: str, number: int) -> tuple[Any, list[list[int]]]:
    from harness_transformers.chats import Chats

    chats = Chats.of(base)
    found = chats.prompts(rows_of(number, size), TOKENS.get(size, 128), count=False)[0]
    return chats, sorted(found, key=len, reverse=True)


def _ours(model: Any, chats: Any, prompts: Any, size: str) -> list[list[int]]:
    from harness_transformers import greedy

    limit = TOKENS.get(size, 128)
    if not greedy.suits(model, prompts, limit):
        raise SystemExit("the model is left to generate")
    decoder = greedy.Greedy(model, chats.stops, 32, lambda: None)
    return [tokens for _, tokens in sorted(decoder.answers(prompts, limit))]


def _generate(model: Any, chats: Any, prompts: Any, size: str) -> list[list[int]]:
    import torch

    pad, answers = chats.tokenizer.pad_token_id, []
    for start in range(0, len(prompts), 32):
        batch = prompts[start : start + 32]
        width = max(map(len, batch))
        ids = torch.full((len(batch), width), pad)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(batch):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        with torch.inference_mode():
            made = model.generate(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device),
                max_new_tokens=TOKENS.get(size, 128), do_sample=False,
                eos_token_id=sorted(chats.stops.tokens), pad_token_id=pad,
            )  # fmt: skip
        answers += [chats.stops.cut(tokens) for tokens in made[:, width:].tolist()]
    return answers


def _ready(base: harness.Checkpoint, out: Path) -> Any:
    import torch

    from harness_transformers import adapters

    return adapters.ready(base, torch.bfloat16, harness.Context(out), merge=False)


def _answers_alike(base: harness.Checkpoint, size: str) -> dict[str, Any]:
    """How many answers are those of ``generate``; where others part, how far logits are apart."""
    import torch

    model = _ready(base, Path(base.path))
    chats, prompts = _prompts(base, size, 32)
    ours, plain = (make(model, chats, prompts, size) for make in (_ours, _generate))
    gaps = []
    for prompt, one, other in zip(prompts, ours, plain, strict=True):
        if one != other:
            place = next(k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            ids = torch.tensor([prompt + one[:place]], device=model.device)
            with torch.inference_mode():
                logits = model(input_ids=ids).logits[0, -1].double()
            gaps.append(float(logits[other[place]] - logits[one[place]]) / float(logits.std()))
    return {"answers": len(ours), "equal": len(ours) - len(gaps), "gap": max(gaps, default=0.0)}


def _training(base: harness.Checkpoint, size: str, side: str, out: Path) -> dict[str, Any]:
    """A training of two steps first, by which kernels are there and chosen."""
    steps = STEPS.get(size, 12)
    make = _trainer if side == "Trainer" else _lora
    make(base, rows_of(16, size), out / "first", side)
    seconds, tokens = make(base, rows_of(8 * steps, size), out / "second", side)
    return {"tokens_per_second": tokens / seconds, "memory": _memory(), "seconds": seconds}


def _lora(
    base: harness.Checkpoint, rows: Any, out: Path, side: str, **options: Any
) -> tuple[float, int]:
    """Seconds from the first step's beginning to the last one's end, and tokens; ours."""
    from harness_transformers import layouts

    out.mkdir(parents=True)
    times: list[float] = []
    context = harness.Context(out, seed=1, report=lambda *_: times.append(time.perf_counter()))
    made = RandomLora.Options(
        r=16, batch_size=8, precision="bf16", epochs=1, dropout=0.0,
        quantization=base.info.get("quantization"), **{"processes": 1, **options},
    )  # fmt: skip
    chosen = layouts.chosen
    if side == "flat":
        layouts.chosen = lambda model, pad, all_, _: chosen(model, pad, all_, "cpu")
    try:
        RandomLora(made).train(base, rows, (), context)
    finally:
        layouts.chosen = chosen
    if side in ("ddp", "fsdp"):
        _RANKS.update(memory=context.facts["memory"], ranks=context.facts["ranks"])
    return times[-1] - times[0], context.facts["tokens"]


_RANKS: dict[str, Any] = {}
"""What the last training of several processes told of itself."""


def _trainer(base: harness.Checkpoint, rows: Any, out: Path, side: str) -> tuple[float, int]:
    """The same by transformers' Trainer with PEFT."""
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments

    from datasets import Dataset
    from harness_transformers import devices
    from harness_transformers.chats import Chats

    chats = Chats.of(base)
    encoded = chats.training_rows(rows, LoraTrainer.Options())
    lines = [{"input_ids": list(r.input_ids), "labels": list(r.labels)} for r in encoded]
    model = random_base(base, torch.bfloat16)
    if base.info.get("quantization"):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    times: list[float] = []

    class Watch(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

        on_step_end = on_train_begin

    arguments = TrainingArguments(
        str(out), per_device_train_batch_size=8, num_train_epochs=1, save_strategy="no",
        report_to="none", disable_tqdm=True, learning_rate=3e-4, bf16=True,
        use_cpu=devices.current().type == "cpu",
    )  # fmt: skip
    Trainer(
        model=get_peft_model(model, config), args=arguments, callbacks=[Watch()],
        train_dataset=Dataset.from_list(lines),
        data_collator=DataCollatorForSeq2Seq(chats.tokenizer),
    ).train()  # fmt: skip
    return times[-1] - times[0], sum(len(row.input_ids) for row in encoded)


def _answers(base: harness.Checkpoint, size: str, side: str, out: Path) -> dict[str, Any]:
    model = _ready(base, Path(base.path))
    make = _ours if side == "ours" else _generate
    chats, prompts = _prompts(base, size, 64)
    make(model, chats, prompts[-4:], size)
    begun = time.perf_counter()
    made = make(model, chats, prompts, size)
    seconds = time.perf_counter() - begun
    tokens = sum(map(len, made))
    return {"tokens_per_second": tokens / seconds, "memory": _memory(), "seconds": seconds}


def _ranks(base: harness.Checkpoint, size: str, side: str, out: Path) -> dict[str, Any]:
    rows = rows_of(8 * STEPS.get(size, 12), size)
    if side == "one":
        seconds, tokens = _lora(base, rows, out, side)
        return {"tokens_per_second": tokens / seconds, "memory": _memory(), "seconds": seconds}
    seconds, tokens = _lora(base, rows, out, side, processes=2, strategy=side)
    return {"tokens_per_second": tokens / seconds, "seconds": seconds, **_RANKS}


# -- the table -----------------------------------------------------------------------------

NOTHING = (
    "*Empty*: no card was at hand where this was written. `python benchmarks/gpu.py --part NAME` "
    "fills it (`doctor`,\n`equality`, `training`, `answers`, `ranks`; each takes less than eight "
    "minutes, goes on where it was left, and needs no\ndownload), `--write` puts it here.\n"
)


def table(folder: Path) -> str:
    """The lines of a folder that a card gave, as Markdown."""
    lines = [line for line in done(folder).values() if line["part"] != "doctor"]
    if not lines:
        return NOTHING
    made = []
    for machine, of in itertools.groupby(sorted(lines, key=_said_of), key=_said_of):
        made += [
            f"{machine}\n\n| part | model | weights | side | result |\n|---|---|---|---|---|\n"
        ]
        made += [
            f"| {one['part']} | {one['size']} | {one['bits']} | {one['side']} | {_told(one)} |\n"
            for one in of
        ]
        made.append("\n")
    return "".join(made)


def _said_of(line: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in line["versions"].items())
    return f"{line['card']}, driver {line['driver']}; {versions}."


def _told(line: dict[str, Any]) -> str:
    if "failed" in line:
        return line["failed"].replace("|", "\\|")
    if "losses" in line:
        return f"losses within {line['losses']:.1e}, gradients within {line['gradients']:.1e}"
    if "equal" in line:
        gap = f"; others part at logits {line['gap']:.1e} deviations apart" if line["gap"] else ""
        return f"{line['equal']} of {line['answers']} answers equal{gap}"
    return f"{line['tokens_per_second']:,.0f} tokens/s, {line['memory'] / 2**30:.1f} GiB"


if __name__ == "__main__":
    main()
