"""Carbon K-edge spectra from first principles with FEFF10: the input of a site, its output, and its energy axis.

FEFF10 (J. J. Kas et al., J. Synchrotron Rad. 28, 1801 (2021)) solves full multiple scattering in a cluster around one
absorber, with self-consistent potentials and a screened core hole. Here is what is pure: the cluster, the input, the
reading of `xmu.dat` and the way to the grid; `acgen.spectra.feff_run` runs the program.

FEFF sees a site otherwise than the DFT of the training spectra does: peaks stand where they should, heights and the
pi* resonance do not. It is good for differences between structures; it does not replace DFT.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from matscipy.neighbours import neighbour_list
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import pdist

from acgen.errors import AcgenError
from acgen.spectra.grid import AREA, ENERGY, ENERGY_STEP
from acgen.spectra.resample import resample

#: Atoms within this distance of the absorber make the cluster, Å.
RADIUS = 5.5
#: What every calculation has in common: self-consistent potentials, multiple scattering within 5 Å, screened core hole.
CARDS = (
    "EDGE K",
    "S02 1.0",
    "CONTROL 1 1 1 1 1 1",
    "PRINT 0 0 0 0 0 0",
    "SCF 4 0 30 0.2 1",
    "FMS 5.0 0",
    "COREHOLE RPA",
    "EXCHANGE 0 0.0 -0.3 2",
    "XANES 5 0.05 0.1",
)
#: Highest angular momentum of elements up to argon. FEFF would take 3 for multiple scattering: that doubles the time
#: and changes the spectrum of a carbon site by 2 % of its norm, a tenth of its distance from DFT.
L_MAX = 2
ARGON = 18
#: Two atoms closer than this overlap, Å: FEFF has no potential for them.
MIN_DISTANCE = 0.6
#: What to add to FEFF's energies, eV: where FEFF is nearest to the DFT spectra of sites of the five public networks
#: (eight sites; each network alone: 4.7 to 5.4). The crystals would say 3.6 (diamond) and 2.7 (graphite), which moves
#: the sites of the networks from 0.22 to 0.34 of their norm away: one axis serves networks, not networks and crystals.
ENERGY_SHIFT = 5.1
#: Standard deviation of the Gaussian that FEFF's spectra are broadened by, eV, from the same comparison.
BROADENING = 0.8
#: Spacing for the broadening, eV.
_FINE = 0.05
CARBON = 6


@dataclass(frozen=True, eq=False)
class Cluster:
    """An absorber and the atoms around it, by rising distance."""

    #: Atomic numbers, shape (M,), that of the absorber first.
    numbers: np.ndarray
    #: Positions in Å relative to the absorber, shape (M, 3), the first 0.
    positions: np.ndarray


@dataclass(frozen=True, eq=False)
class Xmu:
    """FEFF's spectrum of one site, as in `xmu.dat`."""

    #: Photon energies on FEFF's own axis, eV, shape (M,), strictly increasing.
    energy: np.ndarray
    #: Absorption in units of that of the atom 50 eV above its edge, shape (M,).
    mu: np.ndarray


def cluster(atoms: Atoms, site: int, radius: float = RADIUS) -> Cluster:
    """The atoms around a carbon atom, periodic images included where the structure is periodic.

    Parameters
    ----------
    atoms
        A structure of any elements.
    site
        Index of the absorber.
    radius
        Distance in Å up to which atoms belong to the cluster.

    Raises
    ------
    AcgenError
        If the site does not exist, is not carbon or has no neighbours, or atoms of the cluster overlap.
    """
    check_site(atoms, site)
    first, second, vectors = neighbour_list(
        "ijD", cutoff=radius, positions=atoms.positions, cell=np.asarray(atoms.cell.complete()), pbc=atoms.pbc
    )
    numbers, positions = atoms.numbers[second[first == site]], vectors[first == site]
    if not len(numbers):
        raise AcgenError(f"site {site} has no other atom within {radius} Å: FEFF needs neighbours")
    closest = pdist(np.vstack([np.zeros(3), positions])).min()
    if closest < MIN_DISTANCE:
        raise AcgenError(f"atoms around site {site} are {closest:.2f} Å apart, they overlap: mend the structure")
    # Rounded, so that the order (and with it the input) does not hang on the last digits.
    rounded = np.column_stack([numbers, np.round(positions, 4), np.round(np.linalg.norm(positions, axis=1), 4)])
    order = np.lexsort(rounded.T)
    return Cluster(np.append(CARBON, numbers[order]), np.vstack([np.zeros(3), positions[order]]))


