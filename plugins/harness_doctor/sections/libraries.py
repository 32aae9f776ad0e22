"""The libraries that harness declares, and those of its extras, with their versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from harness.kit.installing import DISTRIBUTION, install_extra
from harness_doctor.findings import Section, Trouble


@dataclass(frozen=True, slots=True)
class Library:
    """A declared dependency.

    Attributes:
        requirement: as pip takes it.
        version: of what is installed; empty where nothing is.
        fits: whether that version is one of those that are asked for.
    """

    name: str
    requirement: str
    version: str
    fits: bool

    @property
    def shown(self) -> str:
        return f"{self.name} {self.version}" + ("" if self.fits else " (unfit)")


def installed() -> Distribution | None:
    """The distribution of harness; None where it is run from a folder."""
    try:
        return distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def libraries(found: Distribution, extra: str = "") -> list[Library]:
    """What harness declares for an extra, or for all uses, by name."""
    wanted = {one.name: one for one in _wanted(found, extra)}
    return [_library(wanted[name]) for name in sorted(wanted, key=str.casefold)]


def requirement(name: str) -> str:
    """A library as pip has to be asked for it."""
    found = installed()
    declared = _wanted(found, "") if found is not None else ()
    return next((str(one) for one in declared if canonicalize_name(one.name) == name), name)


def declared_names() -> list[str]:
    """What harness declares for all uses."""
    found = installed()
    return [one.name for one in _wanted(found, "")] if found is not None else []


def is_installed(name: str) -> bool:
    """Whether a distribution of that name is there."""
    try:
        distribution(name)
    except (PackageNotFoundError, ValueError):
        return False
    return True


def _wanted(found: Distribution, extra: str) -> Iterator[Requirement]:
    for text in found.requires or ():
        try:
            one = Requirement(text)
        except InvalidRequirement:
            continue
        if canonicalize_name(one.name) == DISTRIBUTION:
            continue  # an extra that takes in others
        for_all = one.marker is None or one.marker.evaluate({"extra": ""})
        if for_all == bool(extra):
            continue
        if extra and one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        one.marker = None
        yield one


def _library(one: Requirement) -> Library:
    try:
        there = str(version(one.name))
    except PackageNotFoundError:
        return Library(one.name, str(one), "", False)
    try:
        fits = one.specifier.contains(there, prereleases=True)
    except InvalidVersion:
        fits = True  # a version of one's own making says nothing of its age
    return Library(one.name, str(one), there, fits)


def section() -> Section:
    """What is installed. Only what harness itself declares can be a problem."""
    found = installed()
    if found is None:
        trouble = Trouble(
            "harness is not installed: it is imported from a folder",
            "its commands and plugins are found by what an installation says of them",
            "pip install -e .",
        )
        return Section("libraries", "Libraries", {}, {}, (trouble,))
    needed = libraries(found)
    facts = {"needed": _sentence(needed)}
    values = {"needed": {one.name: one.version or None for one in needed}}
    troubles = list(_troubles(needed, "harness needs it", "problem"))
    extras = {}
    for extra in sorted(found.metadata.get_all("Provides-Extra") or ()):
        there = libraries(found, extra)
        facts[f"[{extra}]"] = _sentence(there, extra)
        extras[extra] = {one.name: one.version or None for one in there}
        unfit = [one for one in there if one.version]
        troubles += _troubles(unfit, f"the extra [{extra}] was tested with others", "warning")
    return Section("libraries", "Libraries", facts, {**values, "extras": extras}, troubles)


def _troubles(wanted: Sequence[Library], why: str, level: str) -> Iterator[Trouble]:
    for one in wanted:
        if one.fits:
            continue
        what = f"{one.name} {one.version} is installed, and {one.requirement} is asked for"
        if not one.version:
            what = f"the package {one.name} is not installed"
        cure = f"pip install '{one.requirement}'"
        yield Trouble(what, why, cure, "problem" if level == "problem" else "warning")


def _sentence(wanted: Sequence[Library], extra: str = "") -> str:
    """What is there, and how to get what is not."""
    there = ", ".join(one.shown for one in wanted if one.version)
    missing = ", ".join(one.name for one in wanted if not one.version)
    parts = [there] if there else []
    if missing:
        way = f" ({install_extra(extra, installed())})" if extra else ""
        parts.append(f"not installed: {missing}{way}")
    return "; ".join(parts) or "nothing"
