"""Which config file is meant, and those beside it that look like one."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError

FILE_NAME = "harness.yaml"
_NEARLY = ("harness.yml", "Harness.yaml", "harness.yaml.txt", "harness.toml", "harness.json")


def find(path: Path | None) -> Path:
    """The config file to use: the given one, ./harness.yaml, or the one that is shipped.

    Raises:
        ConfigError: no file is given, there is no ./harness.yaml, and one whose name is nearly so
            (``harness.yml``) would not be read.
    """
    if path is not None:
        return path
    here = Path(FILE_NAME)
    if here.is_file():
        return here
    if others := overlooked():
        raise ConfigError(
            f"there is {others[0]} here, and only {FILE_NAME} is read without -c",
            hint=f"rename it, or: -c {others[0]}",
        )
    return shipped(FILE_NAME)


def overlooked() -> list[str]:
    """Files of this folder that look like its config and are not read."""
    known = [name for name in _NEARLY if Path(name).is_file()]
    return [name for name in known if not _same_file(Path(name), Path(FILE_NAME))]


def _same_file(path: Path, other: Path) -> bool:
    """Also where a file system takes both spellings for one file."""
    return other.exists() and path.samefile(other)


def shipped(relative: str) -> Path:
    """A file that comes with the distribution: beside the package, in a checkout at its top.

    (Not inside the package: an editable installation would then shadow the real one.)
    """
    beside = Path(__file__).parents[2]
    checkout = beside / relative
    return checkout if checkout.exists() else beside / "harness_shipped" / relative
