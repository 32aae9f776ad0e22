"""Every failure that a user can meet, with its exit code.

A message says what went wrong, where, why, and what to do. The command line prints
exactly one of them and no traceback (``--debug`` adds it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXIT_OK = 0
EXIT_REQUIREMENT = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_DATA = 4
EXIT_PLUGIN = 5
EXIT_WAITING = 6
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
"""What a shell says of a program that SIGPIPE ended: 128 + 13."""


class HarnessError(Exception):
    """Base of the errors meant for people.

    Args:
        what: one sentence: what went wrong, and why.
        where: a file, ``file:line``, a plugin, or a stage.
        hint: what to do about it.
        details: further lines, one problem each.
    """

    exit_code = EXIT_USAGE
    title = "error"

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", details: Sequence[str] = ()
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.details = tuple(details)

    @property
    def placed(self) -> str:
        """Where and what, for within a sentence."""
        return f"{self.where}: {self.what}" if self.where else self.what

    def __str__(self) -> str:
        lines = [self.placed, *(f"  {line}" for line in self.details)]
        if self.hint:
            lines.append(f"  -> {self.hint}")
        return "\n".join(lines)


class UsageError(HarnessError):
    """A wrong command line, run name, round or score name (exit 2)."""

    exit_code = EXIT_USAGE
    title = "usage"


class ConfigError(UsageError):
    """A config file or an option that cannot be accepted (exit 2)."""

    title = "config"


class EnvironmentFailure(HarnessError):
    """The machine lacks something: network, disk, memory, a package, a lock (exit 3)."""

    exit_code = EXIT_ENVIRONMENT
    title = "environment"


class PackageMissing(EnvironmentFailure):
    """A package that only some uses need is not installed; the hint installs it (exit 3)."""

    package: str = ""


class OutOfMemory(EnvironmentFailure):
    """The memory of the machine or of a device is not enough for what was asked (exit 3)."""


class JobKilled(OutOfMemory):
    """A job's process was killed, which mostly means that memory ran out (exit 3)."""


class DataError(HarnessError):
    """Data that cannot be used as it is (exit 4)."""

    exit_code = EXIT_DATA
    title = "data"


class PluginError(HarnessError):
    """A plugin failed; the message names plugin, version, stage, round and example (exit 5)."""

    exit_code = EXIT_PLUGIN
    title = "plugin"


class JobDied(PluginError):
    """A job's process ended without a word (exit 5)."""


class InputChanged(HarnessError):
    """A plugin changed rows that it was given to read: what this process holds is void (exit 5).

    So it always ends the run, where another failure would cost a note: it is no
    :class:`PluginError`, and whoever goes on after any other error lets it through.
    """

    exit_code = EXIT_PLUGIN
    title = "plugin"


class Waiting(HarnessError):
    """A stage waits for people; the run goes on with the same command later (exit 6).

    Args:
        commands: what people have to run meanwhile.
    """

    exit_code = EXIT_WAITING
    title = "waiting"

    def __init__(self, what: str, commands: Sequence[str]) -> None:
        super().__init__(what, details=commands, hint="then the same command goes on")
        self.commands = tuple(commands)
        self.args = (what, self.commands)  # what it is made anew from in another process


class Cancelled(Exception):
    """The user asked to stop; whatever is finished is kept (exit 130)."""

    exit_code = EXIT_INTERRUPTED


class BudgetSpent(Cancelled):
    """The time that the config gives a command is over; its text says so (exit 130)."""


class Unread(BaseException):
    """Nobody reads our output any more (``harness errors | head -1``): the program ends quietly.

    No ``Exception`` and no ``SystemExit``: both would be put down to the plugin that printed.
    """


STOPPING = (Cancelled, Waiting, KeyboardInterrupt, Unread)
"""What ends a run without anything having failed: never put down to a plugin."""
NO_FAULT = (Cancelled, Waiting, EnvironmentFailure)
"""What a plugin raises through no fault of its own: whoever runs it has to stop."""


def reason(error: BaseException, limit: int = 1000) -> str:
    """An exception in one line, ``ValueError: a wrong shape``. Never raises.

    The text is somebody else's: its ``str()`` may raise, or hold what UTF-8 cannot.
    """
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except BaseException:
        return f"{name} (its text cannot be read)"
    text = text.encode("utf-8", "replace").decode()
    return f"{name}: {text[:limit]}" if text else name


def near(name: str, known: Sequence[str], synonyms: Mapping[str, str] | None = None) -> str:
    """``", did you mean 'x'?"`` for the name that is most likely meant, or an empty string.

    That is the one which a synonym stands for, else the only one with these initials (``lr`` for
    ``learning_rate``), else the closest by its letters.

    Args:
        synonyms: what others call a thing -> its name here.
    """
    import difflib

    meant = (synonyms or {}).get(name.casefold())
    initials = [
        candidate
        for candidate in known
        if "_" in candidate and _initials(candidate) == name.casefold()
    ]
    if meant not in known:
        meant = initials[0] if len(initials) == 1 else None
    matches = [meant] if meant else difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f", did you mean '{matches[0]}'?" if matches else ""


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.casefold().split("_"))
