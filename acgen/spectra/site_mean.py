"""The mean spectrum of a structure from some of its sites, with the error of the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acgen.errors import AcgenError


@dataclass(frozen=True, eq=False)
class SampledMean:
    """Mean of a population of which a stratified sample is known."""

    #: Estimate, shape (points,).
    mean: np.ndarray
    #: Covariance of its sampling error, shape (points, points).
    covariance: np.ndarray
    #: Part of the population in strata that the sample has nothing of; the others stand for them.
    unseen: float

    @property
    def error(self) -> np.ndarray:
        """Standard error of each point, shape (points,)."""
        return np.sqrt(np.diag(self.covariance))

    def through(self, matrix: np.ndarray) -> SampledMean:
        """The mean as something linear makes it, such as an instrument, by its matrix (points, points)."""
        return SampledMean(matrix @ self.mean, matrix @ self.covariance @ matrix.T, self.unseen)


def stratified_mean(values: np.ndarray, strata: np.ndarray, population: Mapping[int, int]) -> SampledMean:
    """Mean of a finite population from a stratified sample: every stratum counts by its share of the population.

    The variance of each stratum's mean has the finite-population correction; a stratum with one value takes the
    pooled variance within the others, or the variance of the whole sample if none has two (W. G. Cochran, Sampling
    Techniques, 3rd ed., chapter 5).

    Parameters
    ----------
    values
        Sample, drawn without replacement within every stratum, shape (n, points).
    strata
        Stratum of each, shape (n,).
    population
        Size of every stratum.

    Raises
    ------
    AcgenError
        If the sample is empty, larger than its stratum, or of one value of several.
    """
    values, total = np.asarray(values, dtype=float), sum(population.values())
    taken = {int(stratum): values[strata == stratum] for stratum in np.unique(strata)}
    if not taken or any(len(rows) > population.get(stratum, 0) for stratum, rows in taken.items()):
        raise AcgenError("a sample is of one member at least, and no larger than what it is taken from")
    if len(values) == 1 < total:
        raise AcgenError("one value tells nothing of the error of the mean: take two at least")
    seen = sum(population[stratum] for stratum in taken)
    inside = np.concatenate([rows - rows.mean(0) for rows in taken.values()])
    freedom = len(values) - len(taken)
    pooled = inside.T @ inside / freedom if freedom else np.cov(values.T, ddof=min(1, len(values) - 1))
    mean, covariance = np.zeros(values.shape[1]), np.zeros((values.shape[1],) * 2)
    for stratum, rows in taken.items():
        weight, left = population[stratum] / seen, 1 - len(rows) / population[stratum]
        mean += weight * rows.mean(0)
        covariance += weight**2 * left / len(rows) * (np.cov(rows.T) if len(rows) > 1 else pooled)
    return SampledMean(mean, covariance, 1 - seen / total)
