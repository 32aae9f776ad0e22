"""The sections of a report: what there is to read, in blocks that each report draws."""

from __future__ import annotations

import harness
from harness_reports.sections import (
    closing,
    costs,
    data,
    errors,
    examples,
    general,
    model,
    models,
    prompts,
    rounds,
    slices,
    targeted,
    verdict,
)

SECTIONS: tuple[type[harness.Section], ...] = (
    verdict.VerdictSection,
    rounds.RoundsSection,
    targeted.TargetedSection,
    prompts.PromptsSection,
    models.ModelsSection,
    examples.GainsSection,
    model.ModelSection,
    rounds.TestSection,
    rounds.ScoresSection,
    general.GeneralSection,
    slices.SlicesSection,
    slices.ChangesSection,
    errors.ErrorsSection,
    errors.CausesSection,
    examples.ExamplesSection,
    data.NearSection,
    data.AddedSection,
    data.ControlSection,
    data.TrainingSection,
    costs.CostsSection,
    closing.NotesSection,
    closing.FailedSection,
    closing.RemediesSection,
    closing.AppendixSection,
    closing.NextSection,
)
"""In their order (:attr:`harness.Section.order`); sections of other plugins stand between them."""
