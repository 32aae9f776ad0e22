"""Greedy answers of a tuned model on a CPU, beside transformers' generate.

    python benchmarks/generation.py [--prompts 64] [--tokens 96] [--repeats 3] [--least 30]
        [--most 600] [--batch 32 ...] [--sides ours peft-8 merged-32] [--adapter FOLDER]

First an adapter is trained to write the docstrings of functions (r 16 on all linear layers, 96
short rows once), which end by themselves after a few tokens or many. Then each side answers the
same prompts, functions of other modules of the standard library, in a process of its own; sides
take turns, alone on the machine, and the least seconds of the repeats count. New tokens are counted
up to each answer's end. Sides:

    ours       what the generator does, adapter beside the weights; --batch gives several sizes
    peft-8     generate with PEFT, adapter not merged, 8 prompts at a time as they come
    merged-32  generate, adapter merged, 32 prompts at a time, sorted by length

All in bf16; then ours and generate (`peft-8`) in float32 once, whose texts are compared: where two
differ, the two logits at the first token that differs are shown (a tie: within 1e-4). A line is
added to benchmarks/recorded/generation.jsonl. The base model is the one of the default run, in the
cache once `harness iterate` has been called.
"""

from __future__ import annotations

import argparse
import ast
import bisect
import json
import os
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import harness

RECORDED = Path(__file__).parent / "recorded" / "generation.jsonl"
SIDES = ("ours", "peft-8", "merged-32")
LEARNED = ("argparse", "ast", "configparser", "csv", "datetime", "inspect", "logging", "random")
ASKED = (
    "calendar", "cmd", "difflib", "fnmatch", "ftplib", "gettext", "heapq", "mailbox", "optparse",
    "pathlib", "pprint", "shutil", "smtplib", "string", "tarfile", "tempfile", "textwrap",
    "zipfile",
)  # fmt: skip
"""Modules of the standard library."""
REQUEST = "Write the docstring of this function."
TIE = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=96, help="longest answer")
    parser.add_argument("--least", type=int, default=30, help="tokens of the shortest prompt")
    parser.add_argument("--most", type=int, default=600, help="tokens of the longest prompt")
    parser.add_argument("--batch", type=int, nargs="+", default=[32], help="of ours")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--adapter", type=Path, help="trained before; made there if it is absent")
    parser.add_argument("--no-texts", action="store_true", help="leave float32 out")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="bf16", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(_child(given)))
        return
    with tempfile.TemporaryDirectory() as folder:
        given.adapter = given.adapter or Path(folder) / "adapter"
        if not given.adapter.is_dir():
            _run("adapter", given)
        _record(_speeds(given) | ({} if given.no_texts else _texts(given)), given)


def _record(line: dict[str, Any], given: argparse.Namespace) -> None:
    line["versions"] = {name: version(name) for name in ("torch", "transformers", "peft")}
    print(" ".join(f"{name} {number}" for name, number in line["versions"].items()))
    for name in ("prompts", "tokens", "least", "most", "repeats"):
        line[name] = getattr(given, name)
    with RECORDED.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def _speeds(given: argparse.Namespace) -> dict[str, Any]:
    sides = [
        name
        for side in given.sides
        for name in ([f"ours-{size}" for size in given.batch] if side == "ours" else [side])
    ]
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for _ in range(given.repeats):
        for side in sides:
            found[side].append(_run(side, given))
            print(".", end="", flush=True)
    print()
    best = {side: min(runs, key=lambda run: run["seconds"]) for side, runs in found.items()}
    speeds = {side: sum(map(len, run["answers"])) / run["seconds"] for side, run in best.items()}
    print(f"{'side':10}{'seconds':>9}{'new tokens':>12}{'per s':>8}{'ours':>8}{'peak':>10}")
    for side, run in best.items():
        count, ratio = sum(map(len, run["answers"])), speeds[sides[0]] / speeds[side]
        peak = f"{run['peak_mib']:.0f} MiB"
        print(
            f"{side:10}{run['seconds']:9.1f}{count:12,}{speeds[side]:8.1f}{ratio:7.2f}x{peak:>10}"
        )
    lengths = sorted(map(len, best[sides[0]]["answers"]))
    print(f"answers of {lengths[0]} to {lengths[-1]} tokens, median {lengths[len(lengths) // 2]}")
    stored = {
        side: [{name: run[name] for name in ("seconds", "peak_mib")} for run in runs]
        for side, runs in found.items()
    }
    return {
        "sides": stored,
        "new_tokens": {s: sum(map(len, r["answers"])) for s, r in best.items()},
    }


