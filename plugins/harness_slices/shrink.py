"""Empirical Bayes: what remains of a gap when one knows how far slices differ at all.

The prior of the true gaps is a mixture of normal laws around 0 whose spreads lie on a grid from
0 upwards (Stephens, *False discovery rates: a new deal*, Biostatistics 2017); its weights are
those that make the gaps of all candidates likeliest. Few slices far from 0 among many that are
not keep most of their gap that way, which one normal law would take from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

STEPS = 200
"""Most rounds of EM; it ends where no weight moves by CLOSE."""
CLOSE = 1e-5


@dataclass(frozen=True)
class Prior:
    """Weights ``(s,)`` and variances ``(s,)`` of the normal laws, the first of variance 0."""

    weights: Floats
    variances: Floats

    @property
    def variance(self) -> float:
        """Of the true gaps; 0 where they differ no more than chance makes them."""
        return float(self.weights @ self.variances)

    def shrink(self, gaps: Floats, ses: Floats) -> Floats:
        """Posterior means ``(c,)`` of the true gaps; a gap without a standard error has none."""
        import numpy as np

        shares = _densities(gaps, ses, self.variances) * self.weights
        shares /= shares.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            factors = self.variances / (self.variances + ses[:, None] ** 2)
        return np.where(ses > 0, (shares * np.nan_to_num(factors)).sum(axis=1) * gaps, gaps)


def prior(gaps: Floats, ses: Floats, certain: Mask | None = None) -> Prior:
    """The likeliest prior of gaps ``(c,)``; those without a standard error are left out.

    All weight lies on variance 0 where every other spread makes the gaps less likely. Gaps that
    were ``certain (c,)`` to be none of chance, by other means than this prior, have their share of
    the weight for themselves, on the variance that they show.
    """
    import numpy as np

    usable = np.isfinite(gaps) & np.isfinite(ses) & (ses > 0)
    sure = usable & certain if certain is not None else np.zeros(len(gaps), dtype=np.bool_)
    belief = _fitted(gaps[usable], ses[usable])
    if not sure.any():
        return belief
    share = np.count_nonzero(sure) / np.count_nonzero(usable)
    # A squared gap is in the mean the variance of the true one and that of its error.
    variance = np.maximum(0.0, gaps[sure] ** 2 - ses[sure] ** 2).mean()
    weights = np.append(belief.weights * (1 - share), share)
    return Prior(weights, np.append(belief.variances, variance))


def _fitted(gaps: Floats, ses: Floats) -> Prior:
    import numpy as np

    all_zero = Prior(np.ones(1), np.zeros(1))
    beyond_chance = float(np.max(gaps**2 - ses**2, initial=0.0))
    if beyond_chance <= 0:
        return all_zero
    # Factors of sqrt(2), from well within the least error to twice what shows.
    least, most = float(ses.min()) / 4, 2 * beyond_chance**0.5
    steps = max(2, int(np.ceil(2 * np.log2(max(2.0, most / least)))))
    spreads = np.geomspace(most / 2 ** (steps / 2), most, steps + 1)
    variances = np.concatenate([[0.0], spreads**2])
    densities = _densities(gaps, ses, variances)
    # The likelihood is concave in the weights: it falls in all directions, or it has its top
    # elsewhere.
    slopes = (densities[:, 1:] / densities[:, :1] - 1).sum(axis=0)
    return all_zero if np.all(slopes <= 0) else Prior(_likeliest(densities), variances)


def _likeliest(densities: Floats) -> Floats:
    """Weights of the mixture by expectation and maximisation."""
    import numpy as np

    count = densities.shape[1]
    weights = np.full(count, 0.1 / max(1, count - 1))
    weights[0] = 0.9
    for _ in range(STEPS):
        # Each law's mean share of the gaps, given the weights so far.
        before, weights = (
            weights,
            weights * ((1 / (densities @ weights)) @ densities) / len(densities),
        )
        if float(np.abs(weights - before).max()) < CLOSE:
            break
    return weights


def _densities(gaps: Floats, ses: Floats, variances: Floats) -> Floats:
    """Of each gap under each law ``(c, s)``, up to a factor of the gap's own."""
    import numpy as np

    with np.errstate(all="ignore"):
        total = variances + ses[:, None] ** 2
        logs = -0.5 * (np.log(total) + gaps[:, None] ** 2 / total)
        logs = np.nan_to_num(logs, nan=0.0)
    # Far from 0 the narrow laws give nothing; a floor keeps ratios finite.
    scaled: Floats = np.exp(np.maximum(logs - logs.max(axis=1, keepdims=True), -600.0))
    return scaled
