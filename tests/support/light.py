"""The commands that need no training, in an environment that has nothing for it.

    python tests/support/light.py HARNESS

Run by ``.ci/run`` in an empty folder, with the path of the installed command. A run is made by the
tiny plugins of ``fakes.py``. Nothing else of the tests is imported: it would bring the checkout's
own harness. Ends with 1 at the first command that does something else than is
due here, and shows it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

HEAVY = ("torch", "transformers", "peft", "accelerate", "bitsandbytes", "datasets", "pyarrow")
FAKES = Path(__file__).resolve().with_name("fakes.py")
CONFIG = f"""\
rounds: 1
plugins: [{FAKES}]
data: {{source: fake}}
model: {{source: fake}}
train: {{plugin: fake}}
generate: {{plugin: fake}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [fake]
analyze: [fake]
augment: [{{plugin: fake, rows: 10}}]
"""
LOGS = '{"prompt": "what is new", "answer": "nothing at all"}\n'
FIRST = ["init my.csv", "data check"]
WALK = [
    "data split my.csv -o parts", "data dedup my.csv",
    "score -p answers.jsonl -r answers.jsonl",
    "score -p a.txt -b b.txt -r a.txt -m rouge --primary rougeL --brief",
    "demo --loops 20", "docs score", "plugins new metric polite", "plugins check metric:bleu",
]  # fmt: skip
OF_A_RUN = [
    "check", "iterate", "report", "report --html page.html", "errors", "query 'FROM rounds'",
    "advise", "runs", "compare 0 1", "why {id}", "view --to page",
    "rate create --rubric everyday --raters me -n 20", "plan",
]  # fmt: skip
REFUSED = {
    "iterate -c shipped.yaml": ["torch", "[train]"],
    "score -p a.parquet -r answers.jsonl": ["pyarrow", "[arrow]"],
    "rate serve": ["starlette", "[web]"],
    "view": ["starlette", "[web]"],
}
"""Command -> what its message names."""


def main() -> None:
    harness = sys.argv[1]
    if there := [name for name in HEAVY if find_spec(name)]:
        sys.exit(f"no light environment: {', '.join(there)}")
    folder = Path.cwd()
    rows = [{"id": f"{n}", "prediction": f"it is {n}", "reference": f"it is {n % 7}"}
            for n in range(40)]  # fmt: skip
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    csv = "question,answer\n" + "".join(f"What is {n} and {n}?,{2 * n}\n" for n in range(80))
    (folder / "my.csv").write_text(csv)
    for name, step in (("a.txt", 1), ("b.txt", 2)):
        (folder / name).write_text("".join(f"line {n * step}\n" for n in range(40)))
    (folder / "logs.jsonl").write_text(LOGS * 40)
    (folder / "a.parquet").write_bytes(b"PAR1" + bytes(8) + b"PAR1")

    def done(words: str, code: int, *named: str) -> str:
        made = subprocess.run(
            f"'{harness}' {words}", shell=True, capture_output=True, text=True, cwd=folder
        )
        shown = made.stdout + made.stderr
        if made.returncode != code or not all(name in shown for name in named):
            sys.exit(f"harness {words}: exit code {made.returncode}, due: {code}\n{shown}")
        print(f"ok: harness {words}", flush=True)
        return made.stdout

    for words in FIRST:
        done(words, 0)
    (folder / "harness.yaml").rename(folder / "shipped.yaml")
    (folder / "harness.yaml").write_text(CONFIG)

    def alone() -> None:
        for words in WALK:
            done(words, 0)
        done("--help", 0, "Training is not installed", "[train]")

    def of_a_run() -> None:
        for words in OF_A_RUN:
            if "{id}" in words:
                ids = done(
                    "query \"SELECT id FROM examples WHERE split = 'dev' LIMIT 1\" --json", 0
                )
                words = words.format(id=json.loads(ids)[0]["id"])
            done(words, 0)
        done("drift logs.jsonl", 1, "changed")

    with ThreadPoolExecutor() as pool:  # each command waits for its own process
        for walk in [pool.submit(alone), pool.submit(of_a_run)]:
            walk.result()
    for words, named in REFUSED.items():
        done(words, 3, *named)
    code = "import harness; assert harness.evaluate and harness.open_run"
    subprocess.run([Path(harness).with_name("python"), "-c", code], check=True)


if __name__ == "__main__":
    main()
