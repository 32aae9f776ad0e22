"""Which labels are likely wrong, by what a model that has not learned the rows thinks of each.

The confident joint of Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels" (JAIR 70, 2021), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
EDGE = 1e-6
"""What a probability may lack to its threshold by rounding."""


@dataclass(frozen=True, slots=True)
class Confident:
    """What the model thinks of the labels.

    Attributes:
        joint: (labels, labels), rows with this label that confidently have that one; rows that have
            none are not counted.
        guess: of each row the label that it confidently has; -1: none.
        likelier: of each row the likeliest label but its own.
        margin: of each row the probability of ``likelier`` less that of its own label, -1 to 1.
    """

    joint: Integers
    guess: Integers
    likelier: Integers
    margin: Floats


def confident(labels: Integers, chances: Floats) -> Confident:
    """What probabilities say of labels.

    A row confidently has a label if its probability reaches the mean probability of that label
    over the rows that have it (equation 2); of several such labels it has the likeliest.

    Args:
        labels: (rows,), each a place among the columns of ``chances``.
        chances: (rows, labels), out of sample; each row adds up to 1.
    """
    rows, count = chances.shape
    own = chances[np.arange(rows), labels]
    sizes = np.bincount(labels, minlength=count)
    # A label without a row has a threshold that nothing reaches.
    least = np.bincount(labels, own, count) / np.maximum(sizes, 1) + 2.0 * (sizes == 0)
    reached = np.where(chances >= least - EDGE, chances, -1.0)
    guess = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
    joint = np.zeros((count, count), np.int64)
    np.add.at(joint, (labels[guess >= 0], guess[guess >= 0]), 1)
    others = chances.copy()
    others[np.arange(rows), labels] = -1.0
    likelier = others.argmax(axis=1)
    return Confident(joint, guess, likelier, others.max(axis=1) - own)
