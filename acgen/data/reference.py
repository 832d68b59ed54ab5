"""Making the shipped reference figures from the public cells and melt-quench cells."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen.data.cells import load_cells
from acgen.data.public import load_public
from acgen.errors import AcgenError
from acgen.structures.analysis import ANGLE_EDGES, BOND_CUTOFF, analyse
from acgen.structures.reference import DENSITIES, Figures, energies, figures_of, mean_of


def build_reference(public_dir: str | Path, md_dir: str | Path, potential: str | Path | None = None) -> dict[str, Any]:
    """Compute the content of `assets/reference/figures.json`.

    Parameters
    ----------
    public_dir
        Folder of the public data set, see `acgen.data.fetch`.
    md_dir
        Folder of melt-quench cells whose `info` has `quench_fs`.
    potential
        File of the neuroevolution potential; without it every energy is null.

    Raises
    ------
    AcgenError
        If a folder lacks cells of one of the densities, or a cell of `md_dir` has no quench time.
    """
    kinds: dict[str, dict[str, list[Atoms]]] = {label: defaultdict(list) for label in DENSITIES}
    for cell in load_public(public_dir):
        if cell.network in kinds:
            kinds[cell.network]["public network"].append(cell.atoms)
    for cell in sorted(load_cells(md_dir), key=lambda cell: cell.atoms.info.get("quench_fs", 0)):
        if "quench_fs" not in cell.atoms.info:
            raise AcgenError(f"{cell.name} in {md_dir} does not say its quench_fs: use cells made by `acgen md`")
        if cell.network in kinds:
            kinds[cell.network][f"melt-quench {int(cell.atoms.info['quench_fs'])} fs"].append(cell.atoms)
    entries = []
    for label in DENSITIES:
        if len(kinds[label]) < 2 or "public network" not in kinds[label]:
            raise AcgenError(f"no reference for {label} g/cm³: need a public network and melt-quench cells of it")
        entries.append(_entry(float(label), kinds[label], potential))
    return {
        "description": "Reference figures of amorphous carbon: every kind counts once in the mean of its density.",
        "sources": [
            "public network: thermal snapshots from github.com/LLNL/graphite (MIT), arXiv:2312.05472",
            "melt-quench: cells of this project (CC0), see README.md in this folder",
        ],
        "potential": None if potential is None else Path(potential).name,
        "bond_cutoff_A": BOND_CUTOFF,
        "angle_deg": (0.5 * (ANGLE_EDGES[1:] + ANGLE_EDGES[:-1])).tolist(),
        "r_A": _rounded(analyse(kinds["1.5"]["public network"][0]).rdf.r, 4),
        "densities": entries,
    }


def _entry(density: float, kinds: dict[str, list[Atoms]], potential: str | Path | None) -> dict[str, Any]:
    """One density of the reference: the figures of each kind of cells and their mean."""
    figures = {
        name: figures_of(cells, density, energies(cells, potential))
        for name, cells in kinds.items()
    }
    mean = mean_of(list(figures.values()), density)
    return {
        "density_g_cm3": density,
        "mean": _numbers(mean),
        "kinds": [{"kind": name, "cells": len(kinds[name])} | _numbers(kind) for name, kind in figures.items()],
        "angle_distribution_per_degree": _rounded(mean.angle_distribution, 6),
        "g": _rounded(mean.rdf.g, 4),
    }


def _numbers(figures: Figures) -> dict[str, Any]:
    return {
        "cn_fraction": {str(cn): round(fraction, 5) for cn, fraction in figures.coordination.items()},
        "energy_eV": None if figures.energy is None else round(figures.energy, 4),
        "mean_bond_angle_deg": round(figures.mean_angle, 2),
        "first_peak_A": round(figures.rdf.first_peak, 4),
    }


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
