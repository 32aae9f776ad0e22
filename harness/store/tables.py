"""The private tables of the run's database: their columns, and the order of their rows."""

from __future__ import annotations

from collections.abc import Mapping

from harness.store.columns import Layout, layout

TABLES: Mapping[str, Layout] = {
    "runs": layout("run", "run:s primary_score:s kept_round:i config:j facts:j"),
    "arms": layout("arm", "arm:s changes:j"),
    "rounds": layout(
        "arm, round",
        "arm:s round:i train_rows:i score:f score_low:f score_high:f label:s against:s "
        "difference:f low:f high:f level:f detectable:f kept:b added:i sentence:s",
    ),
    "scores": layout(
        "arm, round, split, name",
        "arm:s round:i split:s name:s value:f low:f high:f n:i unscored:i "
        "higher_is_better:b signature:s caveat:s",
    ),
    "examples": layout(
        "split, id",
        "id:s split:s group_id:s prompt:s reference:s all_references:l features:j meta:j "
        "messages:j place:s",
    ),
    "added": layout(
        "arm, round, position",
        "arm:s round:i position:i id:s made_by:s slice:s parent:s prompt:s reference:s",
    ),
    "predictions": layout(
        "arm, round, split, id, sample_index",
        "arm:s round:i split:s id:s sample_index:i text:s finish_reason:s prompt_tokens:i "
        "completion_tokens:i reply_words:i",
    ),
    "example_scores": layout(
        "arm, round, split, id, name",
        "arm:s round:i split:s id:s name:s value:f entry:s error:s",
    ),
    "rescores": layout(
        "arm, round, split, name, signature",
        "arm:s round:i split:s name:s value:f low:f high:f n:i unscored:i "
        "higher_is_better:b signature:s caveat:s",
    ),
    "example_rescores": layout(
        "arm, round, split, id, name, signature",
        "arm:s round:i split:s id:s name:s value:f entry:s error:s signature:s",
    ),
    "outcomes": layout("arm, round, split, id", "arm:s round:i split:s id:s value:f is_right:b"),
    "diagnoses": layout(
        "arm, round, id, cause",
        "arm:s round:i id:s cause:s evidence:s remedy:s train_rows:l",
    ),
    "guards": layout(
        "arm, round, name",
        "arm:s round:i name:s state:s largest_loss:f refuses:b label:s against:s "
        "difference:f low:f high:f n:i sentence:s",
    ),
    "slice_members": layout("arm, round, slice, id", "arm:s round:i slice:s id:s"),
    "errors": layout(
        "arm, round, split, id, category, evidence",
        "arm:s round:i split:s id:s category:s cause:s evidence:s found_by:s",
    ),
    "slices": layout(
        "arm, round, gap DESC NULLS LAST, slice",
        "arm:s round:i slice:s n:i groups:i score:f gap:f low:f high:f q:f from_prompt:b "
        "holds:b half:i shrunken:f weight:f where_sql:s",
    ),
    "plans": layout(
        "arm, round, position",
        "arm:s round:i position:i strategy:s slice:s n:i gap:f low:f high:f rows:i remedy:s "
        "reason:s",
    ),
    "filters": layout("arm, round, reason", "arm:s round:i reason:s rows:i"),
    "training": layout("arm, round, step", "arm:s round:i step:i epoch:f loss:f eval_loss:f"),
}
