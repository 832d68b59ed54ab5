"""What a carbon structure looks like: coordination, bonds, angles, g(r), S(q) and bond order.

Every function takes an `ase.Atoms` with a cell of any shape and treats it as periodic in three dimensions. Positions
may lie outside the cell. In small cells an atom may have several images of one neighbour, or of itself, as neighbours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list

from acgen.errors import AcgenError
from acgen.structures.cell import density, heights

if TYPE_CHECKING:  # freud brings matplotlib, together over a second: a sampler needs neither
    import freud

BOND_CUTOFF = 1.84
"""Two carbon atoms are bonded below this distance in Å (arXiv:2312.05472)."""

HIGHEST_CN = 5
"""Coordination fractions count all atoms with this many neighbours or more together."""

ANGLE_EDGES = np.arange(0.0, 181.0, 3.0)
"""Edges of the bond-angle histogram in degrees, shape (61,)."""

VORONOI_REACH = 3.0
"""Å from an atom to the farthest face of its Voronoi cell in a structure without large holes."""

Q_RANGE, Q_BINS = (1.0, 12.0), 55
"""Momentum transfers of S(q) in Å⁻¹, from where a cell of 6.3 Å has any, and number of bins."""

FIRST_PEAK_RANGE = (1.0, 2.0)
"""Where the nearest-neighbour peak of carbon is looked for, in Å."""


@dataclass(frozen=True, eq=False)
class StructureFactor:
    """The static structure factor of a structure, which scattering measures.

    Attributes
    ----------
    q
        Centres of the bins of the momentum transfer in Å⁻¹, shape (bins,).
    s
        Mean square of Σ exp(i q·r), over N, for the vectors q of the cell's reciprocal lattice in the bin that have no
        negative index, which of a glass are as good as all: 1 for a random gas, NaN where there are none; shape
        (bins,).
    """

    q: np.ndarray
    s: np.ndarray


@dataclass(frozen=True)
class RadialDistribution:
    """The radial distribution function of a structure.

    Attributes
    ----------
    r
        Centres of the bins in Å, shape (bins,).
    g
        g(r), 1 for a random gas, shape (bins,).
    """

    r: np.ndarray
    g: np.ndarray

    @property
    def first_peak(self) -> float:
        """Position of the nearest-neighbour peak in Å: a parabola through the highest bin between 1 and 2 Å.

        NaN where g(r) vanishes in that range.
        """
        inside = np.flatnonzero((self.r >= FIRST_PEAK_RANGE[0]) & (self.r <= FIRST_PEAK_RANGE[1]))
        if inside.size == 0 or not np.any(self.g[inside] > 0):
            return float("nan")
        top = int(inside[np.argmax(self.g[inside])])
        if top in (0, len(self.r) - 1):
            return float(self.r[top])
        left, centre, right = self.g[top - 1 : top + 2]
        curvature = left - 2 * centre + right
        if curvature >= 0:
            return float(self.r[top])
        shift = np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
        return float(self.r[top] + shift * (self.r[1] - self.r[0]))


@dataclass(frozen=True)
class Analysis:
    """Summary of one structure.

    Attributes
    ----------
    n_atoms
        Number of atoms.
    density
        Mass density in g/cm³.
    coordination
        Fraction of the atoms with 0, 1, ..., 4 and with 5 or more neighbours, as from `coordination_fractions`.
    mean_bond_length
        Mean bond length in Å, NaN without bonds.
    mean_angle
        Mean bond angle in degrees, NaN without angles.
    angles
        Centres of the angle bins in degrees, shape (60,).
    angle_distribution
        Bond-angle distribution per degree, integrates to 1 (all 0 without angles), shape (60,).
    rdf
        g(r).
    q4, q6
        Steinhardt order parameters of every atom, averaged over its neighbours, as from `steinhardt`; NaN for an atom
        without neighbours; shape (N,).
    """

    n_atoms: int
    density: float
    coordination: dict[int, float]
    mean_bond_length: float
    mean_angle: float
    angles: np.ndarray
    angle_distribution: np.ndarray
    rdf: RadialDistribution
    q4: np.ndarray
    q6: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, ready for `json.dump`; what is undefined (NaN) becomes None."""
        return {
            "n_atoms": self.n_atoms,
            "density_g_cm3": self.density,
            "cn_fraction": {str(cn): fraction for cn, fraction in self.coordination.items()},
            "bond_cutoff_A": BOND_CUTOFF,
            "mean_bond_length_A": _or_none(self.mean_bond_length),
            "mean_bond_angle_deg": _or_none(self.mean_angle),
            "bond_angle": {"angle_deg": self.angles.tolist(), "per_degree": self.angle_distribution.tolist()},
            "first_peak_A": _or_none(self.rdf.first_peak),
            "rdf": {"r_A": self.rdf.r.tolist(), "g": self.rdf.g.tolist()},
            "steinhardt": {"q4": _mean_and_spread(self.q4), "q6": _mean_and_spread(self.q6)},
        }

    def to_json(self) -> str:
        """The content of `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def coordination_numbers(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> np.ndarray:
    """Count the neighbours of every atom closer than `cutoff` Å, periodic images included; shape (N,), int."""
    (receivers,) = _neighbours(atoms, "i", cutoff)
    return np.bincount(receivers, minlength=len(atoms))


def coordination_fractions(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> dict[int, float]:
    """Fractions of the atoms by coordination number.

    Returns
    -------
    dict
        Keys 0 to 5; 5 stands for five neighbours or more. The values sum to 1.
    """
    numbers = np.minimum(coordination_numbers(atoms, cutoff), HIGHEST_CN)
    counts = np.bincount(numbers, minlength=HIGHEST_CN + 1)
    return {cn: float(count / len(atoms)) for cn, count in enumerate(counts)}


def bonds(atoms: Atoms, cutoff: float = BOND_CUTOFF, *, across_boundary: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """List every bond once.

    Parameters
    ----------
    atoms
        The structure.
    cutoff
        Largest bond length in Å.
    across_boundary
        Whether to keep the bonds that reach a periodic image. Without them, every bond is a straight line between two
        of the given positions, which is what a drawing needs.

    Returns
    -------
    pairs
        Indices of the two atoms, first <= second, shape (M, 2).
    lengths
        Bond lengths in Å, shape (M,).
    """
    pairs, lengths, shifts = bonds_and_images(atoms, cutoff)
    if across_boundary:
        return pairs, lengths
    inside = ~shifts.any(axis=1)
    return pairs[inside], lengths[inside]


def bonds_and_images(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List every bond once, with the periodic image of the second atom that it reaches.

    Returns
    -------
    pairs, lengths
        As `bonds`.
    shifts
        How many cells along each vector that image is away, shape (M, 3); zeros for a bond inside the cell.
    """
    first, second, lengths, shifts = _neighbours(atoms, "ijdS", cutoff)
    # The list holds every bond from both ends; of an atom bonded to its own image keep the first positive shift.
    leading = np.take_along_axis(shifts, np.argmax(shifts != 0, axis=1)[:, None], axis=1)[:, 0]
    keep = (first < second) | ((first == second) & (leading > 0))
    return np.column_stack([first, second])[keep], lengths[keep], shifts[keep]


