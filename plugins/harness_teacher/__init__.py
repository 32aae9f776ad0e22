"""Training rows that a larger model writes for weak slices, verified before they train."""

from __future__ import annotations

import harness
from harness_teacher.section import WrittenRowsSection
from harness_teacher.teacher import Teacher


@harness.hookimpl
def register_augmenters() -> list[type[harness.Augmenter]]:
    return [Teacher]


@harness.hookimpl
def register_sections() -> list[type[harness.Section]]:
    return [WrittenRowsSection]
