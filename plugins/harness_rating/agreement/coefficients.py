"""How far raters agree: Krippendorff's alpha, kappa, raw agreement, with intervals.

Pure functions on arrays. Ratings come as a table of units (items) by raters, None where a rater
gave none, and are turned into a :class:`Grid` once. Each coefficient is a function of sums over
units, so all draws of the bootstrap over whole groups are one product of matrices.

This module loads NumPy: import it where it is used.
"""

from harness_rating.agreement.alpha import Kind, alpha, alpha_of, raw_of
from harness_rating.agreement.grid import Grid, from_cells, grid, shown
from harness_rating.agreement.kappa import kappa, kappas
from harness_rating.figures import FEW_GROUPS, Figure, Scores, bootstrap, figure, ratio

__all__ = [
    "FEW_GROUPS", "Figure", "Grid", "Kind", "Scores", "alpha", "alpha_of", "bootstrap", "figure",
    "from_cells", "grid", "kappa", "kappas", "ratio", "raw_of", "shown",
]  # fmt: skip
