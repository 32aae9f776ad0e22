"""The command line: errors for people, exit codes for programs.

This module imports nothing: Ctrl-C is answered before anything heavy is loaded. The commands are
in :mod:`harness.cli.commands`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def main() -> None:
    """The ``harness`` command."""
    try:
        from harness.kit.terminal import interrupts

        with interrupts.answered():
            _main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _main() -> None:
    import gc
    import sys
    from contextlib import nullcontext

    # What a command imports stays until it ends. At Python's own 700 a seventh of a short command's
    # time went into looking through that for cycles, again and again.
    gc.set_threshold(50_000)
    from harness.errors import EXIT_UNREAD, Unread
    from harness.kit.telling import telling
    from harness.kit.terminal.streams import document_alone, outlets

    anywhere = {"--debug", "--trust"} & {*sys.argv[1:]}
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument not in anywhere]
    try:
        alone = document_alone() if "--json" in sys.argv[1:] else nullcontext()
        with alone, outlets(), _gate("--trust" in anywhere), telling(_note):
            sys.exit(_run("--debug" in anywhere))
    except Unread:
        sys.exit(EXIT_UNREAD)
    except SystemExit as end:
        from harness.cli.left_threads import end_without

        end_without(end.code if isinstance(end.code, int) else int(bool(end.code)))
        raise


def _note(sentence: str) -> None:
    from harness.boundary.calls import aloud

    aloud(f"note: {sentence}")


def _gate(trusting: bool) -> AbstractContextManager[None]:
    """The gate of this command; with ``--trust`` it stays open whatever is put to use."""
    from harness.kit import gate

    return gate.fresh(trusting=trusting)


def _run(debug: bool) -> int:
    """The exit code of a failure; otherwise typer leaves by SystemExit."""
    import sys

    from harness.errors import EXIT_INTERRUPTED, EXIT_OK, BudgetSpent, Cancelled, HarnessError

    try:
        from harness.cli.commands import app
        from harness.kit.terminal import interrupts

        interrupts.begin()
        try:
            app(prog_name="harness")  # under whichever name it was started
        finally:
            sys.stdout.flush()
    except HarnessError as error:
        from harness.cli.failure import show

        return show(error, debug=debug)
    except BudgetSpent as end:
        from harness.boundary.calls import aloud

        aloud(f"stopped: {end}")
        return EXIT_INTERRUPTED
    except (Cancelled, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except OSError as error:
        from harness.cli.failure import show_os_error

        return show_os_error(error, debug=debug)
    except (MemoryError, ImportError, RuntimeError) as error:
        from harness.cli.failure import show
        from harness.errors.machine import machine_trouble

        trouble = machine_trouble(error)
        if trouble is None:
            raise
        trouble.__cause__ = error
        return show(trouble, debug=debug)
    return EXIT_OK
