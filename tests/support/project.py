"""A ``Project`` is a temporary folder with a config, in which the real command is run."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from harness.kit import own
from tests.support.waiting import LONG

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


BOUND_TO = own._bound_to
"""What a signature is bound to outside of tests."""


@dataclass
class Project:
    """A folder with an experiment."""

    folder: Path

    def signed(self) -> None:
        """Sign its runs where they lie, for processes to which a copy is no run of one's own."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(own, "_bound_to", BOUND_TO)
            for config in (self.folder / ".harness" / "runs").glob("*/config.yaml"):
                own.note_run(config.parent, config)

    def write(self, text: str = CONFIG, name: str = "harness.yaml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "from harness.cli import main; main()", *arguments]

    def inside(self, *arguments: str, **environment: str) -> Result:
        """``harness ARGUMENTS`` in this process: for tests where the process is not the point."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self._called(arguments, environment)
        return Result(code, out.getvalue(), err.getvalue())

    def harness(self, *arguments: str, **environment: str) -> Result:
        """The same in a process of its own, which may be killed, abort or print past Python.

        It is a fork of this one: what a new one would import for a second is there already.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with warnings.catch_warnings():
                # Later versions of Python warn of forks wherever there are threads.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if not child:
                self._as_child(out.fileno(), err.fileno(), arguments, environment)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            err.seek(0)
            return Result(code, out.read().decode(), err.read().decode())

    def process(self, *arguments: str, **environment: str) -> Result:
        """The same in a new process, as a user starts it: where its start is the point."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=LONG,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def _called(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        from harness.cli import main

        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["harness", *arguments])
            for name, value in {"NO_COLOR": "1", "COLUMNS": "200", **environment}.items():
                patch.setenv(name, value)
            try:
                main()
            except SystemExit as end:
                return int(end.code or 0)
        return 0

    def _as_child(
        self, out: int, err: int, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> NoReturn:
        code = 70
        try:
            faulthandler.disable()  # pytest's own would tell of an abort on the terminal
            os.dup2(out, 1)
            os.dup2(err, 2)
            sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding="utf-8")
            sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), encoding="utf-8")
            code = self._called(arguments, environment)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

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
