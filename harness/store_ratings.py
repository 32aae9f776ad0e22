"""What people said, in the run's database: tables, rows, and the view on the errors they named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from harness.store_columns import Batch, Layout, layout

if TYPE_CHECKING:
    from harness.store import RunContents

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
}

VIEWS: Mapping[str, str] = {
    # An answer counts once for each kind that anybody named, whoever rated it, in however many
    # batches; a value that was settled stands for all others.
    "named_errors": """
        WITH said AS (
            SELECT * FROM ratings r WHERE use_as = 'error_category' AND judged AND NOT repeat
            AND (settled OR NOT EXISTS (
                SELECT 1 FROM ratings s WHERE s.settled AND s.batch = r.batch
                AND s.item = r.item AND s.criterion = r.criterion))
        ), named AS (
            SELECT arm, round, split, example_id, unnest(
                CASE WHEN scale = 'choices'
                     THEN coalesce(TRY_CAST(TRY_CAST(value_text AS JSON) AS VARCHAR[]), [])
                     ELSE [value_text] END) AS category
            FROM said
        ), asked AS (
            SELECT arm, round, split, count(DISTINCT example_id) AS rated FROM ratings
            WHERE batch IN (SELECT batch FROM ratings WHERE use_as = 'error_category')
            AND NOT repeat GROUP BY ALL
        )
        SELECT n.arm, n.round, n.split, n.category, count(DISTINCT n.example_id) AS answers,
               any_value(a.rated) AS rated
        FROM named n JOIN asked a USING (arm, round, split)
        GROUP BY n.arm, n.round, n.split, n.category
        ORDER BY n.arm, n.round, n.split, answers DESC, n.category""",
}


def rows_of(name: str) -> Callable[[RunContents], Iterator[Batch]]:
    """How the rows of one of these tables are made: they come ready, named as its columns are."""

    def rows(contents: RunContents) -> Iterator[Batch]:
        found = contents.people.get(name, ())
        if found:
            yield {column: [row[column] for row in found] for column in TABLES[name].columns}

    return rows
