"""``bleu``, ``chrf`` and ``ter``: sacreBLEU's scores, from statistics that add up.

The values are sacreBLEU's to the last bit, for a corpus and for each example; counting for many
pairs at once makes them several times faster to get.
"""

from __future__ import annotations

import harness
from harness_sacrebleu.bleu import Bleu
from harness_sacrebleu.chrf import Chrf
from harness_sacrebleu.ter import Ter


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [Bleu, Chrf, Ter]
