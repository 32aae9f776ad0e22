"""The conformance kit: rules that a plugin of any team, and every one of ours, obeys.

In a plugin's own tests, one test for each rule::

    import pytest
    from harness_testing import rules

    @pytest.mark.parametrize("rule", rules("metric"), ids=str)
    def test_conformance(rule):
        rule.check(KeywordRecall, {"words": ["refund"]})

On the command line: ``harness plugins check NAME|FILE``. A plugin is called on a small data set,
as a run calls it; no model is needed.
"""

from __future__ import annotations

from harness_testing.catalogue import Rule, check, metric_rules, rules
from harness_testing.outcomes import Outcome

__all__ = ["Outcome", "Rule", "check", "metric_rules", "rules"]
