"""Heavy stages as jobs: a folder with a JSON description, done in a process of its own.

The folder holds ``job.json`` and the input rows; the job leaves its files in ``output/`` and
its answer in ``result.json``. Only the parent publishes. Between the two runs a thin channel:
the child reports progress as JSON lines on what was its standard output (whatever libraries
print goes to the log), and a line on its standard input asks it to stop. When the parent dies
the channel closes and the child ends at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from harness import errors
from harness.boundary import results
from harness.boundary.calls import failure as failure_of
from harness.context import Context, Report, silent, unheard
from harness.engine import scratch
from harness.errors import Cancelled, EnvironmentFailure, HarnessError, PluginError
from harness.kit.files import read_json, read_jsonl, write_json, write_jsonl
from harness.records import Checkpoint, Example, from_json, to_json

ERROR = "error.json"
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """What a child needs to know.

    Attributes:
        stage, plugin, options: which plugin, with which options (plain JSON values).
        plugins: one-file plugins to load.
        checkpoint: the model to start from; for a model's own job, what the run began with.
        rows: names of the inputs, each a file of examples beside the description.
        seed, round, arm, run, checkpoint_minutes: as in :class:`harness.context.Context`.
    """

    stage: str
    plugin: str
    options: dict[str, Any]
    plugins: tuple[str, ...]
    checkpoint: Checkpoint | None
    rows: tuple[str, ...]
    seed: int
    round: int
    arm: str
    run: str = ""
    checkpoint_minutes: float = 0.0


def write(job: Job, rows: Mapping[str, Sequence[Example]], folder: Path) -> None:
    """Lay a job and its inputs out in an empty folder."""
    (folder / "output").mkdir(parents=True, exist_ok=True)
    for name in job.rows:
        write_jsonl(folder / f"{name}.jsonl", map(to_json, rows[name]))
    write_json(folder / "job.json", to_json(job))


def run_child(
    folder: Path,
    report: Report,
    cancelled: Callable[[], bool],
    say: Callable[[str], None] = unheard,
) -> Any:
    """Do the job in a process of its own and wait for it.

    Raises:
        Cancelled: it was asked to stop and did.
        HarnessError: as the child raised it; PluginError where the child just died.
    """
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.engine.job", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        with _asking_to_stop(child, cancelled):
            failure = _progress(child, report, say)
            child.wait()
    finally:
        _end(child)
    return _outcome(folder, child.returncode, failure)


def ask_environments(
    folder: Path,
    asked: Sequence[Mapping[str, Any]],
    plugins: Sequence[str],
    cancelled: Callable[[], bool],
) -> dict[str, dict[str, str]]:
    """What plugins say of this machine (:meth:`harness.Plugin.environment`), in one child.

    Args:
        folder: an empty folder.
        asked: ``stage``, ``plugin`` and ``options`` of each.

    Returns:
        stage -> what its plugin says.
    """
    write_json(folder / "job.json", {"asked": list(asked), "plugins": list(plugins)})
    answer: dict[str, dict[str, str]] = run_child(folder, silent, cancelled)["answer"]
    return answer


def as_environment(given: Any) -> dict[str, str]:
    """What :meth:`harness.Plugin.environment` gave.

    Raises:
        PluginError: it is no mapping of texts.
    """
    if not isinstance(given, Mapping):
        raise PluginError(f"environment() gives a {type(given).__name__}, not a mapping of texts")
    return {str(name): str(value) for name, value in given.items()}


def _environments(folder: Path, description: dict[str, Any]) -> None:
    answer = {}
    for plugin in description["asked"]:
        instance = _instance({**plugin, "plugins": description["plugins"]})
        answer[plugin["stage"]] = as_environment(instance.environment())
    write_json(folder / "result.json", {"answer": answer})


def _progress(
    child: subprocess.Popen[bytes], report: Report, say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Pass the child's progress on until it ends; returns the failure that it tells of.

    What is no such line (a library that prints while it is imported) is passed over. A process
    that the child has left behind may hold the channel open for ever: the child's end counts.
    """
    assert child.stdout is not None
    pending, failure, over = b"", None, False
    while not over:
        over = child.poll() is not None
        readable, _, _ = select.select([child.stdout], [], [], 0 if over else POLL_SECONDS)
        if not readable:
            continue
        data = os.read(child.stdout.fileno(), 1 << 20)
        if not data:
            break
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            message = _message(line)
            if isinstance(message, dict):
                failure = message
            elif isinstance(message, str):
                say(message)
            elif message is not None:
                report(*message)
    return failure


def _message(line: bytes) -> dict[str, Any] | tuple[int, int, str] | str | None:
    """A failure, a step, a sentence, or None where the line is none of them."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        if isinstance(value.get("say"), str):
            return str(value["say"])
        return value if "kind" in value else None
    good = isinstance(value, list) and [type(part) for part in value] == [int, int, str]
    return (value[0], value[1], value[2]) if good else None


def _end(child: subprocess.Popen[bytes]) -> None:
    """Leave nothing of the child behind, processes of its own included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _outcome(folder: Path, code: int, failure: dict[str, Any] | None) -> Any:
    if failure is None and (folder / ERROR).exists():
        failure = read_json(folder / ERROR)
    if failure is not None:
        raise _raised(failure)
    if code == 0 and (folder / "result.json").exists():
        return read_json(folder / "result.json")
    tail = (folder / "log.txt").read_text("utf-8", "replace").strip().splitlines()[-5:]
    if code == -signal.SIGKILL:
        raise EnvironmentFailure(
            "the job's process was killed (signal 9), which mostly means that memory ran out",
            details=tail,
            hint="close other programs, or ask for less at once; finished work is saved",
        )
    if tail and (name := next((n for n in _MACHINE if n in tail[-1]), "")):
        raise EnvironmentFailure(f"the job's process ended: {name}", details=tail)
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    raise PluginError(f"the job's process ended without an answer ({reason})", details=tail)


