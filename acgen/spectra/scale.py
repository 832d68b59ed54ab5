"""The scale of a target: by area over the overlap or by the level after the edge, and how much the choice matters."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import nnls

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.references import CLASSES, reference_spectra
from acgen.spectra.spectrum import SpectrumError

Normalisation = Literal["area", "edge"]

#: Relative difference between the two scales above which the choice of one is called important.
SENSITIVE = 0.25


def model_scale(
    intensity: np.ndarray,
    mask: np.ndarray,
    normalisation: Normalisation,
    post_range: tuple[float, float],
    history: list[str],
    warnings: list[str],
) -> tuple[float, float | None]:
    """Factor onto the scale of the model spectra, and the relative change that the other normalisation makes."""
    classes = np.stack([reference_spectra()[name] for name in CLASSES], axis=1)
    amounts, _ = nnls(classes[mask], intensity[mask])
    if not amounts.any():
        raise SpectrumError("the spectrum has nothing in common with a carbon edge: check energies and columns")
    mixture = classes @ (amounts / amounts.sum())
    area = float(mixture[mask].sum())
    by_area = area / float(intensity[mask].sum())
    by_edge, why = _edge_scale(intensity, mixture, mask, post_range)
    if normalisation == "edge":
        if by_edge is None:
            raise SpectrumError(f"cannot normalise by the edge step: {why}")
        history.append(f"Scaled to the level of the model spectra {post_range[0]:g}-{post_range[1]:g} eV above pi*.")
        scale, other = by_edge, by_area
    else:
        covered = f"{ENERGY[mask][0]:.1f}-{ENERGY[mask][-1]:.1f} eV ({mask.sum()} points)"
        history.append(f"Scaled to the area {area:.2f} of the model spectra over {covered}.")
        if by_edge is None:
            return by_area, None
        scale, other = by_area, by_edge
    sensitivity = other / scale - 1.0
    if abs(sensitivity) > SENSITIVE:
        which = "area" if normalisation == "edge" else "edge step"
        warnings.append(
            f"Scaling by the {which} instead would change all intensities by {sensitivity:+.0%}: the spectrum and the "
            "model spectra fall differently above the edge; try a slope."
        )
    return scale, sensitivity


def _edge_scale(
    intensity: np.ndarray, mixture: np.ndarray, mask: np.ndarray, post_range: tuple[float, float]
) -> tuple[float | None, str]:
    """Ratio of the levels after the edge of model and measurement, or None and the reason."""
    above = mask & (ENERGY >= PI_STAR + post_range[0]) & (ENERGY <= PI_STAR + post_range[1])
    if above.sum() < 3:
        return None, f"{PI_STAR + post_range[0]:g}-{PI_STAR + post_range[1]:g} eV is not measured; give another region"
    level = float(intensity[above].mean())
    if level <= 1e-6 * float(np.abs(intensity[mask]).max()):
        return None, "there is no level above the edge; check the background"
    return float(mixture[above].mean()) / level, ""
