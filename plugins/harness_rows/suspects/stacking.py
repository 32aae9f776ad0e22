"""Two opinions on the labels of rows, weighed by how well they say the labels that rows have.

Stacked generalization (Wolpert, Neural Networks 5, 1992) by a logistic model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def together(model: Floats, words: Floats, own: Integers) -> Floats:
    """The probability of each label of each row, as both opinions have it.

    It is proportional to ``exp(a * model + b * words + c[label])``. What is most probable a
    posteriori is taken for a, b and c, given the labels that rows have, and independent normal
    priors of variance 1 around the model alone (a = 1, b = 0, c = 0): few rows change little.

    Args:
        model: (rows, labels), logarithms of probabilities, out of sample.
        words: (rows, labels), out of sample, of standard deviation 1.
        own: (rows,), the label of each.
    """
    from scipy.optimize import minimize

    rows, labels = model.shape
    given = np.eye(labels)[own]
    start = np.array([1.0, 0.0, *np.zeros(labels)])

    def chances(weights: Floats) -> Floats:
        logs = weights[0] * model + weights[1] * words + weights[2:]
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))

    def loss(weights: Floats) -> tuple[float, Floats]:
        found = chances(weights)
        off, moved = found - given, weights - start
        likelihood = np.log(np.maximum(found[np.arange(rows), own], np.finfo(float).tiny)).sum()
        slope = np.array([(off * model).sum(), (off * words).sum(), *off.sum(axis=0)]) + moved
        return float(moved @ moved / 2 - likelihood), slope

    return chances(minimize(loss, start, jac=True, method="L-BFGS-B").x)
