"""The command that goes on with a run: as it was given, and kept for other commands to tell."""

from __future__ import annotations

from pathlib import Path

from harness.config.finding import FILE_NAME, shipped
from harness.config.loading import Config
from harness.kit.files import read_json, write_json

FILE = "command.json"
PLAIN = ("harness", "iterate")


def command(config: Config) -> list[str]:
    """The words of the command line that this config came from."""
    path = config.path
    default = path in (None, Path(FILE_NAME), shipped(FILE_NAME))
    named = [] if default else ["-c", str(path)]
    return [*PLAIN, *named, *config.given]


def write(folder: Path, config: Config) -> None:
    """Remember it in the run's folder; the copy of the config that lies there is no command's."""
    if config.path is not None and config.path.resolve().parent == folder.resolve():
        return
    write_json(folder / FILE, command(config))


def read(folder: Path) -> list[str] | None:
    """What was remembered there; None where it is no command of ours."""
    try:
        words = read_json(folder / FILE)
    except (OSError, ValueError):
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return words if tuple(words[: len(PLAIN)]) == PLAIN else None


def way_on(folder: Path, config: Config) -> list[str]:
    """The command that goes on with the run in that folder, also for whoever runs its copy."""
    return read(folder) or command(config)


def config_of(words: list[str]) -> Path | None:
    """The config file that a command names; None where it takes the usual one."""
    return Path(words[words.index("-c") + 1]) if "-c" in words[:-1] else None


def with_rounds(words: list[str], rounds: int) -> list[str]:
    """The command with that many rounds, which leaves the test set sealed."""
    others = without(words, "rounds")
    if "--rounds" in others[:-1]:
        place = others.index("--rounds")
        del others[place : place + 2]
    others = [word for word in others if word != "--no-test"]
    return [*others, "--rounds", str(rounds), "--no-test"]


def without(words: list[str], key: str) -> list[str]:
    """The command without its ``--set KEY=…``."""
    others: list[str] = []
    left = iter(words)
    for word in left:
        if word != "--set":
            others.append(word)
            continue
        setting = next(left, "")
        if not setting.startswith(f"{key}="):
            others += [word, setting]
    return others
