"""How close structures are to amorphous carbon of their density: reference figures and the distance from them.

The reference of a density is the mean over kinds of structures that count once each, however many cells they have: the
published network (its thermal snapshots averaged) and our own melt-quench cells of each quench time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from acgen.assets import asset
from acgen.errors import AcgenError
from acgen.structures.analysis import Analysis, RadialDistribution, analyse
from acgen.structures.potential import energy_per_atom

COMPARED = (2, 3, 4)
"""Coordination numbers that count in `coordination_error`: sp, sp² and sp³."""

DENSITIES = ("1.5", "2.0", "2.5", "3.0", "3.5")
"""Densities of the reference in g/cm³, as in the names of the networks."""


@dataclass(frozen=True)
class Figures:
    """Figures of one or several structures of one density.

    Attributes
    ----------
    density
        Mass density in g/cm³.
    coordination
        Fraction of the atoms by coordination number, keys 0 to 5 (5 or more).
    energy
        Potential energy in eV per atom, not relaxed; None if unknown.
    mean_angle
        Mean bond angle in degrees.
    angles
        Centres of the angle bins in degrees, shape (60,).
    angle_distribution
        Bond-angle distribution per degree, shape (60,).
    rdf
        g(r).
    """

    density: float
    coordination: dict[int, float]
    energy: float | None
    mean_angle: float
    angles: np.ndarray
    angle_distribution: np.ndarray
    rdf: RadialDistribution


@dataclass(frozen=True)
class Realism:
    """Comparison of structures with the reference of their density; see `realism`.

    Attributes
    ----------
    density
        Density of the reference in g/cm³.
    structures
        Number of structures compared.
    cn_percent
        Percentage of the atoms by coordination number, keys 0 to 5 (5 or more), all structures together.
    reference_cn_percent
        The same of the reference.
    mean_difference
        Mean absolute difference of CN2, CN3 and CN4 from the reference, in percentage points.
    energy
        Mean potential energy in eV per atom, not relaxed; None without a potential.
    energy_above
        `energy` minus that of the reference; None without a potential.
    first_peak, reference_first_peak
        Position of the nearest-neighbour peak of g(r) in Å.
    mean_angle, reference_mean_angle
        Mean bond angle in degrees.
    """

    density: float
    structures: int
    cn_percent: dict[int, float]
    reference_cn_percent: dict[int, float]
    mean_difference: float
    energy: float | None
    energy_above: float | None
    first_peak: float
    reference_first_peak: float
    mean_angle: float
    reference_mean_angle: float

    @property
    def cn1_percent(self) -> float:
        """Percentage of atoms with one neighbour, which real amorphous carbon does not have."""
        return self.cn_percent[1]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for `json.dump`; what is undefined (NaN) becomes None."""
        values = asdict(self)
        for name in ("cn_percent", "reference_cn_percent"):
            values[name] = {str(cn): percent for cn, percent in values[name].items()}
        return {name: None if value != value else value for name, value in values.items()}


def realism(structures: Sequence[Atoms], density: float, potential: str | Path | None = None) -> Realism:
    """Compare structures with the reference of a density.

    Parameters
    ----------
    structures
        Carbon cells of that density; their fractions, energies and distributions are averaged before comparing,
        because single cells of 216 atoms differ by several points.
    density
        Density in g/cm³ whose reference is used, see `reference_at`.
    potential
        File of a neuroevolution potential for the energies, see `acgen.structures.potential`. They compare with the
        reference only when it is the potential of the reference, `C_2022_NEP4.txt`.

    Raises
    ------
    AcgenError
        If there is no structure, or one cannot be analysed, or the potential cannot be used.
    """
    reference = reference_at(density)
    found = figures_of(structures, density, energies(structures, potential))
    above = None if found.energy is None or reference.energy is None else found.energy - reference.energy
    return Realism(
        density=density,
        structures=len(structures),
        cn_percent={cn: 100 * fraction for cn, fraction in found.coordination.items()},
        reference_cn_percent={cn: 100 * fraction for cn, fraction in reference.coordination.items()},
        mean_difference=coordination_error(found.coordination, reference.coordination),
        energy=found.energy,
        energy_above=above,
        first_peak=found.rdf.first_peak,
        reference_first_peak=reference.rdf.first_peak,
        mean_angle=found.mean_angle,
        reference_mean_angle=reference.mean_angle,
    )


