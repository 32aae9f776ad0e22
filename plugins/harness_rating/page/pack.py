"""One rater's batch as one HTML file that works from the disk, without a server."""

from __future__ import annotations

from harness import UsageError, near
from harness_rating.batches.records import Batch
from harness_rating.page import payloads
from harness_rating.page.pages import whole


def pack(batch: Batch, rater: str) -> bytes:
    """The file: the rater's items and the page, which keeps what is done in the browser.

    It exports the events as JSON lines. References are in it unless the rubric never shows them;
    who looks into the file can read those that the page shows only after the first score.

    Raises:
        EnvironmentFailure: the extra ``rate`` is not installed.
        UsageError: the batch has no such rater.
    """
    if rater not in batch.assignments:
        known = sorted(batch.assignments)
        raise UsageError(
            f"batch {batch.name} has no rater '{rater}'{near(rater, known)}",
            hint="its raters are " + ", ".join(known),
        )
    items, shown = batch.by_id, batch.rubric
    told = shown.show.reference != "never"
    data = {
        "mode": "packed",
        "batch": batch.name,
        "rater": rater,
        "version": batch.rubric_name,
        "rubric": payloads.rubric(batch),
        "items": list(batch.assignments[rater]),
        "events": [],
        "texts": [
            payloads.item(items[name], shown, reference=told) for name in batch.assignments[rater]
        ],
    }
    return whole(batch, data).encode()
