"""Near repeats: how quickly they are found, how many, and what is called one and is none.

    python benchmarks/dedup.py [--rows N] [--speed-only | --quality-only]

Speed: made-up chat rows of about 600 characters, one in ten a copy with two words changed, in one
run ours and `datasketch` (``pip install datasketch``; MinHash of 128 permutations of the same runs
of five characters, its own LSH at the same threshold), CPU seconds of one process each. It is timed
on a part of the rows, and both grow in proportion.

Quality: copies of prompts of many shapes (``shapes.py``), edited in ways of several strengths, are
put behind 2,000 rows of the same shape, and `harness data dedup --by prompt` is asked. Recall is
the share of copies that go for their original; a row of the shape itself that goes is a wrong find.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence

import shapes

from harness import Example
from harness.kit.alike.pairs import Pair, pairs
from harness.kit.folding import loosely
from harness_rows.cleaning.repeated import prompt_of, repeated

THRESHOLD = 0.8
COPIES = 200
ROWS = 2_000
NEAR = (0.8, 0.6)
Edit = Callable[[str, random.Random], str]
SYLLABLES = "ka lo mi ne su ta ri po du ve sha gre bil to mas ul en".split(" ")  # noqa: SIM905


def word(draw: random.Random) -> str:
    return "".join(draw.choices(SYLLABLES, k=draw.randint(1, 4)))


def chat_rows(count: int, draw: random.Random) -> list[str]:
    """Rows of words whose frequencies fall as 1 / rank, one in ten with two words changed."""
    words = [word(draw) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    texts: list[str] = []
    for number in range(count):
        if number % 10 == 9:
            parts = texts[-draw.randint(1, 8)].split(" ")
            for _ in range(2):
                parts[draw.randrange(len(parts))] = draw.choice(words)
        else:
            parts = draw.choices(words, weights, k=draw.randint(60, 160))
        texts.append(" ".join(parts))
    return texts


def with_datasketch(texts: Sequence[str]) -> int:
    """Pairs that datasketch finds."""
    from datasketch import MinHash, MinHashLSH

    sets = [{text[at : at + 5].encode() for at in range(len(text) - 4)} for text in texts]
    index, pairs = MinHashLSH(threshold=THRESHOLD, num_perm=128), 0
    for number, hashes in enumerate(MinHash.generator(sets, num_perm=128)):
        pairs += len(index.query(hashes))
        index.insert(number, hashes)
    return pairs


def found(texts: Sequence[str]) -> list[Pair]:
    """Pairs that we find; both sides get texts that are folded already."""
    return pairs(texts, THRESHOLD)


def timed(work: Callable[[Sequence[str]], int], texts: Sequence[str]) -> tuple[float, int]:
    begin = time.process_time()
    pairs = work(texts)
    return time.process_time() - begin, pairs


def speed(rows: int) -> None:
    texts = [loosely(text) for text in chat_rows(rows, random.Random(1))]
    part = texts[: max(1000, rows // 20)]
    size = sum(map(len, texts)) / len(texts)
    print(f"\n{rows:,} rows of {size:.0f} characters\n")
    print("| | rows | CPU seconds | a row | pairs |\n|---|---:|---:|---:|---:|")
    ours = 0.0
    runs: list[tuple[str, Callable[[Sequence[str]], int], Sequence[str]]] = [
        ("harness", lambda some: len(found(some)), texts),
        ("harness", lambda some: len(found(some)), part),
        ("datasketch", with_datasketch, part),
    ]
    for name, work, some in runs:
        try:
            seconds, pairs = timed(work, some)
        except ImportError:
            print(f"| {name} is not installed | | | | |")
            return
        each = 1e6 * seconds / len(some)
        ours = each if name == "harness" else ours
        print(f"| {name} | {len(some):,} | {seconds:.2f} | {each:.0f} µs | {pairs:,} |")
    print(f"\n{each / ours:.1f} times as fast on the same rows")


# -- quality -------------------------------------------------------------------------------------


def replaced(share: float) -> Edit:
    def edit(text: str, draw: random.Random) -> str:
        parts = re.split(r"(\s+)", text)
        places = [
            at for at, part in enumerate(parts) if part.strip() and not re.search(r"\d", part)
        ]
        if not places:
            return text
        for at in draw.sample(places, min(len(places), max(1, round(share * len(places))))):
            parts[at] = word(draw)
        return "".join(parts)

    return edit


def reordered(text: str, draw: random.Random) -> str:
    parts = re.split(r"(?<=[.!?])\s+", text)
    draw.shuffle(parts)
    return " ".join(parts)


def misspelt(text: str, draw: random.Random) -> str:
    characters = list(text)
    for _ in range(max(1, len(text) // 100)):
        at = draw.randrange(max(1, len(characters) - 1))
        characters[at : at + 2] = characters[at : at + 2][::-1]
    return "".join(characters)


def repunctuated(text: str, draw: random.Random) -> str:
    return re.sub(r"[.,;!?](?![\d=])", "", text).upper().replace(" ", "  ")


EDITS: dict[str, Edit] = {
    "case, marks, blanks": repunctuated,
    "prefix of 3 words": lambda text, draw: f"please kindly note {text}",
    "one letter pair in 100": misspelt,
    "one word": replaced(0.0),
    "one word in 20": replaced(0.05),
    "one word in 10": replaced(0.1),
    "one word in 5": replaced(0.2),
    "sentences shuffled": reordered,
}


def quality(near: float, wanted: Sequence[str] | None) -> None:
    print(f"\nlikeness of {near}: copies found, and unrelated rows that would go\n")
    print("| shape | " + " | ".join(EDITS) + " | unrelated |\n|---|" + "---:|" * (len(EDITS) + 1))
    for shape, made in (shapes.SHAPES | shapes.UNSEEN).items():
        if wanted and shape not in wanted:
            continue
        texts = list(dict.fromkeys(prompt_of(row) for row in made(ROWS, random.Random(3), True)))
        cells = [recall(texts, edit, near) for edit in EDITS.values()]
        wrong = len(gone(texts, near)) / len(texts)
        shown = " | ".join([*(f"{100 * cell:.0f} %" for cell in cells), f"{100 * wrong:.1f} %"])
        print(f"| {shape} | {shown} |", flush=True)


def gone(texts: Sequence[str], near: float) -> dict[int, int]:
    """The prompts that would go, each with the one that it repeats."""
    rows = [Example(str(at), ({"role": "user", "content": text},)) for at, text in enumerate(texts)]
    found = repeated(rows, near, by="prompt").removed
    return {one.place: one.kept for one in found}


def recall(texts: Sequence[str], edit: Edit, near: float) -> float:
    """Share of the copies that go for their original."""
    draw = random.Random(4)
    found = gone([*texts, *(edit(text, draw) for text in texts[:COPIES])], near)
    return sum(found.get(len(texts) + at) == at for at in range(COPIES)) / COPIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--shape", nargs="*", help="of shapes.py (default: all)")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--quality-only", action="store_true")
    options = parser.parse_args()
    if not options.quality_only:
        speed(options.rows)
    if not options.speed_only:
        for near in NEAR:
            quality(near, options.shape)


if __name__ == "__main__":
    main()
