"""The walk of ``harness demo teacher``: a real run on toy stages, a stand-in for the teacher."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
from harness.kit import gate
from harness.kit.remote.options import foresee_library
from harness_demo import units
from harness_demo.standin import StandIn

TOY = Path(__file__).with_name("toy.py")
COMMAND = ("harness.cli", "iterate")
CONFIG = """\
rounds: 2
seed: {seed}
plugins: [{toy}]
data:     {{source: jsonl, path: rows.jsonl}}
model:    {{source: toy}}
train:    {{plugin: toy}}
generate: {{plugin: toy}}
metrics:  [{{plugin: exact}}]
primary:  exact
analyze:  [{{plugin: slices}}]
augment:
  - plugin: teacher
    rows: 40
    endpoint: {endpoint}
    model: stand-in
    key: NO_KEY_IS_NEEDED
    price: {{in: 1, out: 4}}
    verify: [{{agree: 3}}]
    control: none
probes: []
execution: {{launcher: inline}}
"""
ADDED = """
    SELECT prompt, reference FROM added WHERE arm = 'main' ORDER BY round, position
"""


@dataclass
class Teacher:
    """The stand-in's answers, and what is known of them.

    Attributes:
        request, reply: the first request for rows, and what came.
        written: rows that were written.
        wrong: of these, how many have a wrong answer.
    """

    request: str = ""
    reply: str = ""
    written: int = 0
    wrong: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def says(self, messages: Sequence[Mapping[str, Any]], seed: int) -> str:
        """See :data:`harness_demo.standin.Says`."""
        text = units.says(messages, seed)
        if text.startswith("["):
            rows = json.loads(text)
            with self._counting:
                self.request = self.request or str(messages[-1]["content"])
                self.reply = self.reply or text
                self.written += len(rows)
                self.wrong += sum(row["answer"] != units.right(row["prompt"]) for row in rows)
        return text


@dataclass(frozen=True, slots=True)
class Walk:
    """What happened.

    Attributes:
        summary: the run's document.
        added: rows of the teacher that were added to train, after both rounds.
        wrong: of these, how many have a wrong answer.
    """

    summary: harness.Summary
    teacher: Teacher
    added: int
    wrong: int


def walk(seed: int) -> Walk:
    """Run two rounds in a temporary folder.

    Raises:
        EnvironmentFailure: what asks servers is not installed, or the run failed.
    """
    for problem in foresee_library():
        raise harness.EnvironmentFailure(problem.message)
    teacher = Teacher()
    with (
        tempfile.TemporaryDirectory(prefix="harness-demo-") as name,
        StandIn(teacher.says) as server,
    ):
        folder = Path(name)
        rows = "".join(f"{json.dumps(row)}\n" for row in units.rows(seed))
        (folder / "rows.jsonl").write_text(rows, encoding="utf-8")
        config = CONFIG.format(seed=seed, toy=json.dumps(str(TOY)), endpoint=server.url)
        (folder / "harness.yaml").write_text(config, encoding="utf-8")
        done = gate.run_ours(
            *COMMAND, "--no-test", "--json", cwd=folder, capture_output=True, text=True,
            env={**os.environ, "NO_COLOR": "1"}, check=False,
        )  # fmt: skip
        if done.returncode:
            raise harness.EnvironmentFailure(
                f"the run of the demo ended with {done.returncode}",
                details=done.stderr.strip().splitlines()[-5:],
            )
        reports = folder / "reports" / json.loads(done.stdout)["run"]
        summary = harness.read_summary(reports / "summary.json")
        added = harness.query(reports / "run.duckdb", ADDED).rows
    wrong = sum(units.right(str(prompt)) != answer for prompt, answer in added)
    return Walk(summary, teacher, len(added), wrong)