def check_site(atoms: Atoms, site: int) -> None:
    """Raise `AcgenError` if a site does not exist or is not carbon."""
    if not 0 <= site < len(atoms):
        raise AcgenError(f"site {site} does not exist: the structure has the sites 0 to {len(atoms) - 1}")
    if atoms.numbers[site] != CARBON:
        raise AcgenError(f"site {site} is {atoms.symbols[site]}: only carbon has a carbon K-edge; choose another site")


def feff_input(found: Cluster) -> str:
    """Text of `feff.inp` for a cluster: one potential for the absorber, one for every element around it."""
    elements = [int(z) for z in np.unique(found.numbers[1:])]
    potentials = [(0, CARBON), *enumerate(elements, start=1)]
    index = {z: k for k, z in potentials[1:]}
    lines = ["TITLE carbon K edge of one site", *CARDS, "", "POTENTIALS"]
    lines += [f"{k:5d} {z:3d} {chemical_symbols[z]} {_l_max(z)} {_l_max(z)}" for k, z in potentials]
    lines += ["", "ATOMS"]
    for k, (z, (x, y, w)) in enumerate(zip(found.numbers, found.positions + 0.0, strict=True)):
        lines.append(f"{x:11.5f} {y:11.5f} {w:11.5f} {index[int(z)] if k else 0:3d} {chemical_symbols[z]}")
    return "\n".join([*lines, "END", ""])


def _l_max(z: int) -> int:
    """Highest angular momentum of an element; -1 leaves it to FEFF."""
    return L_MAX if z <= ARGON else -1


def input_key(text: str, version: str) -> str:
    """SHA-256 of an input and of the version of FEFF: equal keys have equal spectra."""
    return hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()


def read_xmu(text: str) -> Xmu:
    """Read the content of `xmu.dat`.

    Raises
    ------
    AcgenError
        If it has no table of at least ten rows, or numbers that are not finite or negative energies.
    """
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    try:
        table = np.array([[float(value) for value in row] for row in rows])
    except ValueError as error:
        raise AcgenError("FEFF's xmu.dat cannot be read as a table of numbers: run the site again") from error
    if table.ndim != 2 or len(table) < 10 or table.shape[1] < 4 or not np.isfinite(table).all():
        raise AcgenError("FEFF's xmu.dat has no table of finite numbers: the calculation of this site failed")
    energy, mu = table[:, 0], table[:, 3]
    if np.any(np.diff(energy) <= 0):
        raise AcgenError("the energies of FEFF's xmu.dat do not increase: the calculation of this site failed")
    return Xmu(energy, mu)


def on_grid(found: Xmu, shift: float = ENERGY_SHIFT, broadening: float = BROADENING) -> np.ndarray:
    """A calculated spectrum on `acgen.spectra.grid.ENERGY`, with the area of the training spectra, shape (100,).

    Parameters
    ----------
    found
        Spectrum of a site, or the mean of several.
    shift
        What to add to its energies, eV.
    broadening
        Standard deviation of the Gaussian broadening, eV.

    Raises
    ------
    AcgenError
        If the spectrum ends inside the grid or vanishes on it.
    """
    energy = found.energy + shift
    if energy[-1] < ENERGY[-1] + ENERGY_STEP:
        raise AcgenError(f"the spectrum ends at {energy[-1]:.1f} eV: calculate it to {ENERGY[-1] + ENERGY_STEP:.1f} eV")
    fine = np.arange(ENERGY[0] - 8.0, min(energy[-1], ENERGY[-1] + 8.0), _FINE)
    curve = np.interp(fine, energy, found.mu)
    if broadening > 0:
        curve = gaussian_filter1d(curve, broadening / _FINE, mode="nearest")
    values, _ = resample(fine, curve)
    if not values.sum() > 0:
        raise AcgenError("the spectrum vanishes on the energy grid: the calculation of this site failed")
    return values * (AREA / values.sum())
