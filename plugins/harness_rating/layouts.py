"""What raters said, as tables of the run's database and of analysis.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(".harness", "ratings")
"""Where the batches of a working folder lie, each in a folder of its name."""

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
        "batch, metric, view",
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

QUERIES: Mapping[str, tuple[str, str]] = {
    "rated": (
        "batches of ratings, and how far they are",
        "SELECT batch, rubric, version, title, strategy, verdicts, split, rounds, raters, items, "
        "rated, created FROM batches ORDER BY created, batch",
    ),
    "rating_scores": (
        "what ratings of samples of dev come to, by batch, criterion and round, 0 to 1",
        "SELECT batch, rubric, version, position, criterion, title, round, value, low, high, n, "
        f"groups, unrated FROM rating_scores WHERE arm = 'main' AND {_SAMPLES} "
        "ORDER BY batch, position, round",
    ),
    "win_rates": (
        "how often raters prefer one round's answers to another's, and what that shows",
        "SELECT batch, rubric, position, criterion, title, round, against, n, groups, wins, ties, "
        "losses, win_rate, win_rate_low, win_rate_high, difference, difference_low, "
        f"difference_high, label, sentence FROM win_rates WHERE arm = 'main' AND {_SAMPLES} "
        "ORDER BY batch, position, round, against",
    ),
    "agreement": (
        "how far raters agree, by batch and criterion",
        "SELECT batch, position, criterion, title, kind, n, alpha, alpha_low, alpha_high, kappa, "
        "kappa_low, kappa_high, raw, why, sentence FROM agreement ORDER BY batch, position",
    ),
    "raters": (
        "how severe and how steady each rater is, by batch and criterion",
        "SELECT batch, position, criterion, title, rater, done, seconds, severity, severity_low, "
        "severity_high, n, same, same_low, same_high, repeats FROM raters "
        "ORDER BY batch, position, rater",
    ),
    "validity": (
        "how far each automatic metric orders answers as raters do, by batch",
        "SELECT batch, metric, view, n, groups, accuracy, accuracy_low, accuracy_high, "
        "accuracy_groups, sentence FROM validity "
        f"WHERE {_SAMPLES} "
        "ORDER BY batch, metric, view DESC",
    ),
    "named_errors": (
        "kinds of errors that raters named, by round, in answers, of so many rated",
        "SELECT round, category, answers, rated FROM named_errors "
        "WHERE arm = 'main' AND split = 'dev' ORDER BY round, answers DESC, category",
    ),
}
