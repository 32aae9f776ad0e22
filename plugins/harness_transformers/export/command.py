"""Write the tuned model as a folder that loads without harness."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

import harness
from harness.kit.files import whole_folder
from harness.kit.terminal.options import takes
from harness.kit.terminal.streams import plugins_on_stderr
from harness.kit.text import one_line
from harness_transformers.export.request import Request

if TYPE_CHECKING:
    from harness_transformers.export.made import Export
    from harness_transformers.export.origin import Origin

app = typer.Typer()

SMALLER = (
    "nothing was written; close other programs; without --merge less is needed, since merged "
    "weights are checked in float32, with four bytes for each weight"
)
"""What to do where memory is short."""


@app.command()
@takes(Request)
def export(request: Request) -> None:
    """Write the tuned model as a folder that loads without harness.

    It holds the adapter, or with --merge whole weights, the tokenizer with its chat template and
    a model card. All prompts of dev are answered with it first. Where the exported tokenizer builds
    one of them otherwise, an exported adapter answers one otherwise than the run's own, or merged
    weights are not the base model's with the adapter, nothing is written. Standard output has the
    two lines of Python that load it.

    With --gguf it is one file for llama.cpp and Ollama. Its prompts, weights and log-probabilities
    are compared with those of the run, and its answers to dev scored beside the run's; a file that
    is refused is not written.

    With --to inspect it is the answers of the round to dev that are written, with their scores, and
    with --to lm-eval the rows of dev as a task.
    """
    request.check()
    if request.compared is not None:
        _compare(request, request.compared)
        return
    if request.to != "model":
        (_write_log if request.to == "inspect" else _write_task)(request)
        return
    target, console = request.target(), Console(stderr=True)
    with _failures(target, console), plugins_on_stderr():
        made = _export(request, target, console)
    what = f"{target}: {made.kind} of round {made.origin.round}, run {made.origin.stored.run}"
    parity = made.parity.sentence if made.parity else ""
    lines = (what, made.system_note, parity, *made.checks, made.advice, made.note)
    _say(console, *filter(None, lines))
    use = list(made.loading_lines(repr(str(target))))
    if made.file:
        use = [shlex.join(["llama-server", "-m", str(target / made.file), "--jinja"])]
    sys.stdout.write("\n".join(use) + "\n")
    if request.push is not None:
        from harness_transformers.export.push import push
        from harness_transformers.quiet import quietly

        try:
            with quietly():
                address = push(target, request.push, private=request.private)
        except harness.Cancelled as stop:
            _say(console, str(stop))
            raise
        _say(console, f"uploaded to {address}")


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(one_line(line, 1000)), highlight=False, soft_wrap=True)


def _compare(request: Request, place: Path) -> None:
    """Say whether what others made is what was evaluated.

    Raises:
        DataError: it is refused.
    """
    from harness.kit.terminal.progress import SHORT, WEIGHTS, Display
    from harness_transformers.export import origin, stranger
    from harness_transformers.quiet import quietly

    console = Console(stderr=True)
    stages = WEIGHTS["generate"] + SHORT
    with (
        _failures(place, console), plugins_on_stderr(),
        Display(console, "export", stages) as display, quietly(),
    ):  # fmt: skip
        source = origin.find(request.run, request.round, display.stage("find the model"))
        report = display.stage("generate")
        seen = stranger.compared(source, place, request.tolerance, report)
    _say(console, seen.parity.sentence, *seen.facts)
    if seen.outcome == "refused":
        raise harness.DataError(
            f"this is not what was evaluated: {seen.verdict}",
            where=str(place), details=seen.faults[1:],
            hint=f"harness export --gguf {seen.finer}" if seen.finer else "",
        )  # fmt: skip
    sys.stdout.write(f"{seen.verdict}\n")


def _write_log(request: Request) -> None:
    from harness_transformers.export.inspect_log import document, write

    target = request.log()
    with plugins_on_stderr():
        run = harness.open_run(request.run)
        stored = run.round(run.best if request.round is None else request.round)
        log = document(stored)
    write(target, log)
    what = f"{target}: {len(log['samples'])} answers of round {stored.result.round}, run {run.name}"
    _say(Console(stderr=True), what)


def _write_task(request: Request) -> None:
    from harness_transformers.export import lm_eval_task

    target = request.target()
    with plugins_on_stderr(), whole_folder(target) as folder:
        run = harness.open_run(request.run)
        rows = run.rows("dev")
        count = lm_eval_task.write(folder, run.name, rows, run.config())
    left = f" ({len(rows) - count} without a reference are left out)" if count < len(rows) else ""
    what = f"{target}: {count} rows of dev as the task {run.name}{left}"
    _say(Console(stderr=True), what)
    sys.stdout.write(
        f"cd {shlex.quote(str(target))} && lm_eval run --tasks {run.name} --include_path . "
        "--apply_chat_template --log_samples --output_path out --model hf --model_args …\n"
    )


def _export(request: Request, target: Path, console: Console) -> Export:
    from harness.kit.terminal.progress import SHORT, WEIGHTS, Display
    from harness_transformers import memory
    from harness_transformers.export import made, origin
    from harness_transformers.export.card import write_card
    from harness_transformers.export.licence import of_base
    from harness_transformers.export.push import need_licence, need_room
    from harness_transformers.llamacpp import library
    from harness_transformers.quiet import quietly

    if request.gguf and not request.anyway:
        library.need("--gguf: the check of the file (without it: --anyway)")
    stages = WEIGHTS["generate"] + 2 * SHORT
    short = memory.told("to export this model", SMALLER)
    with Display(console, "export", stages) as display, quietly(), short:
        source = origin.find(request.run, request.round, display.stage("find the model"))
        if request.gguf or request.merge:
            _refuse_merging(source, "--gguf" if request.gguf else "--merge")
        licence = request.licence or of_base(source.stored.config["model"], source.tuned)
        if request.push is not None:  # before any work
            need_licence(licence)
            need_room(request.push)
        display.stage_done("model", "find the model", 0.0, False)
        make = made.gguf if request.gguf else made.merged if request.merge else made.adapter
        with whole_folder(target) as folder:
            exported = make(request, source, licence, folder, display)
            write_card(exported, folder)
    return exported


def _refuse_merging(source: Origin, option: str = "--merge") -> None:
    if source.quantised:
        raise harness.UsageError(
            f"{option}: an adapter cannot be merged into quantised weights, and this base model "
            "was trained and evaluated with such",
            hint=f"leave {option} out: the adapter is exported, to be applied beside them",
        )


@contextlib.contextmanager
def _failures(target: Path, console: Console) -> Iterator[None]:
    """Whatever happens within it is told in one message.

    Raises:
        EnvironmentFailure: the system refuses (disk, permissions), in whatever library.
        PluginError: a library fails otherwise.
        Cancelled: Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        _say(console, f"stopped; nothing was written to {target}")
        raise harness.Cancelled from None
    except (harness.HarnessError, harness.Cancelled):
        raise
    except Exception as error:
        raise _told(error, target) from error


def _told(error: Exception, target: Path) -> harness.HarnessError:
    trouble = harness.machine_trouble(error)
    if trouble is None and not isinstance(error, OSError):
        what = one_line(f"{type(error).__name__}: {error}", 600)
        return harness.PluginError(what, where="harness export")
    # The target is written under another name first, which nobody has to know.
    temporary = str(target.with_name(f".{target.name}."))
    # Of two files that a copy names, the second is written.
    named = (getattr(error, key, None) for key in ("filename2", "filename"))
    place = str(next(filter(None, named), temporary))
    return harness.EnvironmentFailure(
        trouble.what.partition(";")[0] if trouble else str(getattr(error, "strerror", error)),
        where=f"-o {target}" if place.startswith((temporary, str(target))) else place,
        hint="nothing was written: mend that, and run the same command again",
    )
