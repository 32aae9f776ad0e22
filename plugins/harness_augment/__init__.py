"""Training rows for underperforming slices: real ones from the pool, and varied prompts."""

from __future__ import annotations

import harness
from harness_augment.paraphrase import Paraphrase
from harness_augment.pool import Pool


@harness.hookimpl
def register_augmenters() -> list[type[harness.Augmenter]]:
    return [Pool, Paraphrase]
