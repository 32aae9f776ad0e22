"""A ``project`` is a temporary folder with a config, in which the real command is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FAKES = Path(__file__).parent / "fakes.py"

CONFIG = f"""\
rounds: 3
seed: 7
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
execution: {{launcher: inline}}
"""


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Project:
    """A folder with an experiment."""

    folder: Path

    def write(self, text: str = CONFIG, name: str = "harness.yaml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "from harness.cli import main; main()", *arguments]

    def harness(self, *arguments: str, **environment: str) -> Result:
        """Run ``harness ARGUMENTS`` here, as a user would."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A temporary experiment of fakes; nothing has been run in it."""
    made = Project(tmp_path)
    made.write()
    return made
