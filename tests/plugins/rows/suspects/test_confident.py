"""The confident joint, against the paper's definition and against cleanlab."""

from __future__ import annotations

import numpy as np
import pytest

from harness_rows.suspects.confident import Floats, Integers, confident


def drawn(seed: int) -> tuple[Integers, Floats]:
    """Labels, and chances that mostly agree with them."""
    draw = np.random.default_rng(seed)
    rows, count = int(draw.integers(20, 300)), int(draw.integers(2, 12))
    labels = np.concatenate([np.arange(count), draw.integers(0, count, rows)])
    chances = draw.dirichlet(np.full(count, 0.4), len(labels))
    chances[np.arange(len(labels)), labels] += draw.random(len(labels))
    return labels, chances / chances.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_each_row_counts_where_its_chance_reaches_the_labels_mean(seed: int) -> None:
    labels, chances = drawn(seed)
    found = confident(labels, chances)
    joint = np.zeros_like(found.joint)
    means = [chances[labels == label, label].mean() for label in range(chances.shape[1])]
    for row, label in zip(chances, labels, strict=True):
        reached = [place for place, mean in enumerate(means) if row[place] >= mean - 1e-6]
        if reached:
            joint[label, max(reached, key=lambda place: row[place])] += 1
    assert (found.joint == joint).all() and joint.sum() > 0


def test_a_row_with_a_wrong_label_confidently_has_another_one() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.5, 0.5]])
    found = confident(labels, chances)
    assert found.guess.tolist() == [0, 0, 1, 1, 1, -1]
    assert found.joint.tolist() == [[2, 1], [0, 2]]
    assert found.likelier.tolist() == [1, 1, 1, 0, 0, 0]
    assert found.margin == pytest.approx([-0.8, -0.6, 0.8, -0.6, -0.8, 0.0])


def test_a_label_that_no_row_has_is_nobodys_guess() -> None:
    found = confident(np.array([0, 1]), np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]]))
    assert found.guess.tolist() == [0, 1] and found.likelier.tolist() == [2, 2]


@pytest.mark.nightly
def test_cleanlab_counts_and_ranks_the_same() -> None:
    from cleanlab.count import compute_confident_joint
    from cleanlab.rank import get_label_quality_scores

    for seed in range(200):
        labels, chances = drawn(seed)
        found = confident(labels, chances)
        theirs, elsewhere = compute_confident_joint(
            labels, chances, calibrate=False, return_indices_of_off_diagonals=True
        )
        ours = found.joint.copy()
        np.fill_diagonal(ours, ours.diagonal().clip(min=1))  # as theirs is
        assert (ours == theirs).all()
        apart = (found.guess >= 0) & (found.guess != labels)
        assert (np.flatnonzero(apart) == elsewhere).all()
        margins = get_label_quality_scores(labels, chances, method="normalized_margin")
        assert np.allclose(margins, (1 - found.margin) / 2)
