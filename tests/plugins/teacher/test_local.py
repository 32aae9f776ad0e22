"""A model of this machine as the teacher: what it draws does not depend on where it was killed."""

from __future__ import annotations

import pytest

import harness
from harness.kit.remote.replies import Request
from harness_teacher.local import PART, LocalAsker

ALL = 1_000


class Big(harness.Model):
    name = "big"

    def fetch(self, context):
        return harness.Checkpoint("base", str(context.output), "d1", "big model")


class Draws(harness.Generator):
    """Says what the seed and the place in the batch make of it, so often."""

    name = "draws"
    left = ALL

    def generate(self, checkpoint, examples, context):
        for place, row in enumerate(examples):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield harness.Prediction(row.id, f"{context.seed} {place}")


def replies(folder, left):
    generator = Draws()
    generator.left = left
    messages = [{"role": "user", "content": "Write."}]
    # Two of three will do; every third request stands there twice.
    requests = [
        Request(messages, draw, accept=lambda said: int(said.split()[0]) % 3 > 0)
        for draw in [*range(PART + 9), *range(0, PART, 3)]
    ]
    asker = LocalAsker(
        Big(), generator, 3, ["settings"], str(folder), harness.Context(folder, seed=left)
    )
    said = dict(asker.replies(requests, lambda *progress: None, ""))
    return [said[place].text for place in range(len(requests))], ALL - generator.left


@pytest.mark.nightly
def test_what_is_drawn_does_not_depend_on_where_it_was_killed(tmp_path):
    whole, count = replies(tmp_path / "whole", ALL)
    assert len(set(whole)) == PART + 9 and count > PART + 9
    assert whole[:PART:3] == whole[PART + 9 :]
    assert replies(tmp_path / "whole", 0) == (whole, ALL)
    for number, killed in enumerate(range(1, count, 7)):
        folder = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            replies(folder, killed)
        assert replies(folder, ALL)[0] == whole
