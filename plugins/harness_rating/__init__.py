"""Raters, and models beside them, rate answers by a rubric.

In the order in which a rating comes about: ``rubric/`` reads what is asked, ``batches/`` draws
answers and assigns them, ``page/`` and ``exchange/`` bring in what raters do, ``ratings/`` keeps
it and says what it comes to. ``agreement/`` and ``outcomes/`` compute what that shows, ``judge/``
lets a model rate, ``review/`` asks people about rows. ``commands/`` is ``harness rate``.

Registered here are the metric and the detector that read ratings, the augmenter that proposes
typed answers, the verifier, the judge, the section of reports, and the tables of the run's
database.
"""

from __future__ import annotations

import harness
from harness_rating.annotations import Ratings
from harness_rating.augmenter import BetterAnswers
from harness_rating.detector import RubricChoices
from harness_rating.judge.plugin import JudgeMetric, ModelJudge
from harness_rating.metric import RubricMetric
from harness_rating.review.people import People


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [RubricMetric, JudgeMetric]


@harness.hookimpl
def register_detectors() -> list[type[harness.Detector]]:
    return [RubricChoices]


@harness.hookimpl
def register_augmenters() -> list[type[harness.Augmenter]]:
    return [BetterAnswers]


@harness.hookimpl
def register_verifiers() -> list[type[harness.Verifier]]:
    return [People]


@harness.hookimpl
def register_judges() -> list[type[harness.Judge]]:
    return [ModelJudge]


@harness.hookimpl
def register_annotations() -> list[type[harness.Annotations]]:
    return [Ratings]


@harness.hookimpl
def register_sections() -> list[type[harness.Section]]:
    from harness_rating.section import PeopleSection

    return [PeopleSection]