_MACHINE = (
    "MemoryError", "failed to map segment", "annot allocate memory", "No space left on device",
    "Disk quota exceeded", "Too many open files", "Input/output error", "File too large",
)  # fmt: skip
"""Last words of a process that the machine ended, before it could tell anybody."""


def _raised(failure: dict[str, Any]) -> Exception:
    """The exception that the child told of."""
    if failure["kind"] == "Cancelled":
        return Cancelled()
    kind: type[HarnessError] = getattr(errors, failure["kind"])
    error = kind.__new__(kind)
    HarnessError.__init__(
        error,
        failure["what"],
        where=failure["where"],
        hint=failure["hint"],
        details=failure["details"],
    )
    error.add_note(failure["traceback"])
    return error


class _asking_to_stop:
    """While the child works, pass a cancellation on to it."""

    def __init__(self, child: subprocess.Popen[bytes], cancelled: Callable[[], bool]) -> None:
        self.child, self.cancelled = child, cancelled
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(0.1):
            if self.cancelled() and self.child.stdin is not None:
                with contextlib.suppress(OSError):
                    self.child.stdin.write(b"stop\n")
                    self.child.stdin.flush()
                return


def run_inline(
    folder: Path,
    instance: Any,
    report: Report,
    cancelled: Callable[[], bool],
    say: Callable[[str], None] = unheard,
) -> Any:
    """Do the job in this process, with the plugin already made."""
    job = from_json(Job, read_json(folder / "job.json"))
    rows = {
        name: [from_json(Example, row) for row in read_jsonl(folder / f"{name}.jsonl")]
        for name in job.rows
    }
    known = job.checkpoint if job.stage == "model" else None
    context = Context(
        folder / "output", job.seed, job.stage, job.round, job.arm,
        report=report, cancelled=cancelled, known=known, run=job.run,
        scratch=scratch.of(folder), checkpoint_minutes=job.checkpoint_minutes, say=say,
    )  # fmt: skip
    process = os.getpid()
    answer: Any
    if job.stage == "model":
        answer = to_json(results.checkpoint(instance.fetch(context), "fetch()"))
    elif job.stage == "trainer":
        made = instance.train(job.checkpoint, rows["train"], rows["valid"], context)
        answer = to_json(results.checkpoint(made, "train()"))
        results.training_log(context.output / "log.jsonl")
    else:
        answers = instance.generate(job.checkpoint, rows["examples"], context)
        predictions = results.predictions(answers, rows["examples"])
        _only_in(process)
        write_jsonl(folder / "output" / "predictions.jsonl", map(to_json, predictions))
        answer = len(predictions)
    _only_in(process)
    result = {"answer": answer, "facts": results.facts(context.facts)}
    write_json(folder / "result.json", result)
    return result


def _serve(folder: Path) -> int:
    """The child's whole life."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()

    def report(done: int, total: int, what: str) -> None:
        channel.write(json.dumps([int(done), int(total), str(what)]) + "\n")

    def say(sentence: str) -> None:
        channel.write(json.dumps({"say": str(sentence)}) + "\n")

    process = os.getpid()
    failure: dict[str, Any] | None = None
    try:
        description = read_json(folder / "job.json")
        if "asked" in description:
            _environments(folder, description)
        else:
            run_inline(folder, _instance(description), report, stop.is_set, say)
    except Cancelled:
        failure = {"kind": "Cancelled"}
    except HarnessError as error:
        failure = _described(error)
    except BaseException as error:
        failure = _described(_wrapped(error))
    _only_in(process)
    if failure is not None:
        _tell(folder, channel, failure)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(0)


def _only_in(process: int) -> None:
    """End here if this is a copy that the plugin made by fork() and that came back from it."""
    if os.getpid() != process:
        os._exit(0)


def _tell(folder: Path, channel: TextIO, failure: dict[str, Any]) -> None:
    """By the channel, which needs no disk; in a file where the plugin has closed it."""
    try:
        channel.write(json.dumps(failure) + "\n")
        channel.flush()
    except (OSError, ValueError):
        write_json(folder / ERROR, failure)


def _wrapped(error: BaseException) -> HarnessError:
    """An unforeseen exception as an error for people, which keeps its traceback."""
    failure = failure_of(error)
    failure.__cause__ = error
    return failure


def _instance(description: dict[str, Any]) -> Any:
    from harness.registry import Registry

    registry = Registry.build([Path(path) for path in description["plugins"]])
    plugin = registry.get(description["stage"], description["plugin"]).plugin
    return plugin(plugin.Options.model_validate(description["options"]))


def _listen(stop: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            stop.set()
    os._exit(1)


def _described(error: HarnessError) -> dict[str, Any]:
    known = hasattr(errors, type(error).__name__)
    return {
        "kind": type(error).__name__ if known else "PluginError",
        "what": str(error.what),
        "where": str(error.where),
        "hint": str(error.hint),
        "details": [str(line) for line in error.details],
        "traceback": "".join(traceback.format_exception(error)),
    }


if __name__ == "__main__":
    sys.exit(_serve(Path(sys.argv[1])))
