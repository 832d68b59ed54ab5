"""What to know before believing a target, a density or a prediction, one sentence each.

Where the bounds of distances come from is told in `acgen.inference.reach`.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list
from scipy.optimize import nnls

from acgen.spectra.foreign import foreign_lines
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import Bounds
from acgen.spectra.match import DOMAIN_LIMIT, best_shift, best_slope, far_shift, tilt
from acgen.spectra.mixture import fit_mixture
from acgen.spectra.references import CLASSES, NETWORKS, reference_spectra
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.structures.analysis import HIGHEST_CN, bond_angles, coordination_fractions
from acgen.structures.cell import density as density_of
from acgen.structures.reference import DENSITIES, reference_at

#: Distances (norm over the measured points) up to which a target is within reach, and up to which it is near.
WITHIN, NEAR = 0.2, 0.45
#: Difference between two densities' distances that counts: snapshots of one network differ by 0.03-0.19.
BETTER = 0.05
#: Largest difference in g/cm³ at which a finished run says something about a density: spectra change by 0.05-0.11 over
#: it (neighbouring networks, 0.5 g/cm³ apart, differ by 0.27-0.57).
SAME_DENSITY = 0.1
#: Distance between the forward model's and the judge's spectrum of one structure above which they disagree: 0.11-0.20
#: on the ten shipped cells, up to 0.26 on 43 of molecular dynamics.
DISAGREEMENT = 0.3
#: Distance of a predicted spectrum from the nearest mixture of shipped amorphous spectra above which the forward model
#: is out of its depth: 0.04-0.16 on the ten shipped cells, up to 0.20 on 43 of molecular dynamics.
OUTSIDE = 0.25
#: What the ten shipped reference cells have none of: atoms with one neighbour or none. Share of atoms with five
#: neighbours or more above which a structure is odd: none in these cells, 0.2 % in the reference of 3.5 g/cm³,
#: which has the published network too.
CROWDED = 0.01
#: Distance in Å that no two atoms of the cells fall below: their nearest pairs are 1.21-1.34 Å apart.
CLOSEST = 1.15
#: Difference in degrees of the mean bond angle from the reference of the same density: up to 2.8 in the cells.
ANGLE_RANGE = 4.0
#: Energy in eV per atom above the reference of the same density: -0.21 to 0.05 in the cells.
STRAINED = 0.2
#: Part of the atoms whose surroundings are those of training cells: up to 0.05 in other cells of molecular dynamics.
COPIED = 0.1
#: Where atoms other than carbon come from, by the bond that shows (`acgen.spectra.foreign.WINDOWS`).
FOREIGN = {
    "C-H": "hydrogen in the film or matter adsorbed on it",
    "C=O": "an oxidised surface, matter adsorbed on it, or molecules with rings, whose second pi* lies there",
}
#: Energy shift in eV below which the search for one is not to be trusted, see `acgen.spectra.match.best_shift`.
_SHIFT_ERROR = 0.35


def target_flags(target: Target, instrument: bool | None = None) -> tuple[str, ...]:
    """What is odd about a target whatever the density: one sentence each.

    Where an instrument is fitted (`instrument`; by default to a measured target), what it explains is not odd.
    """
    fitted = fits_instrument(target, instrument)
    points, mask = target.intensity[target.mask], target.mask
    shift, correlation = best_shift(ENERGY[mask], points)
    flags = []
    far = far_shift(ENERGY[mask], points)
    if far:
        flags.append(f"The energies look about {far:+.1f} eV off: prepare the target with a shift, if that can be.")
    elif correlation < DOMAIN_LIMIT:
        flags.append(
            f"No pure carbon is known to have such a spectrum: its derivative correlates by {correlation:.2f} with the "
            f"best mixture of carbon references (amorphous carbon: {DOMAIN_LIMIT} or more). Polymers and other organic "
            "matter look like this."
        )
    elif abs(shift) > (Bounds().shift[1] if fitted else _SHIFT_ERROR):
        flags.append(
            f"The energies look {shift:+.2f} eV off: calibrate them, or prepare the target with an automatic shift."
        )
    flags += [
        f"At {line.energy:.1f} eV a line of {100 * line.height:.0f} % of the edge step is left over, where {line.bond} "
        f"absorbs: {FOREIGN[line.bond]}. No structure of carbon alone has it; what pi* (285 eV) and the energies above "
        "290 eV say still counts."
        for line in foreign_lines(target)
    ]
    distance = _from_mixtures_seen(target) if fitted else _from_mixtures(target.intensity, mask)
    if distance > NEAR:
        flags.append(
            f"The target is {distance:.2f} from every mixture of the amorphous spectra that the networks learned from: "
            "outside the training range."
        )
    if distance > NEAR and not fitted:
        slope = best_slope(target.intensity, mask)
        levelled = target.intensity / tilt(slope)
        levelled = levelled * target.intensity.sum() / levelled.sum()
        if correlation >= DOMAIN_LIMIT and _from_mixtures(levelled, mask) < distance - BETTER:
            flags.append(
                f"A detector slope of {slope:+.3f} per eV would explain a part of that: prepare the target with "
                "an automatic slope."
            )
    return tuple(flags)


def density_flags(density: float) -> tuple[str, ...]:
    """Whether a density in g/cm³ is outside the training cells: one sentence or none."""
    low, high = float(DENSITIES[0]), float(DENSITIES[-1])
    if low - SAME_DENSITY <= density <= high + SAME_DENSITY:
        return ()
    end = low if density < low else high
    return (
        f"{density:g} g/cm³ is outside the {low:g}-{high:g} g/cm³ of the training cells: the spectra of {end:g} g/cm³ "
        "stand in.",
    )


def prediction_flags(spectrum: np.ndarray, judge_spectrum: np.ndarray | None) -> tuple[str, ...]:
    """Why the predicted mean spectra of one structure, each (100,), should not be believed: one sentence each."""
    flags = []
    distance = _from_mixtures(spectrum, np.ones(ENERGY.size, dtype=bool))
    if distance > OUTSIDE:
        flags.append(
            f"The predicted spectrum is {distance:.2f} from every mixture of known amorphous ones (reference cells: up "
            "to 0.16): the structure is outside what the forward model knows."
        )
    apart = 0.0 if judge_spectrum is None else float(np.linalg.norm(spectrum - judge_spectrum))
    if apart > DISAGREEMENT:
        flags.append(
            f"Forward model and judge disagree by {apart:.2f} about its spectrum (reference cells: up to 0.20): one of "
            "them does not know such a structure."
        )
    return tuple(flags)


def structure_flags(atoms: Atoms, energy: float | None = None) -> tuple[str, ...]:
    """What no reference cell of its density has, one sentence each.

    Parameters
    ----------
    atoms
        A carbon structure with its cell.
    energy
        In eV per atom above the reference of its density, if it is known.
    """
    shares, flags = coordination_fractions(atoms), []
    lone, crowded = shares[0] + shares[1], shares[HIGHEST_CN]
    if lone > 0:
        flags.append(f"{100 * lone:.1f} % of the atoms have one neighbour or none: more restarts heal them.")
    if crowded > CROWDED:
        flags.append(f"{100 * crowded:.1f} % of the atoms have five neighbours or more (reference: up to 0.2 %).")
    pairs = neighbour_list("d", atoms, CLOSEST)
    if pairs.size:
        flags.append(f"{pairs.size // 2} pairs are closer than {CLOSEST} Å, the closest {pairs.min():.2f} Å apart.")
    angles, known = bond_angles(atoms), reference_at(density_of(atoms)).mean_angle
    if angles.size and abs(angles.mean() - known) > ANGLE_RANGE:
        flags.append(
            f"The mean bond angle is {angles.mean():.1f}°, that of the reference of this density {known:.1f}° "
            f"(± {ANGLE_RANGE:g}° at most)."
        )
    if energy is not None and energy > STRAINED:
        flags.append(
            f"Its energy is {energy:.2f} eV per atom above the reference of this density (cells: up to 0.05): bonds "
            "are strained."
        )
    return tuple(flags)


def _from_mixtures(spectrum: np.ndarray, mask: np.ndarray) -> float:
    """Distance of a spectrum from the nearest non-negative mixture of the shipped amorphous ones."""
    return float(nnls(_amorphous().T[mask], spectrum[mask])[1])


def _from_mixtures_seen(target: Target) -> float:
    """The same for a target, with the mixtures seen through one instrument."""
    return target.misfit(fit_mixture(target, _amorphous()).prediction)


def _amorphous() -> np.ndarray:
    """The shipped amorphous spectra, shape (number, 100)."""
    return np.stack([reference_spectra()[name] for name in (*CLASSES, *NETWORKS)])
