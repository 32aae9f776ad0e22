"""The analysis as reports show it: with what sections say, and whether the model is in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from harness.boundary.calls import plainly
from harness.errors import EnvironmentFailure, HarnessError, Waiting
from harness.kit.files import read_json
from harness.records.analysis import Analysis, ShownSection
from harness.registry import Registry
from harness.run.artifacts import MANIFEST, SENT
from harness.stages import Section
from harness.stages.section import drawn, said_with

SectionGuard = Callable[[Section], AbstractContextManager[None]]


def unguarded(section: Section) -> AbstractContextManager[None]:
    return plainly(f"section '{section.name}'")


def with_named(
    analysis: Analysis, sections: Sequence[Section], database: Path, guard: SectionGuard
) -> Analysis:
    """The analysis with what the sections of a config say; one that fails is named there."""
    for section in sections:
        try:
            with guard(section):
                said = said_with(section, analysis, database)
        except (Waiting, EnvironmentFailure):
            raise
        except HarnessError as error:
            analysis = _without(analysis, section.name, error)
            continue
        analysis = replace(analysis, sections=(*analysis.sections, said))
    return analysis


def for_reporters(analysis: Analysis, root: Path, registry: Registry) -> Analysis:
    """The analysis that reporters are given.

    It has the sections that no config has to name, and knows whether files of the best round's
    model are gone, and no shared store has them. No file of it is read but the manifest:
    :meth:`harness.RunView.model` checks every byte.

    Args:
        root: the run's working folder.
        registry: the plugins that the run is shown with.
    """
    folder = analysis.model.adapter
    lost = folder is not None and not _is_whole(root / folder)
    return with_sections(replace(analysis, model_lost=lost), registry)


def with_sections(analysis: Analysis, registry: Registry) -> Analysis:
    """The analysis that reporters are given: with the sections that no config has to name.

    They are drawn from what the analysis holds, so they stand in the report of a run that was
    made without them, too. All stand in their order.
    """
    known = {section.name for section in analysis.sections}
    always = [
        (provider.plugin, provider.origin)
        for _, name, provider in registry.providers()
        if issubclass(provider.plugin, Section) and provider.plugin.always and name not in known
    ]
    entries: list[ShownSection] = []
    for kind, origin in sorted(always, key=lambda section: section[0].order):
        try:
            with plainly(f"section '{kind.name}' from {origin}"):
                entries.append(drawn(kind(), analysis))
        except HarnessError as error:
            analysis = _without(analysis, kind.name, error)
    ordered = sorted([*analysis.sections, *entries], key=lambda section: section.order)
    return replace(analysis, sections=tuple(ordered))


def _is_whole(folder: Path) -> bool:
    try:
        if (folder / SENT).is_file():
            return True
        return all((folder / name).is_file() for name in read_json(folder / MANIFEST)["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _without(analysis: Analysis, section: str, error: HarnessError) -> Analysis:
    return replace(analysis, failed={**analysis.failed, section: error.what})
