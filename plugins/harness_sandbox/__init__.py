"""``executes``: whether the code of an answer runs: metric, error categories, verifier."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

import harness
from harness import Context, ErrorLabel, Example, ScoredExample, Verification

if TYPE_CHECKING:
    from harness_sandbox.programs import Outcome, Program
    from harness_sandbox.sandboxes import Sandbox

Pairs = Sequence[tuple[harness.Prediction, Example]]


class ExecutesOptions(harness.Options):
    """How an answer becomes a program, and what that may take."""

    tests: str = Field(
        default="tests",
        description="the field of `meta` that holds the tests of a row (code that is run after "
        "the answer's); rows without it have only to run",
    )
    code: Literal["fence", "whole"] = Field(
        default="fence",
        description="`fence`: the first fenced block, or the whole answer where there is none; "
        "`whole`: the answer as it is",
    )
    command: list[str] = Field(
        default=[],
        description="what runs a program of another language than Python, as `[node, "
        '"{file}.js"]`; its tests print `{token}` at their end',
    )
    sandbox: list[str] = Field(
        default=[],
        description="a command that holds programs in, as `[docker, run, --rm, -i, "
        "--network=none, …]`; without it bubblewrap does, else sandlock",
    )
    seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=10.0, description="time limit of one program, by the clock"
    )
    memory: Annotated[int, Field(ge=64)] = Field(
        default=1024, description="MiB that one program may take, all its processes together"
    )
    disk: Annotated[int, Field(ge=1)] = Field(
        default=64, description="MiB of files that one program may write"
    )
    workers: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="programs that run side by side, at most the number of cores, which is the "
        "default",
    )

    @field_validator("command")
    @classmethod
    def _names_the_file(cls, command: list[str]) -> list[str]:
        if command and sum("{file}" in word for word in command) != 1:
            raise ValueError('one word of command has {file} in it, as [node, "{file}.js"]')
        return command


class Executing:
    """A plugin that runs programs. What became of a program is known to all of one process."""

    name: ClassVar[str] = "executes"
    libraries: ClassVar[Sequence[str] | None] = ()
    runs_code: ClassVar[Sequence[str]] = ("sandbox",)
    unkeyed: ClassVar[Mapping[str, str]] = {
        "workers": "says how many answers are run at once, each by itself"
    }

    options: Any
    _known: dict[tuple[str, Program], Outcome] = {}
    _probed: dict[str, Sandbox] = {}
    _probing = threading.Lock()

    def _program(self, answer: str, example: Example) -> Program:
        from harness_sandbox.programs import Program, code_of

        tests = example.meta.get(self.options.tests)
        if isinstance(tests, (list, tuple)):  # a list is Python too, and asserts nothing
            tests = "\n".join(map(str, tests))
        code = code_of(answer, self.options.code)
        return Program(code, "" if tests is None else str(tests))

    def _outcome(self, program: Program) -> Outcome:
        """What became of a program, which is run at most once.

        Raises:
            ValueError: it cannot be scored.
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        from harness_sandbox import programs
        from harness_sandbox.sandboxes import Limits

        options = self.options
        key = options.model_dump_json(exclude={"workers", "tests", "code"}), program
        if key not in self._known:
            sandbox = self._sandbox()
            limits = Limits(options.seconds, options.memory, options.disk)
            self._known[key] = programs.run(program, sandbox, options.command, limits)
        return self._known[key]

    def _sandbox(self) -> Sandbox:
        """The sandbox, once it was seen to hold programs in."""
        from harness_sandbox.probe import probe
        from harness_sandbox.sandboxes import Limits, chosen

        options = self.options
        key = options.model_dump_json(include={"sandbox", "memory", "disk", "command"})
        with self._probing:
            if key not in self._probed:
                sandbox = chosen(options.sandbox)
                if options.command and not sandbox.writes:
                    raise harness.EnvironmentFailure(
                        f"{sandbox.name} runs Python alone, since programs in it cannot write "
                        "files",
                        where="executes: command",
                        hint="install bubblewrap, or name a command as sandbox:",
                    )
                probe(sandbox, Limits(options.seconds, options.memory, options.disk))
                self._probed[key] = sandbox
            return self._probed[key]

    def _all(self, wanted: Sequence[Program]) -> Iterator[int]:
        """Run programs side by side; gives the number of those that are done."""
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        from harness.kit import cgroups

        if not wanted:
            return
        self._sandbox()
        cores = cgroups.cores(cgroups.limits())
        pool = ThreadPoolExecutor(min(self.options.workers or cores, cores))
        try:
            waiting = {pool.submit(self._outcome, program) for program in dict.fromkeys(wanted)}
            total = len(waiting)
            while waiting:
                # Woken now and then, so that Ctrl-C is seen.
                done, waiting = wait(waiting, 0.5, FIRST_COMPLETED)
                for future in done:
                    if not isinstance(future.exception(), ValueError):
                        future.result()
                yield total - len(waiting)
        finally:
            pool.shutdown(cancel_futures=True)

    def check(self, settings: Mapping[str, Any]) -> Iterable[harness.Problem]:
        """See :meth:`harness.Plugin.check`: whether there is a sandbox at all."""
        from harness_sandbox.sandboxes import chosen

        try:
            chosen(self.options.sandbox)
        except harness.EnvironmentFailure as error:
            yield harness.Problem("; ".join([error.what, *error.details, error.hint]))


