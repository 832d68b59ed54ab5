"""Mean and standard deviation, as every ± of this package means them."""

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
