"""Files as other programs export them, from ``init`` to the end of a round.

    python benchmarks/exports.py [--only NAME ...]

The files of ``tests/support/exports.py``. Each goes through ``harness init`` (the best of the lines
that a refusal prints is followed, three at most), ``check``, ``data preview`` and one round of
``iterate`` with a model of some thousand weights that is made here: what is asked is whether the
round comes to its end, not what it learns. Prints a line for each: the columns that were proposed,
those that a person would have chosen, how many lines were pasted, and how the round ended.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness import read_summary  # noqa: E402
from tests.plugins.rows.init.test_exports import columns_of, lines_to_paste, named  # noqa: E402
from tests.plugins.transformers.conftest import save_model, save_tokenizer  # noqa: E402
from tests.support.exports import EXPORTS, Export  # noqa: E402
from tests.support.project import Project  # noqa: E402

SMALL = (
    "rounds=1", "train.epochs=1", "train.max_length=4096", "generate.max_new_tokens=8",
    "execution.launcher=inline", "probes=[]", "replay=0",
)  # fmt: skip
PASTED = 3


def walked(export: Export, folder: Path) -> tuple[str, str, int, str]:
    """Columns proposed, columns that a person chose, lines pasted, and the end."""
    export.write(folder / export.name)
    (folder / "model").mkdir()
    save_tokenizer(folder / "model")
    save_model(folder / "model")
    project = Project(folder)
    person = ", ".join((*export.prompt, *export.references)) or "(looks first)"
    done, pasted = project.inside("init", export.name, "--model", "model"), 0
    while done.code and pasted < PASTED and (commands := lines_to_paste(done.err)):
        wanted = {*export.prompt, *export.references}
        best = max(commands, key=lambda command: len(wanted.intersection(named(command))))
        done, pasted = project.inside(*best), pasted + 1
    if done.code:
        return "-", person, pasted, f"init {done.code}: {done.err.splitlines()[0]}"
    prompts, references, _ = columns_of(folder)
    proposed = ", ".join((*prompts, *references)) or "(by its format)"
    for command in (["check"], ["data", "preview"], ["iterate", *_sets(folder)]):
        done = project.inside(*command)
        if done.code:
            return proposed, person, pasted, f"{command[0]} {done.code}: {done.err[-300:]}"
    (summary,) = (folder / "reports").glob("*/summary.json")
    return proposed, person, pasted, read_summary(summary).rounds[-1].verdict.label


def _sets(folder: Path) -> list[str]:
    """The settings of a small round, for the keys that the config has."""
    text = (folder / "harness.yaml").read_text(encoding="utf-8")
    sets = [*SMALL, *(["baselines=[]"] if "\nbaselines:" in text else [])]
    return [word for one in sets for word in ("--set", one)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", default=list(EXPORTS), help="names of files")
    asked = parser.parse_args()
    os.environ["NO_COLOR"] = "1"
    print("| file | proposed | a person | pasted | round | s |\n|---|---|---|---:|---|---:|")
    failed = 0
    for name in asked.only:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            proposed, person, pasted, end = walked(EXPORTS[name], Path(folder))
        failed += ":" in end and bool(EXPORTS[name].prompt)
        end = " ".join(end.split()).replace("|", "\\|")
        seconds = time.monotonic() - begin
        print(f"| {name} | {proposed} | {person} | {pasted} | {end} | {seconds:.0f} |", flush=True)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
