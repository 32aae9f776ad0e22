"""What a job's process says of its end is what its run raises."""

from __future__ import annotations

import json

import pytest

from harness.errors import BudgetSpent, Cancelled, DataError, HarnessError
from harness.run import channel


class Own(Cancelled):
    """A plugin's own way to stop."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Cancelled(), Cancelled),
        (BudgetSpent("the budget of 5 has 0.1 left"), BudgetSpent),
        (Own("enough"), Cancelled),
        (DataError("bad", where="a.jsonl:3", hint="mend it"), DataError),
    ],
)
def test_an_end_keeps_its_kind_and_words(error, kind):
    raised = channel.raised(json.loads(json.dumps(channel.described(error))))
    assert type(raised) is kind and str(raised) == str(error)
    if isinstance(error, HarnessError):
        assert (raised.where, raised.hint) == (error.where, error.hint)
