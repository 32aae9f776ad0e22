"""What raters said of a run's answers, for its database and its reports."""

from __future__ import annotations

from pathlib import Path

import harness
from harness_rating.layouts import FOLDER, QUERIES, TABLES


class Ratings(harness.Annotations):
    """The ratings of a run's answers, how far they agree, and what they come to."""

    name = "ratings"
    tables = TABLES
    queries = QUERIES

    def digest(self, run: str, folder: Path) -> str | None:
        if not (folder / FOLDER).is_dir():
            return None
        from harness_rating.ratings.folder import RatingsFolder

        return RatingsFolder(folder / FOLDER).digest_of(run)

    def collect(self, run: harness.AnnotatedRun) -> harness.Annotated:
        from harness_rating.tables import said_of

        return said_of(run)
