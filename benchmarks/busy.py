"""How much a busy neighbour slows training and answering, by how OpenMP's threads wait.

    python benchmarks/busy.py [--turns 12] [--threads 2]

Each side is a process with a random model of the shipped one's shape, which trains a step on 192
tokens, or decodes a token for 16 answers. The sides take turns, alone and beside a process that
counts in a loop, so that what else the machine does meets them alike; the table has medians of
milliseconds a step, their quartiles, and the machine's load.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

SIDES: dict[str, dict[str, str]] = {
    "as it is": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin 1,000": {"GOMP_SPINCOUNT": "1000"},
}
WORK = """
import sys, time, warnings
warnings.simplefilter('ignore')
import torch
from transformers import LlamaConfig, LlamaForCausalLM, DynamicCache

kind, layers = sys.argv[1], int(sys.argv[2])
torch.manual_seed(1)
config = LlamaConfig(vocab_size=8192, hidden_size=576, intermediate_size=1536,
                     num_hidden_layers=layers, num_attention_heads=9, num_key_value_heads=3)
model = LlamaForCausalLM(config).to(torch.bfloat16 if kind == "bf16" else torch.float32)
rows = torch.randint(0, 8192, (1, 192))

def train():
    model(input_ids=rows, labels=rows).loss.backward()
    model.zero_grad()

def answer():
    with torch.inference_mode():
        cache = DynamicCache()
        model(input_ids=torch.randint(0, 8192, (16, 40)), past_key_values=cache)
        for _ in range(3):
            model(input_ids=torch.randint(0, 8192, (16, 1)), past_key_values=cache)

for work in (train, answer):
    work()
print("ready", flush=True)
for line in sys.stdin:
    name, seconds = line.split()
    work = {"train": train, "answer": answer}[name]
    work()
    taken, begin = [], time.perf_counter()
    while not taken or begin + sum(taken) < begin + float(seconds):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    print(*taken, flush=True)
"""


class Side:
    """One way of waiting, at work when it is asked."""

    def __init__(self, environment: dict[str, str], threads: int, layers: int) -> None:
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "KMP_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK, "fp32", str(layers)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**bare, "OMP_NUM_THREADS": str(threads), **environment},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def steps(self, work: str, seconds: float) -> list[float]:
        """Milliseconds of each step, as many as there is time for."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{work} {seconds}\n")
        self.process.stdin.flush()
        return [1000 * float(text) for text in self.process.stdout.readline().split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.7, help="of a side, at each turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--layers", type=int, default=2)
    given = parser.parse_args()
    sides = {name: Side(values, given.threads, given.layers) for name, values in SIDES.items()}
    taken: dict[tuple[str, str, bool], list[float]] = {}
    loads = []
    for turn in range(given.turns):
        for busy in (False, True):
            neighbour = None
            if busy:
                neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                time.sleep(0.2)
            names = list(sides)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                for work in ("train", "answer"):
                    steps = sides[name].steps(work, given.seconds)
                    taken.setdefault((work, name, busy), []).extend(steps)
            if neighbour is not None:
                neighbour.kill()
                neighbour.wait()
            else:
                loads.append(os.getloadavg()[0])
    print(f"{os.cpu_count()} cores, {given.threads} threads, {given.turns} turns; ", end="")
    print(f"load {min(loads):.1f} to {max(loads):.1f}")
    print(f"{'':8}{'side':14}{'alone ms':>26}{'beside a neighbour ms':>30}{'times':>8}")
    for work in ("train", "answer"):
        for name in sides:
            alone, beside = taken[work, name, False], taken[work, name, True]
            ratio = statistics.median(beside) / statistics.median(alone)
            print(f"{work:8}{name:14}{told(alone):>26}{told(beside):>30}{ratio:8.2f}")
    for side in sides.values():
        side.process.kill()


def told(values: list[float]) -> str:
    """Median, quartiles and least."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.0f} ({low:.0f}-{high:.0f}, {min(values):.0f})"


if __name__ == "__main__":
    main()