def _texts(given: argparse.Namespace) -> dict[str, Any]:
    """Answers in float32: how many are the same, and whether the others are ties."""
    given.precision = "fp32"
    ours, peer = (_run(side, given)["answers"] for side in (f"ours-{given.batch[0]}", "peft-8"))
    same = sum(one == other for one, other in zip(ours, peer, strict=True))
    print(f"float32: {same} of {len(ours)} answers are those of generate")
    gaps = _run("gaps", given, [ours, peer])["gaps"] if same < len(ours) else []
    for gap in gaps:
        print(f"  prompt {gap['prompt']}, token {gap['token']}: logits {gap['apart']:.2e} apart")
    return {"float32": {"same": same, "of": len(ours), "gaps": gaps}}


def _run(side: str, given: argparse.Namespace, sent: Any = None) -> dict[str, Any]:
    environment = dict(os.environ)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    command = [sys.executable, __file__, "--side", side, "--adapter", str(given.adapter)]
    for name in ("prompts", "tokens", "least", "most", "precision"):
        command += [f"--{name}", str(getattr(given, name))]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, input=json.dumps(sent)
    )
    if done.returncode:
        sys.exit(f"{side}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _child(given: argparse.Namespace) -> dict[str, Any]:
    from harness_transformers.quiet import quietly

    with quietly():
        if given.side == "adapter":
            return _trained(given)
        if given.side == "gaps":
            return {"gaps": _gaps(given, *json.load(sys.stdin))}
        examples = _examples(given)
        if given.side.startswith("ours"):
            return _ours(given, examples, int(given.side.split("-")[1]))
        return _generate(given, examples)


def _base() -> harness.Checkpoint:
    found = sorted(Path.home().glob(".cache/harness/models/smollm2-135m-instruct-*"))
    if not found:
        sys.exit("the base model is not in the cache: call harness iterate once")
    return harness.Checkpoint("base", str(found[-1]), "base", "smollm2")


def _tuned(given: argparse.Namespace) -> harness.Checkpoint:
    return harness.Checkpoint(
        "adapter", str(given.adapter), "tuned", "tuned", base_path=_base().path
    )


def _functions(modules: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Code without its docstring and comments, and the docstring."""
    for module in modules:
        path = Path(sysconfig.get_paths()["stdlib"]) / f"{module}.py"
        if not path.is_file():
            path = path.with_suffix("") / "__init__.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            doc = ast.get_docstring(node)
            if doc is not None:
                node.body = node.body[1:]
            if node.body:
                yield ast.unparse(node), doc or ""


def _example(number: int, code: str, answer: str = "") -> harness.Example:
    message = {"role": "user", "content": f"{REQUEST}\n\n{code}"}
    return harness.Example(f"row-{number}", (message,), (answer,))


def _trained(given: argparse.Namespace) -> dict[str, Any]:
    from harness_transformers.lora import LoraTrainer

    pairs = [(c, d) for c, d in _functions(LEARNED) if 10 < len(d) < 400 and len(c) < 500]
    random.Random(3).shuffle(pairs)
    rows = [_example(number, *pair) for number, pair in enumerate(pairs[:96])]
    given.adapter.mkdir(parents=True)
    options = LoraTrainer.Options(r=16, alpha=32, epochs=1, batch_size=8, learning_rate=1e-3)
    made = LoraTrainer(options).train(_base(), rows, (), harness.Context(given.adapter, seed=3))
    for file in Path(made.path).iterdir():
        if file.parent != given.adapter:
            file.rename(given.adapter / file.name)
    return {}


def _examples(given: argparse.Namespace) -> list[harness.Example]:
    """Prompts whose lengths are spread evenly, in an order drawn once."""
    from harness_transformers import encoding, loading

    tokenizer = loading.tokenizer_of(_base())
    sized = []
    for number, (code, _) in enumerate(_functions(ASKED)):
        if len(code) < 8 * given.most:
            example = _example(number, code)
            sized.append((len(encoding.prompt_ids(tokenizer, example)), number, example))
    sized.sort(key=lambda item: item[:2])
    drawn = []
    for step in range(given.prompts):
        wanted = given.least + (given.most - given.least) * step / max(given.prompts - 1, 1)
        place = bisect.bisect_left(sized, (wanted, 0))
        drawn.append(sized.pop(min(place, len(sized) - 1))[2])
    random.Random(4).shuffle(drawn)
    return drawn


def _prompts(given: argparse.Namespace, examples: Sequence[harness.Example]) -> Any:
    from harness_transformers.chats import Chats

    chats = Chats.of(_tuned(given))
    return chats, chats.prompts(examples, given.tokens, count=False)[0]


def _measured(answers: list[list[int]], begin: float) -> dict[str, Any]:
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak, "answers": answers}


def _ours(given: argparse.Namespace, examples: Any, size: int) -> dict[str, Any]:
    from harness_transformers import adapters, allocation, devices, greedy

    chats, prompts = _prompts(given, examples)
    with allocation.kept(), tempfile.TemporaryDirectory() as folder:
        model = adapters.ready(
            _tuned(given), devices.dtype_of(given.precision), harness.Context(Path(folder)),
            merge=False,
        )  # fmt: skip
        begin = time.perf_counter()
        order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
        asked = [prompts[place] for place in order]
        if not greedy.suits(model, asked, given.tokens):
            sys.exit("the model is left to generate")
        decoder = greedy.Greedy(model, chats.stops, size, lambda: None)
        answers = [tokens for _, tokens in sorted(
            (order[number], tokens) for number, tokens in decoder.answers(asked, given.tokens)
        )]  # fmt: skip
        return _measured(answers, begin)


def _generate(given: argparse.Namespace, examples: Any) -> dict[str, Any]:
    """transformers' generate, as people call it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    kind, size = given.side.split("-")
    chats, prompts = _prompts(given, examples)
    dtype = torch.float32 if given.precision == "fp32" else torch.bfloat16
    base = AutoModelForCausalLM.from_pretrained(_base().path, dtype=dtype)
    model = PeftModel.from_pretrained(base, given.adapter).eval()
    order = list(range(len(prompts)))
    if kind == "merged":
        model = model.merge_and_unload()
        order.sort(key=lambda place: -len(prompts[place]))
    answers: list[list[int]] = [[] for _ in prompts]
    begin = time.perf_counter()
    for start in range(0, len(order), int(size)):
        places = order[start : start + int(size)]
        width = max(len(prompts[place]) for place in places)
        pad = chats.tokenizer.pad_token_id
        ids = torch.full((len(places), width), pad)
        mask = torch.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, width - len(prompts[place]) :] = torch.tensor(prompts[place])
            mask[row, width - len(prompts[place]) :] = 1
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=given.tokens, do_sample=False,
                eos_token_id=sorted(chats.stops.tokens), pad_token_id=pad,
            )  # fmt: skip
        for place, tokens in zip(places, out[:, width:].tolist(), strict=True):
            answers[place] = chats.stops.cut(tokens)
    return _measured(answers, begin)


def _gaps(given: argparse.Namespace, ours: Any, peer: Any) -> list[dict[str, Any]]:
    """Where two answers part: how far the logits of the two tokens are apart, in float32."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    _, prompts = _prompts(given, _examples(given))
    base = AutoModelForCausalLM.from_pretrained(_base().path, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, given.adapter).eval()
    gaps = []
    for number, (one, other) in enumerate(zip(ours, peer, strict=True)):
        if one == other:
            continue
        place = next(k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([prompts[number] + one[:place]])).logits[0, -1]
        apart = float((logits[one[place]] - logits[other[place]]).abs())
        gaps.append({"prompt": number, "token": place, "apart": apart, "tie": apart <= TIE})
    return gaps


if __name__ == "__main__":
    main()
