"""What a summary tells of the branches that were tried beside the rounds."""

from __future__ import annotations

import json
from typing import Any

from harness.kit.documents import as_document, finite, shown
from harness.kit.text import one_line
from harness.kit.yaml_file import flattened
from harness.records.rounds import Verdict
from harness.records.summary import LONGEST_NAME, ShownArm, Training
from harness.stages import BranchOutcome, BranchTraining


def arm(branch: BranchOutcome, reference: int) -> ShownArm:
    """A branch.

    Args:
        reference: the round from which it differs.
    """
    settings = flattened(dict(branch.changes)) if branch.changes else ()
    changed = {one_line(key, LONGEST_NAME): _setting(value) for key, value in settings}
    seconds = sum(sum(training.seconds.values()) for training in branch.trainings)
    return as_document(
        ShownArm,
        branch.trainings[0],  # rows, tokens, memory and parameters are the same with other seeds
        name=one_line(branch.name, LONGEST_NAME),
        kind=one_line(branch.kind, LONGEST_NAME),
        what=", ".join(f"{key} {value}" for key, value in changed.items()),
        changed=changed,
        share=finite(branch.share),
        against=f"round {reference}",
        verdict=as_document(Verdict, branch.verdict),
        worth=branch.worth,
        seconds=round(seconds, 3),
        failed=next((one_line(each.failed) for each in branch.trainings if each.failed), None),
        trainings=tuple(map(_training, branch.trainings)),
    )


def _setting(value: Any) -> str:
    """A setting in one line, from which it can be read: text is JSON where it would not come back.

    That is text that reads as another value, as ``null`` does, or that one line would change.
    """
    if isinstance(value, str) and (_is_json(value) or one_line(value) != value):
        # A run of white space would become one blank.
        return shown(json.dumps(value).replace("  ", " \\u0020"))
    return shown(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _training(training: BranchTraining) -> Training:
    values = {one_line(name): finite(score.value) for name, score in training.scores.items()}
    return as_document(Training, training, values=values)
