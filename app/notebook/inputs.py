"""Atoms, arrays and files from a notebook, converted to what the views show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen.data.cells import read_structure
from acgen.errors import AcgenError
from acgen.networks.models import predict_sites
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import N_POINTS
from acgen.spectra.prepare import prepare
from acgen.spectra.spectrum import Spectrum, Target
from acgen.spectra.targets import load_target
from acgen.structures.cell import carbon, cell_matrix
from acgen.structures.read import check_cell
from app.session.shown import Shown, see, show_candidate
from app.workers.models import shared_models


def atoms_of(structure: Any, cell: Any = None) -> Atoms:
    """A structure of any kind that `StructureView` takes, as periodic carbon wrapped into its cell.

    Raises
    ------
    AcgenError
        If it is none, with what would do.
    """
    if isinstance(structure, Candidate):
        structure = structure.atoms
    if isinstance(structure, (str, Path)):
        structure = read_structure(structure)
    if isinstance(structure, Atoms):
        if set(structure.get_chemical_symbols()) != {"C"} or structure.cell.rank < 3:
            raise AcgenError(f"got {structure.get_chemical_formula() or 'no atoms'}: give carbon in a periodic cell")
        check_cell(structure)
        return carbon(structure.positions, structure.cell.array)
    positions = np.asarray(structure, dtype=float)
    if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
        raise AcgenError(f"got positions of shape {positions.shape}: give finite ones of shape (N, 3) in Å")
    if cell is None:
        raise AcgenError("positions need a cell: give one edge, three edges or three vectors in Å")
    atoms = carbon(positions, cell_matrix(cell))
    check_cell(atoms)
    return atoms


def target_of(source: Any) -> Target:
    """A target of any kind that `app.notebook.widgets.SpectrumView` takes.

    Raises
    ------
    AcgenError
        If it is none, with what would do.
    """
    if isinstance(source, Target):
        return source
    if isinstance(source, (str, Path)):
        return load_target(source)
    if not isinstance(source, Spectrum):
        table = np.asarray(source, dtype=float)
        if table.ndim != 2 or 2 not in table.shape:
            raise AcgenError(f"got an array of shape {table.shape}: give energies in eV and intensities, shape (M, 2)")
        energy, intensity = table.T if table.shape[1] == 2 else table
        source = Spectrum(energy, intensity, "spectrum")
    return prepare(source)


def predicted(item: Any, number: int, target: Target | None) -> Shown:
    """A prediction of any kind that `app.notebook.widgets.SpectrumView` takes; `number` names it.

    It is seen as it is compared with the target: a candidate as in its run, all else as a run by default would.

    Raises
    ------
    AcgenError
        If it is none, with what would do.
    """
    if isinstance(item, Candidate):
        return show_candidate(item, str(item.index + 1))
    if isinstance(item, (Atoms, str, Path)):
        atoms = atoms_of(item)
        sites = predict_sites(shared_models().forward, atoms)
        return see(Shown(str(number), atoms, sites.mean(0), sites), target)
    values = np.asarray(item, dtype=float)
    if values.shape != (N_POINTS,):
        raise AcgenError(f"got a prediction of shape {values.shape}: give ({N_POINTS},), on acgen.spectra.grid.ENERGY")
    return see(Shown(str(number), Atoms(), values), target)