def coordination_error(found: Mapping[int, float] | np.ndarray, known: Mapping[int, float] | np.ndarray) -> float:
    """Mean absolute difference of fractions, by coordination number, over CN 2, 3 and 4, in percentage points."""
    return 100 * float(np.mean([abs(found[cn] - known[cn]) for cn in COMPARED]))


def reference_at(density: float) -> Figures:
    """Reference figures of any density, linear between the densities of `load_reference`.

    Below 1.5 and above 3.5 g/cm³ nothing is known: there it is the reference of the nearest end.
    """
    known = load_reference()
    densities = [figures.density for figures in known]
    weights = np.array([np.interp(density, densities, column) for column in np.eye(len(known))])
    return _weighted(known, weights, density)


@cache
def load_reference() -> tuple[Figures, ...]:
    """Read the shipped reference figures (`assets/reference/figures.json`), by rising density."""
    content = json.loads(asset("reference/figures.json").read_text(encoding="utf-8"))
    angles, r = np.array(content["angle_deg"]), np.array(content["r_A"])
    return tuple(
        Figures(
            density=entry["density_g_cm3"],
            coordination={int(cn): fraction for cn, fraction in entry["mean"]["cn_fraction"].items()},
            energy=entry["mean"]["energy_eV"],
            mean_angle=entry["mean"]["mean_bond_angle_deg"],
            angles=angles,
            angle_distribution=np.array(entry["angle_distribution_per_degree"]),
            rdf=RadialDistribution(r, np.array(entry["g"])),
        )
        for entry in content["densities"]
    )


def public_coordination(density: str) -> dict[int, float]:
    """Fraction of the atoms of a public network by coordination number, keys 0 to 5; `density` as in `DENSITIES`."""
    content = json.loads(asset("reference/figures.json").read_text(encoding="utf-8"))
    entry = content["densities"][DENSITIES.index(density)]
    kind = next(kind for kind in entry["kinds"] if kind["kind"] == "public network")
    return {int(cn): fraction for cn, fraction in kind["cn_fraction"].items()}


def reference_cells() -> list[Atoms]:
    """Read the shipped cells, two per density; `info` has density, seed, quench_fs and energy_per_atom in eV."""
    return [atoms for path in sorted(asset("reference").glob("*.extxyz")) for atoms in ase.io.iread(path)]


def figures_of(structures: Iterable[Atoms], density: float, energies: Sequence[float] | None) -> Figures:
    """Analyse structures and average them."""
    results: list[Analysis] = [analyse(atoms) for atoms in structures]
    if not results:
        raise AcgenError("there is no structure to compare: give at least one")
    each = [
        Figures(
            density=density,
            coordination=result.coordination,
            energy=None if energies is None else energies[index],
            mean_angle=result.mean_angle,
            angles=result.angles,
            angle_distribution=result.angle_distribution,
            rdf=result.rdf,
        )
        for index, result in enumerate(results)
    ]
    return mean_of(each, density)


def mean_of(figures: Sequence[Figures], density: float) -> Figures:
    """Mean of several figures, each counting once, as figures of a density in g/cm³."""
    return _weighted(figures, np.full(len(figures), 1 / len(figures)), density)


def _weighted(figures: Sequence[Figures], weights: np.ndarray, density: float) -> Figures:
    """Sum of figures with weights that add up to 1."""

    def total(values: Iterable[Any]) -> Any:
        return sum(weight * value for weight, value in zip(weights, values, strict=True))

    known = all(item.energy is not None for item in figures)
    return Figures(
        density=density,
        coordination={cn: float(total(item.coordination[cn] for item in figures)) for cn in figures[0].coordination},
        energy=float(total(item.energy for item in figures)) if known else None,
        mean_angle=float(total(item.mean_angle for item in figures)),
        angles=figures[0].angles,
        angle_distribution=total(item.angle_distribution for item in figures),
        rdf=RadialDistribution(figures[0].rdf.r, total(item.rdf.g for item in figures)),
    )


def energies(structures: Sequence[Atoms], potential: str | Path | None) -> list[float] | None:
    """Potential energies in eV per atom of structures, in their order; None without a potential."""
    return None if potential is None else [energy_per_atom(atoms, potential) for atoms in structures]
