"""Where a rubric lies, and what its file holds."""

from __future__ import annotations

from pathlib import Path

from harness import ConfigError, Rubric, near


def load(path: Path) -> Rubric:
    """The rubric that a file holds.

    Raises:
        ConfigError: the file cannot be read or is no valid rubric; all problems are named at
            once, each with its line.
    """
    from harness_rating.rubric import file

    return file.read(path)[0]


def find(name: str) -> Path:
    """The file that a person means: a path, or the id of a rubric that comes with the harness.

    Raises:
        ConfigError: it is neither.
    """
    from harness import shipped

    path = Path(name)
    known = {found.stem: found for found in sorted(shipped("rubrics").glob("*.yaml"))}
    if path.is_file():
        return path
    if name not in known:
        hint = f"name a file, or one of {', '.join(known)}"
        raise ConfigError(f"there is no rubric {name!r}{near(name, list(known))}", hint=hint)
    return known[name]
