"""What people said, in the run's database: tables and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from harness.store.columns import Batch, Layout, layout

if TYPE_CHECKING:
    from harness.store.writing import RunContents

TABLES: Mapping[str, Layout] = {
    "batches": layout(
        "created, batch",
        "batch:s rubric:s version:i title:s strategy:s verdicts:b split:s rounds:n raters:l "
        "items:i rated:i created:s",
    ),
    "ratings": layout(
        "batch, item, criterion, rater, round",
        "batch:s rubric:s version:i arm:s round:i split:s example_id:s item:s repeat:b rater:s "
        "settled:b criterion:s scale:s use_as:s judged:b value_text:s value_number:f against:i "
        "rated_at:s",
    ),
    "rating_scores": layout(
        "batch, position, arm, round",
        "batch:s rubric:s version:i position:i criterion:s title:s arm:s round:i value:f low:f "
        "high:f n:i groups:i unrated:i",
    ),
    "win_rates": layout(
        "batch, position, arm, round, against",
        "batch:s rubric:s version:i position:i criterion:s title:s arm:s round:i against:i n:i "
        "groups:i wins:i ties:i losses:i win_rate:f win_rate_low:f win_rate_high:f difference:f "
        "difference_low:f difference_high:f label:s low:f high:f level:f detectable:f sentence:s",
    ),
    "agreement": layout(
        "batch, position",
        "batch:s rubric:s version:i position:i criterion:s title:s kind:s n:i alpha:f alpha_low:f "
        "alpha_high:f kappa:f kappa_low:f kappa_high:f raw:f why:s sentence:s",
    ),
    "raters": layout(
        "batch, position, rater",
        "batch:s rubric:s version:i position:i criterion:s title:s rater:s done:i seconds:f "
        "severity:f severity_low:f severity_high:f n:i same:f same_low:f same_high:f repeats:i",
    ),
    "validity": layout(
        "batch, metric, view",
        "batch:s rubric:s version:i metric:s view:s n:i groups:i spearman:f spearman_low:f "
        "spearman_high:f kendall:f kendall_low:f kendall_high:f accuracy:f accuracy_low:f "
        "accuracy_high:f sentence:s",
    ),
    "named_errors": layout(
        "arm, round, split, answers DESC, category",
        "arm:s round:i split:s category:s answers:i rated:i",
    ),
}


def rows_of(name: str) -> Callable[[RunContents], Iterator[Batch]]:
    """How the rows of one of these tables are made: they come ready, named as its columns are."""

    def rows(contents: RunContents) -> Iterator[Batch]:
        found = contents.people.get(name, ())
        if found:
            yield {column: [row[column] for row in found] for column in TABLES[name].columns}

    return rows
