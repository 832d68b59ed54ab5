"""Which density and coordination a scan of guided candidates speaks for, by how near to the target they came.

With errors of the spectrum that are Gaussian with covariance C, the squared misfit M² of the best structure of a
density grows by v for one standard deviation, where v = tr(C²) / tr(C) is the variance of the error along a direction,
averaged over directions as the error takes them. So the posterior of a density is proportional to exp(-M² / 2v). If
even the best density is further away than C explains, v is enlarged by as much, like a fit's errors by its chi-square.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from acgen.inference.density import DensityEstimate
from acgen.inference.scan import ScanPoint, check_densities
from acgen.spectra.model_error import TRUSTED, error_covariance
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread
from acgen.structures.cell import DENSEST

#: Draws of the mean misfits, and the step in g/cm³ of the posterior.
_DRAWS, _FINE = 400, 0.005


@dataclass(frozen=True)
class ScanAnswer:
    """Density and coordination by a scan; means and standard deviations over the candidates of each density.

    Attributes
    ----------
    density, density_error
        Mean and standard deviation of the posterior, g/cm³; the scatter of the candidates is part of it.
    cn_fraction, cn_error
        Of coordination numbers "2", "3", "4": mean over the posterior, and the standard deviation of one structure
        drawn from it. Errors of the forward model beyond those of the density are not in it.
    densities, candidates
        g/cm³, and the number of candidates of each.
    misfit, misfit_spread, judge_misfit, judge_spread
        By the guiding network and by the judge, for each density; a spread of one candidate is 0.
    cn, cn_spread
        Fractions for each density.
    probability
        Of each density and what is nearest to it; they sum to 1.
    at_the_edge
        Whether the best density is the first or the last scanned: the answer is then a bound.
    plain, plain_error
        What unguided structures say (`acgen.inference.density.estimate_density`), g/cm³; None if not known.
    """

    density: float
    density_error: float
    cn_fraction: dict[str, float]
    cn_error: dict[str, float]
    densities: tuple[float, ...]
    candidates: tuple[int, ...]
    misfit: tuple[float, ...]
    misfit_spread: tuple[float, ...]
    judge_misfit: tuple[float, ...]
    judge_spread: tuple[float, ...]
    cn: tuple[dict[str, float], ...]
    cn_spread: tuple[dict[str, float], ...]
    probability: tuple[float, ...]
    at_the_edge: bool
    plain: float | None = None
    plain_error: float | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether scan and plain estimate are within two of their combined errors; None without a plain estimate."""
        if self.plain is None or self.plain_error is None:
            return None
        return abs(self.density - self.plain) <= 2 * float(np.hypot(self.density_error, self.plain_error))

    @property
    def words(self) -> str:
        """The joint answer in one line."""
        sp, sp2, sp3 = (f"{100 * self.cn_fraction[cn]:.0f} ± {100 * self.cn_error[cn]:.0f} %" for cn in "234")
        edge = " (at the end of the scan: take it as a bound, and scan on)" if self.at_the_edge else ""
        parts = [f"density {self.density:.2f} ± {self.density_error:.2f} g/cm³{edge}, sp² {sp2} (sp {sp}, sp³ {sp3})"]
        if self.agrees is not None:
            relation = "agrees with" if self.agrees else "differs from"
            parts.append(f"{relation} the {self.plain:.2f} ± {self.plain_error:.2f} of unguided structures")
        if max(self.candidates) == 1:
            parts.append("one candidate at each density, so their scatter is not in the errors")
        closest = min(self.judge_misfit)
        if closest > TRUSTED:
            parts.append(
                f"do not trust this: no density comes nearer than {closest:.3f} by the judge, and those of an "
                f"amorphous carbon come within {TRUSTED}"
            )
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self) | {"agrees": self.agrees, "words": self.words}


