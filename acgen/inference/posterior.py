"""What a spectrum says of the structures it may come from: regression adjustment among structures of known spectra.

The structures are weighted by how close their spectra lie to the target, and what is asked of them (density,
coordination) is moved along its weighted linear regression on the spectrum to the target itself (Beaumont, Zhang and
Balding, Genetics 162, 2025 (2002)). The regression knows the covariance of what separates the target from the spectrum
of its structure: noise, the forward model's error, and what the instrument parameters leave open, each of which weakens
the energies at which it is large. With Gaussian errors this is the posterior of that linear model (Kriging).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acgen.spectra.instrument import Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline
from acgen.spectra.spectrum import Target

#: Distance of spectra at which a structure's weight has fallen to 0.6. Of 0.15, 0.25, 0.4 and 0.8 the best in
#: cross-validation: 40 melt-quench cells with a forward error of one network, instrument and noise added (density 0.17
#: g/cm³ and worst coordination 6 points rms against 0.17 and 7, 8 and 9).
WIDTH = 0.15
#: By how much errors there exceeded the standard deviations of the linear model, by which these are multiplied.
CALIBRATION = 1.4
#: Expected instrument and its uncertainty: shift (eV), scale, slope (1/eV), broadening (eV).
EXPECTED, SPREAD = np.array([0.0, 1.0, 0.0, 0.2]), np.array([0.5, 0.1, 0.01, 0.2])
#: Steps of the derivatives by the same parameters.
_STEPS = np.array([0.02, 0.01, 5e-4, 0.05])
_LOW, _HIGH = np.array([-1.0, 0.1, -0.03, 0.0]), np.array([1.0, 10.0, 0.06, 0.5])
#: Noise below which no measurement is believed to be.
_LEAST_NOISE = 0.003
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Posterior of `k` quantities.

    Attributes
    ----------
    mean, covariance
        Shapes (k,) and (k, k).
    instrument
        That of the target, as far as it is known.
    """

    mean: np.ndarray
    covariance: np.ndarray
    instrument: Instrument


def adjust(
    target: Target,
    spectra: np.ndarray,
    quantities: np.ndarray,
    error: np.ndarray,
    misfit: np.ndarray,
    start: Instrument | None,
) -> Adjusted:
    """Quantities of the structure of a target.

    Parameters
    ----------
    target
        What was measured.
    spectra, quantities
        Of the structures: (n, 100) and (n, k).
    error
        Covariance (100, 100) of the forward model's error.
    misfit
        Distances (n,) of the structures' spectra to the target, each at its best.
    start
        A first guess of the instrument; None if it changes nothing.
    """
    mask = target.mask
    noise = np.zeros(mask.size) if target.noise is None else target.noise
    plain = (error + np.diag(np.maximum(noise, _LEAST_NOISE) ** 2))[np.ix_(mask, mask)]
    weight = _weights(misfit)
    believed, at = weight @ spectra, start
    for _ in range(1 if start is None else _ROUNDS):
        seen, open_, offset = spectra[:, mask], np.zeros((4, mask.sum())), 0.0
        if at is not None:
            seen = (spectra @ instrument_matrix(at).T)[:, mask]
            open_ = _derivatives(at, believed)[:, mask]
            offset = (EXPECTED - _vector(at)) @ open_
        weight = _weights(np.linalg.norm(seen - target.intensity[mask], axis=1))
        middle, centre = weight @ seen, weight @ quantities
        off, parts = seen - middle, quantities - centre
        spread = (weight[:, None] * off).T @ off + plain + (open_ * SPREAD[:, None] ** 2).T @ open_
        across = (weight[:, None] * off).T @ parts
        pull = np.linalg.solve(spread, target.intensity[mask] - offset - middle)
        believed = weight @ spectra + (weight * (off @ pull)) @ (spectra - weight @ spectra)
        if at is not None:
            at = Instrument(*np.clip(EXPECTED + SPREAD**2 * (open_ @ pull), _LOW, _HIGH).tolist())
    covariance = (weight[:, None] * parts).T @ parts - across.T @ np.linalg.solve(spread, across)
    return Adjusted(centre + across.T @ pull, CALIBRATION**2 * covariance, at or Instrument())


def best_misfits(target: Target, spectra: np.ndarray, instrument: bool) -> tuple[np.ndarray, Instrument | None]:
    """Distance of each spectrum (n, 100) to the target, behind an instrument of its own if there is one, and the
    instrument of the weighted mean of the closest."""
    beamline = Beamline(target, instrument)
    misfit = np.array([beamline.misfit(spectrum) for spectrum in spectra])
    return misfit, beamline.instrument(_weights(misfit) @ spectra) if beamline.fitted else None


def _weights(misfit: np.ndarray) -> np.ndarray:
    weight = np.exp(-(misfit**2 - misfit.min() ** 2) / (2 * WIDTH**2))
    return weight / weight.sum()


def _vector(instrument: Instrument) -> np.ndarray:
    return np.array([instrument.shift, instrument.scale, instrument.slope, instrument.sigma])


def _derivatives(at: Instrument, spectrum: np.ndarray) -> np.ndarray:
    """Change of a spectrum per change of each parameter of the instrument, (4, 100)."""
    rows = []
    for k, step in enumerate(_STEPS):
        up, down = _vector(at), _vector(at)
        up[k] += step
        down[k] = max(down[k] - step, 0.0) if k == 3 else down[k] - step
        change = Instrument(*up).apply(spectrum) - Instrument(*down).apply(spectrum)
        rows.append(change / (up[k] - down[k]))
    return np.array(rows)