class Executes(Executing, harness.Metric):
    """1 where an answer's code ends with exit code 0 and passes the tests of its row, else 0.

    Programs run in a sandbox: without network and home, on a read-only system, with limits of
    time, memory, files, processes and output. Where there is none, nothing is run.
    """

    right_at = 1.0

    class Options(ExecutesOptions):
        pass

    options: Options

    def signature(self) -> str:
        """How the code is found and run, and its limits."""
        options = self.options
        language = " ".join(options.command) or "python"
        limits = f"seconds:{options.seconds:g}|memory:{options.memory}|disk:{options.disk}"
        return (
            f"executes|language:{language}|code:{options.code}|tests:{options.tests}|{limits}"
            f"|rev:{self.revision}"
        )

    def ready(self, pairs: Pairs) -> None:
        """Run all answers, some at a time.

        Raises:
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        programs = [self._program(answer.text, row) for answer, row in pairs]
        total = len(set(programs))
        for done in self._all(programs):
            self.progress(done, total, "programs run")

    def measure(self, prediction: harness.Prediction, example: Example) -> float:
        """1 or 0.

        Raises:
            ValueError: the row's tests cannot be used.
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        return float(not self._outcome(self._program(prediction.text, example)).fault)

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """Which Python it is where it is not ours, and how many rows have no tests."""
        from harness_sandbox.sandboxes import chosen

        remarks = []
        without = sum(not self._program("", row).tests for _, row in pairs)
        if without:
            remarks.append(
                f"{without} of {len(pairs)} rows have no tests (`{self.options.tests}`): an answer "
                "to them has only to run."
            )
        # Reports ask too, perhaps on a machine without a sandbox: nothing is run for them.
        with contextlib.suppress(harness.EnvironmentFailure):
            sandbox = chosen(self.options.sandbox)
            if not self.options.command and sandbox.python != sys.executable:
                remarks.append(
                    f"programs are run by {sandbox.python} in {sandbox.name}, not by the Python of "
                    "harness: they do not have its libraries."
                )
            if not sandbox.writes:
                remarks.append(f"programs could not write files: {sandbox.name} bounds no disk.")
        return remarks


class ExecutesDetector(Executing, harness.Detector):
    """Which answers do not run, and which fail the tests of their row."""

    class Options(ExecutesOptions):
        pass

    options: Options

    def categories(self) -> Mapping[str, str]:
        from harness_sandbox.programs import DOES_NOT_RUN, FAILS_ITS_TESTS

        return {
            DOES_NOT_RUN: "the answer's code has an error of syntax, raises, ends with an exit "
            "code, or goes beyond a limit",
            FAILS_ITS_TESTS: "the answer's code runs, and fails the tests of its row",
        }

    def detect(self, scored: ScoredExample) -> Iterable[ErrorLabel]:
        """The category, with the program's last line or the limit as evidence."""
        if scored.values.get("executes") == 1.0:
            return
        outcome = self._outcome(self._program(scored.prediction.text, scored.example))
        if outcome.fault:
            yield ErrorLabel(scored.example.id, outcome.fault, outcome.why, self.name)


class ExecutesVerifier(Executing, harness.Verifier):
    """Proposed rows whose first reference is code that runs, and passes the tests of the row."""

    class Options(ExecutesOptions):
        pass

    options: Options

    def verify(self, row: Example, context: Context) -> Verification:
        """Whether the row's first reference runs."""
        if not row.references:
            return Verification(False, "no answer to run")
        outcome = self._outcome(self._program(row.references[0], row))
        return Verification(not outcome.fault, outcome.fault or "its code runs")

    def verify_all(self, rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        """The same for many, some at a time."""
        for _ in self._all(
            [self._program(row.references[0], row) for row in rows if row.references]
        ):
            pass
        return [self.verify(row, context) for row in rows]


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Executes]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [ExecutesDetector]


@harness.hookimpl
def register_verifiers() -> list[type[harness.Verifier]]:
    return [ExecutesVerifier]
