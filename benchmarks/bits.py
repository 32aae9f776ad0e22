"""A finished run whose files are damaged one at a time: is anything wrong believed?

    python benchmarks/bits.py [--trials 127] [--seed 1] [--only WORD]

The run of ``run_kills.py`` is carried out once. Then, in a copy for each trial, one file of
``.harness`` or ``reports`` is damaged: a flipped bit, a cut, zeros, a line twice, two lines
exchanged, the file deleted or exchanged with another of its kind. Kinds of files take turns, so
that each gets nearly as many trials. A command looks at the run (``report``, ``errors``, ``query``,
``runs``), in every second trial reports and summary are removed, so that all is read again, and
``iterate`` goes on. A trial is

* *equal*: the run ends as the undamaged one did (what was damaged is made again once it is read);
* *refused*: exit 4 and a message that names a file of the run;
* *shown*: the look alone differs from that at the undamaged run, without a refusal;
* *WRONG*: another end, a traceback, or another exit code.

Prints a table by kind of file, and what was shown or wrong in full.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import run_kills

LOOKS = (
    ("report",),
    ("errors",),
    ("query", "SELECT * FROM predictions ORDER BY ALL LIMIT 200"),
    ("runs",),
)
HEX = re.compile(r"[0-9a-f]{8,}")
LEFT_ALONE = (".lock", ".log", ".txt", ".md", ".html")
"""Endings of files that are for people, or empty: nothing is read from them."""
Damage = Callable[[Path, list[Path], random.Random], None]


def flipped(path: Path, others: list[Path], draw: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    path.write_bytes(raw)


def cut(path: Path, others: list[Path], draw: random.Random) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: draw.randrange(len(raw))])


def zeroed(path: Path, others: list[Path], draw: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    at = draw.randrange(len(raw))
    raw[at : at + 512] = bytes(len(raw[at : at + 512]))
    path.write_bytes(raw)


def doubled(path: Path, others: list[Path], draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    at = draw.randrange(len(lines))
    path.write_bytes(b"".join([*lines[: at + 1], *lines[at:]]))


def exchanged(path: Path, others: list[Path], draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    one, two = draw.choices(range(len(lines)), k=2)
    lines[one], lines[two] = lines[two], lines[one]
    path.write_bytes(b"".join(lines))


def deleted(path: Path, others: list[Path], draw: random.Random) -> None:
    path.unlink()


def swapped(path: Path, others: list[Path], draw: random.Random) -> None:
    different = [other for other in others if other.read_bytes() != path.read_bytes()]
    path.write_bytes(draw.choice(different).read_bytes() if different else b"{}\n")


DAMAGES: tuple[Damage, ...] = (flipped, cut, zeroed, doubled, exchanged, deleted, swapped)


class Said(NamedTuple):
    code: int
    out: str
    err: str


def harness(folder: Path, *arguments: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def files_of(folder: Path) -> dict[str, list[Path]]:
    """Kind of file -> the files of it, relative to the folder."""
    kinds: dict[str, list[Path]] = {}
    for top in (".harness", "reports"):
        for path in sorted((folder / top).rglob("*")):
            if path.is_file() and path.stat().st_size and path.suffix not in LEFT_ALONE:
                place = path.relative_to(folder)
                kinds.setdefault(HEX.sub("…", place.as_posix()), []).append(place)
    return kinds


def verdict(
    folder: Path, damaged: Path, whole: run_kills.End, looked: Said, look: tuple[str, ...],
    anew: bool,
) -> tuple[str, str]:  # fmt: skip
    """How a trial ended, and what tells of it.

    Args:
        anew: whether reports and summary are made again from all else.
    """
    spoilt = _content(folder / damaged)
    seen = harness(folder, *look)
    if "Traceback" in seen.err or seen.code not in (0, 4):
        return "WRONG", f"{' '.join(look)}: exit {seen.code}: {seen.err[-1500:]}"
    if anew:
        shutil.rmtree(folder / "reports", ignore_errors=True)
        shutil.rmtree(folder / ".harness/artifacts/summary")
    ended = harness(folder, "iterate")
    if "Traceback" in ended.err or ended.code not in (0, 4):
        return "WRONG", f"iterate: exit {ended.code}: {ended.err[-1500:]}"
    if ended.code == 4:
        names_file = any(word in ended.err for word in (".harness", "reports"))
        return ("refused" if names_file else "WRONG"), ended.err[-1500:]
    own = "/".join(damaged.parts[2:4])
    unread = own in whole.artifacts and _content(folder / damaged) in (spoilt, None)
    if unread:
        shutil.rmtree(folder / ".harness/artifacts" / own, ignore_errors=True)
    end = run_kills.end_of(folder)
    if unread:
        end.artifacts[own] = whole.artifacts[own]
    differing = list(run_kills.differing(whole, end))
    if differing:
        return "WRONG", "\n".join(differing)
    if seen.code == 0 and seen.out != looked.out:
        return "shown", f"{' '.join(look)}: {seen.err[-500:]}"
    return "equal", seen.err[-500:]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=127)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds of files with this in their path")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    results: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        whole = run_kills.begun(Path(name) / "run")
        run_kills.finished(whole)
        expected = run_kills.end_of(whole)
        looked = {look: harness(whole, *look) for look in LOOKS}
        kinds = files_of(whole)
        pairs = [(kind, damage) for kind in kinds if asked.only in kind for damage in DAMAGES]
        draw.shuffle(pairs)
        for number, (kind, damage) in enumerate(pairs[: asked.trials]):
            # The same place for each trial: a config names its data by the folder's path.
            kept = Path(name) / "kept"
            shutil.copytree(whole, kept, symlinks=True)
            place = draw.choice(kinds[kind])
            damage(whole / place, [whole / other for other in kinds[kind]], draw)
            look = LOOKS[number % len(LOOKS)]
            anew = bool(number // len(LOOKS) % 2)
            result, said = verdict(whole, place, expected, looked[look], look, anew)
            results.setdefault(kind, Counter())[result] += 1
            if result in ("shown", "WRONG"):
                print(f"{result}: {damage.__name__} {place}, trial {number}\n{said}\n", flush=True)
            shutil.rmtree(whole)
            kept.rename(whole)
    ends = ("equal", "refused", "shown", "WRONG")
    print("| file | " + " | ".join(ends) + " |\n|---|" + "---:|" * len(ends))
    for kind, counts in sorted(results.items()):
        print(f"| {kind} | " + " | ".join(str(counts[end]) for end in ends) + " |")
    total = sum(results.values(), Counter())
    print("| all | " + " | ".join(str(total[end]) for end in ends) + " |")
    raise SystemExit(bool(total["WRONG"]))


if __name__ == "__main__":
    main()
