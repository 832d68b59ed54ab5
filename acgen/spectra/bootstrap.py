"""Uncertainties from copies of a target, with its noise and the forward model's error drawn anew.

Noise is drawn for each point from `Target.noise`, the model's error from the covariance that the estimate of density
uses (`acgen.spectra.model_error.error_covariance`): errors of a model are alike over a width of peaks, and move what is
read off a spectrum much more than noise of the same size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from acgen.spectra.model_error import error_covariance
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread

COPIES = 20
"""Copies by default: a standard deviation of them is itself known to 16 %."""


def resampled(target: Target, times: int, seed: int = 0, *, model: bool = False) -> Iterator[Target]:
    """Copies of a target with noise added once more, which is the bootstrap of a measured curve.

    Parameters
    ----------
    target
        What was measured.
    times
        How many copies; none if there is no noise and no model error to add.
    seed
        Of the random numbers.
    model
        Add the forward model's error too.
    """
    noise = np.zeros(target.mask.size) if target.noise is None else target.noise
    if not (model or noise.any()):
        return
    generator = np.random.default_rng(seed)
    root = np.linalg.cholesky(error_covariance()) if model else None
    for _ in range(times):
        added = noise * generator.normal(size=noise.size)
        if root is not None:
            added = added + root @ generator.normal(size=noise.size)
        yield replace(target, intensity=target.intensity + added)


def spread(
    target: Target,
    quantities: Callable[[Target], Mapping[str, float]],
    copies: int = COPIES,
    seed: int = 0,
    *,
    model: bool = True,
) -> dict[str, float]:
    """Standard deviation of what is found of a target over copies of it.

    Parameters
    ----------
    target
        What was measured.
    quantities
        What is found of a target, by name.
    copies, seed, model
        As for `resampled`.

    Returns
    -------
    dict[str, float]
        By name; 0 with fewer than two copies, or if there is nothing to add.
    """
    found = [quantities(copy) for copy in resampled(target, copies, seed, model=model)]
    if len(found) < 2:
        return dict.fromkeys(quantities(target), 0.0)
    return {name: float(mean_and_spread([one[name] for one in found])[1]) for name in found[0]}