def answer(points: Collection[ScanPoint], target: Target, plain: DensityEstimate | None = None) -> ScanAnswer:
    """Density and coordination that a scan speaks for; see the head of this module.

    Between densities the judge's mean M² is interpolated (Akima), which is exact for a parabola. The candidates'
    scatter about their mean enters by drawing the means anew, with seed 0. Nothing is denser than diamond, unless only
    such densities were scanned.

    Parameters
    ----------
    points
        Candidates of two densities at least.
    target
        What they were guided to.
    plain
        The estimate to compare with.

    Raises
    ------
    AcgenError
        If there are fewer than two densities.
    """
    at = np.array([point.density for point in points])
    grid = check_densities(at.tolist())
    groups = [[point for point in points if point.density == density] for density in grid]
    guide, guide_spread = _bands([[[point.misfit] for point in group] for group in groups])
    judge, judge_spread = _bands([[[point.judge_misfit] for point in group] for group in groups])
    shares, share_spread = _bands([[[point.cn_fraction[cn] for cn in "234"] for point in group] for group in groups])
    counts = np.array([len(group) for group in groups])
    fine, posterior = _posterior(np.array(grid), judge[:, 0], judge_spread[:, 0], counts, target)
    mean = float(posterior @ fine)
    cn = np.stack([np.interp(fine, grid, column) for column in shares.T], axis=1)
    cn_mean = posterior @ cn
    cn_variance = posterior @ (cn - cn_mean) ** 2 + _pooled(share_spread, counts)
    nearest = np.abs(fine[:, None] - np.array(grid)).argmin(axis=1)
    return ScanAnswer(
        density=mean,
        density_error=float(np.sqrt(posterior @ (fine - mean) ** 2)),
        cn_fraction=_named(cn_mean),
        cn_error=_named(np.sqrt(cn_variance)),
        densities=grid,
        candidates=tuple(counts.tolist()),
        misfit=tuple(guide[:, 0].tolist()),
        misfit_spread=tuple(guide_spread[:, 0].tolist()),
        judge_misfit=tuple(judge[:, 0].tolist()),
        judge_spread=tuple(judge_spread[:, 0].tolist()),
        cn=tuple(map(_named, shares)),
        cn_spread=tuple(map(_named, share_spread)),
        probability=tuple(np.bincount(nearest, posterior, len(grid)).tolist()),
        at_the_edge=int(judge[:, 0].argmin()) in (0, len(grid) - 1),
        plain=None if plain is None else plain.density,
        plain_error=None if plain is None else plain.density_error,
    )


def error_variance(target: Target, squared_misfit: float = 0.0) -> float:
    """The v of this module's head: by how much M² grows for one standard deviation.

    Parameters
    ----------
    target
        Its noise and its measured points count.
    squared_misfit
        M² of the best density.
    """
    noise = np.zeros(target.mask.size) if target.noise is None else target.noise
    covariance = (error_covariance() + np.diag(noise**2))[np.ix_(target.mask, target.mask)]
    total = float(np.trace(covariance))
    return float((covariance**2).sum()) / total * max(1.0, squared_misfit / total)


def _posterior(
    grid: np.ndarray, misfit: np.ndarray, spread: np.ndarray, counts: np.ndarray, target: Target
) -> tuple[np.ndarray, np.ndarray]:
    """Fine densities and their probabilities, averaged over draws of the mean misfits."""
    last = min(grid[-1], DENSEST) if grid[0] < DENSEST else grid[-1]
    fine = np.linspace(grid[0], last, round((last - grid[0]) / _FINE) + 1)
    variance = error_variance(target, float(misfit.min() ** 2))
    scatter = np.sqrt(_pooled(spread[:, None], counts)[0] / counts)
    draws = np.random.default_rng(0).normal(size=(_DRAWS if scatter.any() else 1, grid.size))
    total = np.zeros(fine.size)
    for draw in draws:
        curve = Akima1DInterpolator(grid, np.maximum(misfit + scatter * draw, 0.0) ** 2)(fine)
        likelihood = np.exp(-(curve - curve.min()) / (2 * variance))
        total += likelihood / likelihood.sum()
    return fine, total / total.sum()


def _bands(groups: list[list[list[float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over the candidates of each density; both of shape (densities, quantities)."""
    mean, spread = zip(*map(mean_and_spread, groups), strict=True)
    return np.stack(mean), np.stack(spread)


def _pooled(spread: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Variance within densities, shape (quantities,), from all of them; 0 where each has one candidate."""
    return (counts - 1) @ spread**2 / max(int((counts - 1).sum()), 1)


def _named(values: np.ndarray) -> dict[str, float]:
    return dict(zip("234", values.tolist(), strict=True))
