"""Write the tuned model as a folder that loads without harness."""

from __future__ import annotations

import contextlib
import os
import re
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
    from harness_transformers.export.transfer import Transfer

app = typer.Typer()

SMALLER = (
    "nothing was written; close other programs; without --merge less is needed, since merged "
    "weights are checked in float32, with four bytes for each weight"
)
"""What to do where memory is short."""
_SYSTEM = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust tell what the system refused."""


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
    target, base = request.target(), request.named_base()
    console = Console(stderr=True)
    with _failures(target, console), plugins_on_stderr():
        made = (_export_file if request.gguf else _export)(request, target, base, console)
    what = f"{target}: {made.kind} of round {made.origin.round}, run {made.origin.stored.run}"
    parity = made.parity.sentence if made.parity else ""
    lines = (what, made.system_note, parity, *made.checks, made.advice, made.note)
    for line in filter(None, lines):
        console.print(Text(one_line(line, 1000)), highlight=False, soft_wrap=True)
    use = list(made.loading_lines(repr(str(target))))
    if made.file is not None:
        use = [shlex.join(["llama-server", "-m", str(target / made.file.name), "--jinja"])]
    sys.stdout.write("\n".join(use) + "\n")
    if request.push is not None:
        from harness_transformers.export.push import push
        from harness_transformers.quiet import quietly

        try:
            with quietly():
                address = push(target, request.push, private=request.private)
        except harness.Cancelled as stop:
            console.print(Text(one_line(str(stop), 1000)), highlight=False, soft_wrap=True)
            raise
        console.print(Text(one_line(f"uploaded to {address}")), highlight=False, soft_wrap=True)


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
    for line in (seen.parity.sentence, *seen.facts):
        console.print(Text(one_line(line, 1000)), highlight=False, soft_wrap=True)
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
    Console(stderr=True).print(Text(one_line(what, 1000)), highlight=False, soft_wrap=True)


def _write_task(request: Request) -> None:
    from harness_transformers.export import lm_eval_task

    target = request.target()
    with plugins_on_stderr(), whole_folder(target) as folder:
        run = harness.open_run(request.run)
        rows = run.rows("dev")
        count = lm_eval_task.write(folder, run.name, rows, run.config())
    left = f" ({len(rows) - count} without a reference are left out)" if count < len(rows) else ""
    what = f"{target}: {count} rows of dev as the task {run.name}{left}"
    Console(stderr=True).print(Text(one_line(what, 1000)), highlight=False, soft_wrap=True)
    sys.stdout.write(
        f"cd {shlex.quote(str(target))} && lm_eval run --tasks {run.name} --include_path . "
        "--apply_chat_template --log_samples --output_path out --model hf --model_args …\n"
    )


def _export(request: Request, target: Path, base: str | None, console: Console) -> Export:
    from harness.kit.terminal.progress import SHORT, WEIGHTS, Display
    from harness_transformers import memory
    from harness_transformers.export import origin, parity, system_turn
    from harness_transformers.export.card import write_card
    from harness_transformers.export.licence import of_base
    from harness_transformers.export.made import Export, Merging
    from harness_transformers.quiet import quietly

    stages = WEIGHTS["generate"] + 2 * SHORT
    short = memory.told("to export this model", SMALLER)
    with Display(console, "export", stages) as display, quietly(), short:
        source = origin.find(request.run, request.round, display.stage("find the model"))
        if request.merge:
            _refuse_merging(source)
        _refuse_push(request, source)
        display.stage_done("model", "find the model", 0.0, False)
        with whole_folder(target) as folder:
            display.stage("write the files")
            asked = system_turn.placed(source.tuned, source.system_turns)
            rounded = _write(source, asked, base, folder, request)
            parity.check_prompts(source, folder)
            display.stage_done("write", "write the files", 0.0, False)
            exported = parity.as_checkpoint(source, folder, merged=request.merge)
            report = display.stage("generate")
            sameness = merging = None
            if rounded is None:
                answers = parity.answers(exported, source, source.stored.card.examples, report)
                sameness = parity.same(exported, source, answers, report)
                sameness.require()
            else:
                dtype, lost = rounded
                merging = Merging(dtype, lost, _checked(exported, source, dtype, report))
                merging.require()
                # What is finer than bf16 would be rounded to it where the run computes so.
                finer = {} if dtype == "bfloat16" else {"precision": "fp32"}
                answers = parity.answers(
                    exported, source, source.stored.card.examples, report, **finer
                )
            compared = parity.compare(source, answers)
            licence = of_base(source.stored.config["model"], source.tuned)
            licence = request.licence or licence
            named = base or _base_folder(source)
            made = Export(
                source, compared, named, base is None, licence, sameness, merging,
                system_placed=asked is not source.tuned,
            )  # fmt: skip
            write_card(made, folder)
    return made


def _export_file(request: Request, target: Path, base: str | None, console: Console) -> Export:
    """A GGUF file, compared with what was evaluated.

    Raises:
        UsageError: such a model is not written.
        DataError: the file is refused.
        EnvironmentFailure: llama.cpp is not installed, or fails.
    """
    from harness.kit.terminal.progress import SHORT, WEIGHTS, Display
    from harness_transformers import memory
    from harness_transformers.export import fidelity, modelfile, origin, system_turn, weights
    from harness_transformers.export.card import write_card
    from harness_transformers.export.licence import of_base
    from harness_transformers.export.made import Export, File
    from harness_transformers.llamacpp import asking, library, writing
    from harness_transformers.quiet import quietly

    kind = request.quantize or "f16"
    if not request.anyway:
        library.need("--gguf: the check of the file (without it: --anyway)")
    stages = WEIGHTS["generate"] + 2 * SHORT
    short = memory.told("to export this model", SMALLER)
    with Display(console, "export", stages) as display, quietly(), short:
        source = origin.find(request.run, request.round, display.stage("find the model"))
        _refuse_merging(source, "--gguf")
        _refuse_push(request, source)
        display.stage_done("model", "find the model", 0.0, False)
        with whole_folder(target) as folder:
            path = folder / f"model-{kind}.gguf"
            asked = system_turn.placed(source.tuned, source.system_turns)
            asking.written(asked, path, kind, display.stage("write the file"))
            template = modelfile.write(source, folder, path.name)
            weights.write_legal(source.tuned, folder)
            display.stage_done("write", "write the file", 0.0, False)
            seen = None
            if library.installed():
                report = display.stage("generate")
                seen = fidelity.checked(source, path, kind, request.tolerance, report)
                if seen.outcome == "refused" and not request.anyway:
                    raise harness.DataError(
                        f"the file is not what was evaluated: {seen.verdict}",
                        details=[*seen.faults[1:], *seen.facts, seen.parity.sentence],
                        hint="nothing was written; "
                        + (f"{seen.finer}, and " if seen.finer else "")
                        + "--anyway writes the file with these figures in its card",
                    )
            file = File(path.name, kind, writing.kinds_of(path), seen, template)
            licence = request.licence or of_base(source.stored.config["model"], source.tuned)
            compared = seen.parity if seen else None
            made = Export(
                source, compared, _base_folder(source), True, licence, file=file,
                system_placed=asked is not source.tuned,
            )  # fmt: skip
            write_card(made, folder)
    return made


def _refuse_push(request: Request, source: Origin) -> None:
    """Before any work: whether the licence of the base model is known, and the hub has room.

    Raises:
        UsageError: it is not, or there is a repository of this name.
        EnvironmentFailure: nobody has logged in, or the hub cannot be asked.
    """
    if request.push is None:
        return
    from harness_transformers.export.licence import of_base
    from harness_transformers.export.push import need_licence, need_room

    need_licence(of_base(source.stored.config["model"], source.tuned), request.licence)
    need_room(request.push)


def _refuse_merging(source: Origin, option: str = "--merge") -> None:
    if source.quantised:
        raise harness.UsageError(
            f"{option}: an adapter cannot be merged into quantised weights, and this base model "
            "was trained and evaluated with such",
            hint=f"leave {option} out: the adapter is exported, to be applied beside them",
        )


def _write(
    source: Origin, asked: harness.Checkpoint, base: str | None, folder: Path, request: Request
) -> tuple[str, float] | None:
    """All files but the card; what ``weights.write_merged`` says, None of an adapter.

    Args:
        asked: the model with the chat template that is exported.
    """
    from harness_transformers.export import weights

    weights.write_tokenizer(asked, folder)
    if request.merge:
        return weights.write_merged(source.tuned, folder, request.dtype)
    weights.write_adapter(source.tuned, base or _base_folder(source), folder)
    return None


def _checked(
    exported: harness.Checkpoint, source: Origin, dtype: str, report: harness.Report
) -> Transfer:
    """Merged weights as the files have them, compared with the adapter.

    Raises:
        DataError: they are not what merging gives.
    """
    from harness_transformers import loading
    from harness_transformers.export import transfer, weights

    if names := weights.strange(source.tuned, loading.base_of(exported, "auto")):
        raise harness.DataError(
            f"{len(names)} of the exported weights are not the base model's with the adapter, "
            "added in float32 and rounded once",
            details=names[:5],
            hint="nothing was written; without --merge the adapter is exported as it is",
        )
    return transfer.measured(exported, source, transfer.LIMITS[dtype], report)


def _base_folder(source: Origin) -> str:
    return str(Path(str(source.tuned.base_path)).resolve())


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
        sentence = one_line(f"stopped; nothing was written to {target}")
        console.print(Text(sentence), highlight=False, soft_wrap=True)
        raise harness.Cancelled from None
    except (harness.HarnessError, harness.Cancelled):
        raise
    except Exception as error:
        raise _told(error, target) from error


def _told(error: Exception, target: Path) -> harness.HarnessError:
    refused = _SYSTEM.search(str(error))
    cause = OSError(int(refused[1]), os.strerror(int(refused[1]))) if refused else error
    trouble = harness.machine_trouble(cause)
    if trouble is None and not isinstance(cause, OSError):
        what = one_line(f"{type(error).__name__}: {error}", 600)
        return harness.PluginError(what, where="harness export")
    # The target is written under another name first, which nobody has to know.
    temporary = str(target.with_name(f".{target.name}."))
    # Of two files that a copy names, the second is written.
    named = (getattr(cause, key, None) for key in ("filename2", "filename"))
    place = str(next(filter(None, named), temporary))
    return harness.EnvironmentFailure(
        trouble.what.partition(";")[0] if trouble else str(getattr(cause, "strerror", cause)),
        where=f"-o {target}" if place.startswith((temporary, str(target))) else place,
        hint="nothing was written: mend that, and run the same command again",
    )
