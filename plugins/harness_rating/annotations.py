"""What raters said of a run's answers, for its database and its reports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import harness

TABLES: Mapping[str, tuple[str, str]] = {
    "batches": (
        "created, batch",
        "batch:s rubric:s version:i title:s strategy:s verdicts:b split:s rounds:n raters:l "
        "items:i rated:i created:s",
    ),
    "ratings": (
        "batch, item, criterion, rater, round",
        "batch:s rubric:s version:i arm:s round:i split:s example_id:s item:s repeat:b rater:s "
        "settled:b criterion:s scale:s use_as:s judged:b value_text:s value_number:f against:i "
        "rated_at:s",
    ),
    "rating_scores": (
        "batch, position, arm, round",
        "batch:s rubric:s version:i position:i criterion:s title:s arm:s round:i value:f low:f "
        "high:f n:i groups:i unrated:i",
    ),
    "rated_answers": (
        "batch, arm, round, split, example_id",
        "batch:s rubric:s version:i arm:s round:i split:s example_id:s value:f passes:b",
    ),
    "win_rates": (
        "batch, position, arm, round, against",
        "batch:s rubric:s version:i position:i criterion:s title:s arm:s round:i against:i n:i "
        "groups:i wins:i ties:i losses:i win_rate:f win_rate_low:f win_rate_high:f difference:f "
        "difference_low:f difference_high:f label:s low:f high:f level:f detectable:f sentence:s",
    ),
    "agreement": (
        "batch, position",
        "batch:s rubric:s version:i position:i criterion:s title:s kind:s n:i alpha:f alpha_low:f "
        "alpha_high:f kappa:f kappa_low:f kappa_high:f raw:f why:s sentence:s",
    ),
    "raters": (
        "batch, position, rater",
        "batch:s rubric:s version:i position:i criterion:s title:s rater:s done:i seconds:f "
        "severity:f severity_low:f severity_high:f n:i same:f same_low:f same_high:f repeats:i",
    ),
    "validity": (
        "batch, metric, view DESC",
        "batch:s rubric:s version:i metric:s view:s n:i groups:i accuracy:f accuracy_low:f "
        "accuracy_high:f accuracy_groups:i sentence:s",
    ),
    "named_errors": (
        "arm, round, split, answers DESC, category",
        "arm:s round:i split:s category:s answers:i rated:i",
    ),
}

_SAMPLES = "batch IN (SELECT batch FROM batches WHERE split = 'dev' AND verdicts)"
"""Samples of dev: what was rated of the pool, or to find errors, tells nothing of a round."""


def _query(what: str, table: str, where: str = "true") -> tuple[str, str]:
    """What a table of analysis.json holds, and the rows of a table of the database, whole."""
    return what, f"SELECT * FROM {table} WHERE {where} ORDER BY {TABLES[table][0]}"


QUERIES: Mapping[str, tuple[str, str]] = {
    "rated": _query("batches of ratings, and how far they are", "batches"),
    "rating_scores": _query(
        "what ratings of samples of dev come to, by batch, criterion and round, 0 to 1",
        "rating_scores",
        f"arm = 'main' AND {_SAMPLES}",
    ),
    "win_rates": _query(
        "how often raters prefer one round's answers to another's, and what that shows",
        "win_rates",
        f"arm = 'main' AND {_SAMPLES}",
    ),
    "agreement": _query("how far raters agree, by batch and criterion", "agreement"),
    "raters": _query("how severe and how steady each rater is, by batch and criterion", "raters"),
    "validity": _query(
        "how far each automatic metric orders answers as raters do, by batch",
        "validity",
        _SAMPLES,
    ),
    "named_errors": _query(
        "kinds of errors that raters named, by round, in answers, of so many rated",
        "named_errors",
        "arm = 'main' AND split = 'dev'",
    ),
}


class Ratings(harness.Annotations):
    """The ratings of a run's answers, how far they agree, and what they come to."""

    name = "ratings"
    tables = TABLES
    queries = QUERIES

    def digest(self, run: str, folder: Path) -> str | None:
        from harness_rating.batches.records import FOLDER

        if not (folder / FOLDER).is_dir():
            return None
        from harness_rating.ratings.folder import RatingsFolder

        return RatingsFolder(folder / FOLDER).digest_of(run)

    def collect(self, run: harness.AnnotatedRun) -> harness.Annotated:
        from harness_rating.tables import annotated

        return annotated(run)