def bond_angles(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> np.ndarray:
    """Angles between every two bonds of every atom in degrees, shape (M,).

    Raises
    ------
    AcgenError
        If two atoms lie in one place, which leaves their angles undefined.
    """
    receivers, lengths, vectors = _neighbours(atoms, "idD", cutoff)
    if np.any(lengths == 0):
        raise AcgenError("two atoms have the same position, bond angles are undefined: remove one of them")
    directions = vectors / lengths[:, None]
    # Bonds are sorted by atom: pair each with those of its atom that come later in the list.
    ends = np.cumsum(np.bincount(receivers, minlength=len(atoms)))
    later = ends[receivers] - np.arange(len(receivers)) - 1
    first = np.repeat(np.arange(len(receivers)), later)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    cosines = np.einsum("ij,ij->i", directions[first], directions[second])
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def angle_distribution(angles: np.ndarray) -> np.ndarray:
    """Histogram of bond angles over `ANGLE_EDGES`, per degree, with an integral of 1; all 0 without angles."""
    counts, _ = np.histogram(angles, bins=ANGLE_EDGES)
    return counts / (max(len(angles), 1) * np.diff(ANGLE_EDGES))


def radial_distribution(atoms: Atoms, r_max: float = 6.0, bins: int = 120) -> RadialDistribution:
    """Radial distribution function g(r), through `freud.density.RDF`.

    freud needs a cell whose faces lie more than 2 `r_max` apart; a smaller cell is repeated until they do, which
    leaves g(r) as it is.

    Parameters
    ----------
    atoms
        The structure.
    r_max
        Range in Å.
    bins
        Number of bins between 0 and `r_max`.
    """
    import freud

    rdf = freud.density.RDF(bins=bins, r_max=r_max, normalization_mode="exact")
    rdf.compute(_freud_system(atoms, r_max))
    # freud's own centres are the same in single precision.
    return RadialDistribution(r=(np.arange(bins) + 0.5) * r_max / bins, g=np.asarray(rdf.rdf, dtype=float))


def steinhardt(atoms: Atoms, order: int, cutoff: float = BOND_CUTOFF) -> np.ndarray:
    """Neighbour-averaged Steinhardt order parameter of every atom, shape (N,).

    Lechner and Dellago, J. Chem. Phys. 129, 114707 (2008), through `freud.order.Steinhardt(average=True)`, with the
    atoms closer than `cutoff` as neighbours.

    Parameters
    ----------
    atoms
        The structure.
    order
        l of the spherical harmonics: 4 or 6 for the usual two.
    cutoff
        Largest distance of a neighbour in Å.

    Returns
    -------
    ndarray
        NaN for an atom without neighbours.
    """
    import freud

    parameter = freud.order.Steinhardt(l=order, average=True)
    parameter.compute(_freud_system(atoms, cutoff), neighbors={"r_max": cutoff})
    # A repeated cell starts with the atoms of the given one.
    return np.asarray(parameter.particle_order, dtype=float)[: len(atoms)]


def voronoi_volumes(atoms: Atoms) -> np.ndarray:
    """Volume in Å³ of the Voronoi cell of every atom, shape (N,), through `freud.locality.Voronoi`.

    A cell is repeated until its faces lie more than twice `VORONOI_REACH` apart.
    """
    import freud

    voronoi = freud.locality.Voronoi().compute(_freud_system(atoms, VORONOI_REACH))
    return np.asarray(voronoi.volumes, dtype=float)[: len(atoms)]


def analyse(atoms: Atoms) -> Analysis:
    """Summarise one structure; see `Analysis`.

    Raises
    ------
    AcgenError
        If the structure is empty or has no three-dimensional cell.
    """
    angles = bond_angles(atoms)
    _, lengths = bonds(atoms)
    return Analysis(
        n_atoms=len(atoms),
        density=density(atoms),
        coordination=coordination_fractions(atoms),
        mean_bond_length=float(lengths.mean()) if lengths.size else float("nan"),
        mean_angle=float(angles.mean()) if angles.size else float("nan"),
        angles=0.5 * (ANGLE_EDGES[1:] + ANGLE_EDGES[:-1]),
        angle_distribution=angle_distribution(angles),
        rdf=radial_distribution(atoms),
        q4=steinhardt(atoms, 4),
        q6=steinhardt(atoms, 6),
    )


def _mean_and_spread(values: np.ndarray) -> dict[str, float | None]:
    """Mean and standard deviation over the atoms that have neighbours."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {"mean": None, "std": None}
    return {"mean": float(known.mean()), "std": float(known.std(ddof=1)) if known.size > 1 else None}


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return value if np.isfinite(value) else None


def _neighbours(atoms: Atoms, quantities: str, cutoff: float) -> tuple[np.ndarray, ...]:
    """matscipy's neighbour list as a tuple whatever the number of quantities, sorted by the first atom."""
    _check(atoms)
    found = neighbour_list(
        quantities, cutoff=cutoff, positions=atoms.positions, cell=np.asarray(atoms.cell), pbc=[True] * 3
    )
    return found if isinstance(found, tuple) else (found,)


def structure_factor(atoms: Atoms) -> StructureFactor:
    """Structure factor over `Q_RANGE`, by `freud.diffraction.StaticStructureFactorDirect`.

    Raises
    ------
    AcgenError
        If there are no atoms, no cell, or positions that are not finite.
    """
    import freud

    found = freud.diffraction.StaticStructureFactorDirect(bins=Q_BINS, k_min=Q_RANGE[0], k_max=Q_RANGE[1])
    found.compute(_freud_system(atoms, 0.0))
    return StructureFactor(np.array(found.bin_centers, dtype=float), np.array(found.S_k, dtype=float))


def _freud_system(atoms: Atoms, r_max: float) -> tuple[freud.box.Box, np.ndarray]:
    """Box and positions for freud, repeated until the faces of the cell are more than 2 `r_max` apart."""
    import freud

    _check(atoms)
    repeats = np.floor(2 * r_max / heights(np.asarray(atoms.cell))).astype(int) + 1
    if np.any(repeats > 1):
        atoms = atoms.repeat(repeats)
    # freud's boxes have a along x and b in the xy plane: the Cholesky factor of the metric tensor is the same cell, a
    # left-handed one mirrored, in those axes.
    cell = np.asarray(atoms.cell)
    lower = np.linalg.cholesky(cell @ cell.T)
    box = freud.box.Box.from_matrix(lower.T)
    return box, box.wrap(np.linalg.solve(cell.T, atoms.positions.T).T @ lower)


def _check(atoms: Atoms) -> None:
    """Raise `AcgenError` on what has no coordination: no atoms, no volume, undefined positions."""
    if len(atoms) == 0:
        raise AcgenError("the structure has no atoms: expected at least one")
    if abs(np.linalg.det(np.asarray(atoms.cell))) < 1e-6:
        raise AcgenError(
            "the structure has no three-dimensional cell: set three independent cell vectors (acgen is periodic)"
        )
    if not np.isfinite(atoms.positions).all():
        raise AcgenError("the structure has positions that are not finite: check the file or the run that made it")
