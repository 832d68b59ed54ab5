"""Mean and standard deviation, as every ± of this package means them, and the distance of two samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_and_spread(values: Sequence[object] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation along the first axis.

    The standard deviation is that of the population the values are a sample of (n - 1), and 0 for one value.

    Parameters
    ----------
    values
        Numbers, or arrays of one shape; at least one.
    """
    stacked = np.asarray(values, dtype=float)
    spread = stacked.std(axis=0, ddof=1) if len(stacked) > 1 else np.zeros_like(stacked[0])
    return stacked.mean(axis=0), spread


def energy_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Energy distance of two samples of points, which is 0 for equal samples.

    The root of 2 E(X, Y) - E(X, X) - E(Y, Y), where E is the mean distance of their points:
    Székely and Rizzo, J. Stat. Plan. Inference 143, 1249 (2013); in the root of the unit of the points.

    Parameters
    ----------
    first, second
        Points, shape (n, dimensions) and (m, dimensions).
    """
    from scipy.spatial.distance import cdist

    across, one, other = (cdist(x, y).mean() for x, y in ((first, second), (first, first), (second, second)))
    return float(np.sqrt(max(2 * across - one - other, 0.0)))
