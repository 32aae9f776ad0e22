"""A ``Project`` is a temporary folder with a config, in which the real command is run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parent
FAKES = SUPPORT / "fakes.py"

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
SHOWING = CONFIG.replace(
    f"plugins: [{FAKES}]", f"plugins: [{FAKES}, {SUPPORT / 'showing.py'}]"
).replace("train: {plugin: fake}", "train: {plugin: showing}")
"""The same with a trainer that shows rows."""
_SCORES = ", ".join(f"{{plugin: {n}}}" for n in ("nearest", "wrong", "asking", "failing", "whole"))
TWO_REFERENCES = (
    CONFIG.replace("rounds: 3", "rounds: 1")
    .replace(f"plugins: [{FAKES}]", f"plugins: [{FAKES}, {SUPPORT / 'two_references.py'}]")
    .replace("data: {source: fake}", "data: {source: two}")
    .replace("[{plugin: overlap}]", f"[{_SCORES}]")
    .replace("primary: overlap", "primary: nearest")
)
"""One round on rows of which those of dev have two references."""


@dataclass
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def bare(self) -> Any:
        """The summary without what may differ between two walks through one run."""
        return {k: v for k, v in self.document.items() if k not in ("seconds", "cached", "dates")}


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

    def inside(self, *arguments: str, **environment: str) -> Result:
        """The same command in this process: for tests where the process is not the point."""
        from harness.cli import main

        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["harness", *arguments])
            for name, value in {"NO_COLOR": "1", "COLUMNS": "200", **environment}.items():
                patch.setenv(name, value)
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return Result(code, out.getvalue(), err.getvalue())

    def forked(self, *arguments: str, **environment: str) -> int:
        """The same command in a fork of this process, which may be killed; how it ended."""
        child = os.fork()
        if not child:
            code = 70
            try:
                code = self.inside(*arguments, **environment).code
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manifests(self) -> dict[str, Any]:
        """Stage and key of every artifact here -> its files with their digests."""
        root = self.folder / ".harness" / "artifacts"
        return {
            path.parent.relative_to(root).as_posix(): json.loads(path.read_text())["files"]
            for path in root.glob("*/*/manifest.json")
        }
