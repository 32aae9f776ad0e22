"""Heavy stages as jobs: a folder with a JSON description, done in a process of its own.

The folder holds ``job.json`` and the input rows; the job leaves its files in ``output/`` and
its answer in ``result.json``. Only the parent publishes. Between the two runs a thin channel:
the child reports progress as JSON lines on what was its standard output (whatever libraries
print goes to the log), and a line on its standard input asks it to stop. When the parent dies
the channel closes and the child ends at once.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import errors
from harness.context import Context, Report
from harness.errors import Cancelled, HarnessError, PluginError
from harness.files import read_json, read_jsonl, write_json, write_jsonl
from harness.records import Checkpoint, Example, Prediction, from_json, to_json

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Job:
    """What a child needs to know.

    Attributes:
        stage, plugin, options: which plugin, with which options (plain JSON values).
        plugins: one-file plugins to load.
        checkpoint: the model to start from; for a model's own job, what the run began with.
        rows: input name -> examples.
        seed, round, arm: as in :class:`harness.context.Context`.
    """

    stage: str
    plugin: str
    options: dict[str, Any]
    plugins: tuple[str, ...]
    checkpoint: Checkpoint | None
    rows: dict[str, Sequence[Example]]
    seed: int
    round: int
    arm: str


Handle = tuple[Callable[[], bool], Report]


def write(job: Job, folder: Path) -> None:
    """Lay a job out in an empty folder."""
    (folder / "output").mkdir(parents=True, exist_ok=True)
    for name, rows in job.rows.items():
        write_jsonl(folder / f"{name}.jsonl", map(to_json, rows))
    description = {
        "schema": SCHEMA,
        **{
            name: getattr(job, name)
            for name in ("stage", "plugin", "options", "plugins", "seed", "round", "arm")
        },
        "checkpoint": to_json(job.checkpoint),
        "rows": list(job.rows),
    }
    write_json(folder / "job.json", json.loads(json.dumps(description, default=str)))


def run_inline(folder: Path, instance: Any, report: Report, cancelled: Callable[[], bool]) -> Any:
    """Do the job in this process, with the plugin already made."""
    return _perform(folder, instance, report, cancelled)


def run_child(folder: Path, report: Report, cancelled: Callable[[], bool]) -> Any:
    """Do the job in a process of its own and wait for it.

    Raises:
        Cancelled: it was asked to stop and did.
        HarnessError: as the child raised it; PluginError where the child just died.
    """
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.job", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        with _asking_to_stop(child, cancelled):
            assert child.stdout is not None
            for line in child.stdout:
                done, total, what = json.loads(line)
                report(done, total, what)
            child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with _ignoring_broken_pipe():
                    pipe.close()
    return _outcome(folder, child.returncode)


def _outcome(folder: Path, code: int) -> Any:
    if (folder / "error.json").exists():
        failure = read_json(folder / "error.json")
        if failure["kind"] == "Cancelled":
            raise Cancelled
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
        raise error
    if code != 0 or not (folder / "result.json").exists():
        tail = (folder / "log.txt").read_text("utf-8", "replace").strip().splitlines()[-5:]
        reason = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise PluginError(
            f"the job's process ended without an answer ({reason})",
            details=tail,
            hint="signal 9 mostly means that the memory ran out" if code == -9 else "",
        )
    return read_json(folder / "result.json")


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
                with _ignoring_broken_pipe():
                    self.child.stdin.write(b"stop\n")
                    self.child.stdin.flush()
                return


class _ignoring_broken_pipe:
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, (BrokenPipeError, OSError))


def _perform(folder: Path, instance: Any, report: Report, cancelled: Callable[[], bool]) -> Any:
    description = read_json(folder / "job.json")
    rows = {
        name: [from_json(Example, row) for row in read_jsonl(folder / f"{name}.jsonl")]
        for name in description["rows"]
    }
    checkpoint = description["checkpoint"] and from_json(Checkpoint, description["checkpoint"])
    context = Context(
        output=folder / "output",
        seed=description["seed"],
        stage=description["stage"],
        round=description["round"],
        arm=description["arm"],
        report=report,
        cancelled=cancelled,
        known=checkpoint if description["stage"] == "model" else None,
    )
    stage = description["stage"]
    answer: Any
    if stage == "model":
        answer = to_json(instance.fetch(context))
    elif stage == "trainer":
        answer = to_json(instance.train(checkpoint, rows["train"], rows["valid"], context))
    else:
        predictions = _complete(instance.generate(checkpoint, rows["examples"], context), rows)
        write_jsonl(folder / "output" / "predictions.jsonl", map(to_json, predictions))
        answer = len(predictions)
    result = {"answer": answer, "facts": context.facts}
    write_json(folder / "result.json", result)
    return result


def _complete(predictions: Any, rows: dict[str, list[Example]]) -> list[Prediction]:
    """All predictions, in the order of the examples; none missing, none twice."""
    by_id: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.example_id in by_id:
            raise PluginError(f"it answered '{prediction.example_id}' twice")
        by_id[prediction.example_id] = prediction
    missing = [row.id for row in rows["examples"] if row.id not in by_id]
    if missing or len(by_id) != len(rows["examples"]):
        raise PluginError(f"it left {len(missing)} of {len(rows['examples'])} prompts unanswered")
    return [by_id[row.id] for row in rows["examples"]]


def _serve(folder: Path) -> int:
    """The child's whole life."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(stop,), daemon=True).start()

    def report(done: int, total: int, what: str) -> None:
        channel.write(json.dumps([done, total, what]) + "\n")

    try:
        _perform(folder, _instance(read_json(folder / "job.json")), report, stop.is_set)
    except Cancelled:
        write_json(folder / "error.json", {"kind": "Cancelled"})
    except HarnessError as error:
        _write_error(folder, error)
    except OSError as error:
        from harness.files import disk_trouble

        _write_error(folder, disk_trouble(error) or _unforeseen(error))
    except Exception as error:
        _write_error(folder, _unforeseen(error))
    sys.stderr.flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(0)


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


def _unforeseen(error: Exception) -> PluginError:
    wrapped = PluginError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


def _write_error(folder: Path, error: HarnessError) -> None:
    kind = type(error).__name__ if hasattr(errors, type(error).__name__) else "PluginError"
    write_json(
        folder / "error.json",
        {
            "kind": kind,
            "what": error.what,
            "where": error.where,
            "hint": error.hint,
            "details": list(error.details),
            "traceback": "".join(traceback.format_exception(error)),
        },
    )


if __name__ == "__main__":
    sys.exit(_serve(Path(sys.argv[1])))
