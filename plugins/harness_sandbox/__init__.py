"""``executes``: whether the code of an answer runs: metric, error categories, verifier."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

import harness
from harness import Context, ErrorLabel, Example, ScoredExample, Verification

if TYPE_CHECKING:
    from harness_sandbox.programs import Outcome, Program
    from harness_sandbox.row_tests import RowTests
    from harness_sandbox.sandboxes import Limits, Sandbox

Pairs = Sequence[tuple[harness.Prediction, Example]]
LOOKED_AT = 200
"""Rows whose tests are tried before any answer is there."""
TEST_NOTHING = "its tests test nothing: they pass behind an empty answer, or whatever it gives"


class ExecutesOptions(harness.Options):
    """How an answer becomes a program, and what that may take."""

    tests: str = Field(
        default="tests",
        description="the field of `meta` that holds the tests of a row (code, or inputs and "
        "outputs); rows without it have only to run",
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
    revision: ClassVar[int] = 3
    libraries: ClassVar[Sequence[str] | None] = ()
    runs_code: ClassVar[Sequence[str]] = ("sandbox",)
    unkeyed: ClassVar[Mapping[str, str]] = {
        "workers": "says how many answers are run at once, each by itself"
    }

    options: Any
    _known: dict[tuple[str, Program | RowTests], Any] = {}
    _probed: dict[str, Sandbox] = {}
    _probing = threading.Lock()

    def _tests(self, example: Example) -> RowTests | None:
        """The tests of a row; None where it has none.

        Raises:
            ValueError: they are of a kind that is not known.
        """
        from harness_sandbox.row_tests import row_tests

        return row_tests(example.meta, self.options.tests)

    def _program(self, answer: str, example: Example) -> Program:
        """An answer with the tests of its row.

        Raises:
            ValueError: see :meth:`_tests`.
        """
        from harness_sandbox.programs import Program, code_of

        return Program(code_of(answer, self.options.code), self._tests(example))

    def _outcome(self, program: Program) -> Outcome | None:
        """What became of a program, which is run at most once; None where its tests test nothing.

        Raises:
            ValueError: it cannot be scored.
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        from harness_sandbox import programs

        if program.tests is not None and self._test_nothing(program.tests):
            return None
        outcome: Outcome = self._once(programs.run, program)
        return outcome

    def _test_nothing(self, tests: RowTests) -> bool:
        """Whether tests pass whatever the answer, which is tried once."""
        from harness_sandbox import programs

        passed: bool = self._once(programs.always_pass, tests)
        return passed

    def _once(self, work: Callable[..., Any], what: Program | RowTests) -> Any:
        """What running something came to, a ValueError included, which is known from then on."""
        key = self._setting, what
        if key not in self._known:
            try:
                given = work(what, self._sandbox(), self.options.command, self._limits)
            except ValueError as error:
                given = error
            self._known[key] = given
        if isinstance(self._known[key], ValueError):
            raise ValueError(*self._known[key].args)
        return self._known[key]

    @property
    def _setting(self) -> str:
        settings: str = self.options.model_dump_json(exclude={"workers", "tests", "code"})
        return settings

    @property
    def _limits(self) -> Limits:
        from harness_sandbox.sandboxes import Limits

        return Limits(self.options.seconds, self.options.memory, self.options.disk)

    def _sandbox(self) -> Sandbox:
        """The sandbox, once it was seen to hold programs in."""
        from harness_sandbox.probe import probe
        from harness_sandbox.sandboxes import chosen

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
                probe(sandbox, self._limits)
                self._probed[key] = sandbox
            return self._probed[key]

    def _ready(self, answers: Iterable[tuple[str, Example]]) -> Iterator[tuple[int, int, str]]:
        """Try the tests of rows and run answers, some at a time; gives how far it is.

        What cannot be scored is left out.
        """
        programs: dict[Program, None] = {}
        for answer, row in answers:
            with contextlib.suppress(ValueError):
                programs[self._program(answer, row)] = None
        tests = {program.tests for program in programs if program.tests is not None}
        for done, total in self._side_by_side(self._test_nothing, list(tests)):
            yield done, total, "tests tried without an answer"
        for done, total in self._side_by_side(self._outcome, list(programs)):
            yield done, total, "programs run"

    def _side_by_side(
        self, work: Callable[[Any], object], of: Sequence[Any]
    ) -> Iterator[tuple[int, int]]:
        """Do a piece of work for each of these; gives how many are done, and of how many."""
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        from harness.kit import cgroups

        if not of:
            return
        self._sandbox()
        cores = cgroups.cores(cgroups.limits())
        pool = ThreadPoolExecutor(min(self.options.workers or cores, cores))
        try:
            waiting = {pool.submit(work, each) for each in of}
            while waiting:
                # Woken now and then, so that Ctrl-C is seen.
                done, waiting = wait(waiting, 0.5, FIRST_COMPLETED)
                for future in done:
                    if not isinstance(future.exception(), ValueError):
                        future.result()
                yield len(of) - len(waiting), len(of)
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
        for done, total, what in self._ready((answer.text, row) for answer, row in pairs):
            self.progress(done, total, what)

    def measure(self, prediction: harness.Prediction, example: Example) -> float | None:
        """1 or 0; None where the row's tests test nothing.

        Raises:
            ValueError: the row's tests cannot be used.
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        outcome = self._outcome(self._program(prediction.text, example))
        return None if outcome is None else float(not outcome.fault)

    def fields(self) -> Sequence[str]:
        """The field of the tests, and those that MBPP has beside it."""
        from harness_sandbox.row_tests import SETUP

        return (self.options.tests, *SETUP)

    def unscorable(
        self, rows: Sequence[Example], report: harness.Report
    ) -> Mapping[str, Sequence[str]]:
        """Rows whose tests test nothing, or cannot be used: of :data:`LOOKED_AT` the tests are run.

        Raises:
            EnvironmentFailure: there is no sandbox, or it does not hold programs in.
        """
        from harness.kit.draws import drawn

        tested = [row for row in rows if row.meta.get(self.options.tests) is not None]
        sample = drawn(tested, LOOKED_AT)
        for progress in self._ready(("", row) for row in sample):
            report(*progress)
        of = "" if len(sample) == len(tested) else f" (of {len(sample):,} that were tried)"
        found: dict[str, list[str]] = {}
        for row in sample:
            if why := self._why_unscored(row):
                found.setdefault(f"{why}{of}", []).append(row.id)
        return found

    def _why_unscored(self, row: Example) -> str:
        try:
            return TEST_NOTHING if self._outcome(self._program("", row)) is None else ""
        except ValueError as error:
            return str(error)

    def remarks(self, pairs: Pairs) -> Sequence[str]:
        """How many rows have no tests or such as test nothing, and which Python it is."""
        from harness_sandbox.sandboxes import chosen

        remarks = []
        rows = [row for _, row in pairs]
        without = sum(row.meta.get(self.options.tests) is None for row in rows)
        if without:
            remarks.append(
                f"{without} of {len(rows)} rows have no tests (`{self.options.tests}`): an answer "
                "to them has only to run."
            )
        idle = [row.id for row in rows if self._is_known_to_test_nothing(row)]
        if idle:
            remarks.append(
                f"the tests of {len(idle)} of {len(rows)} rows test nothing, and these rows have "
                f"no score, first '{idle[0]}': they pass behind an empty answer, or whatever its "
                "functions give."
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

    def _is_known_to_test_nothing(self, row: Example) -> bool:
        with contextlib.suppress(ValueError):
            tests = self._tests(row)
            return tests is not None and self._known.get((self._setting, tests)) is True
        return False


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
        with contextlib.suppress(ValueError):  # of tests that cannot be used: the metric says so
            outcome = self._outcome(self._program(scored.prediction.text, scored.example))
            if outcome is not None and outcome.fault:
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
        try:
            outcome = self._outcome(self._program(row.references[0], row))
        except ValueError as error:
            return Verification(False, str(error))
        if outcome is None:
            return Verification(False, TEST_NOTHING)
        return Verification(not outcome.fault, outcome.fault or "its code runs")

    def verify_all(self, rows: Sequence[Example], context: Context) -> Sequence[Verification]:
        """The same for many, some at a time."""
        for _ in self._ready((row.references[0], row) for row in rows if row.references):
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
