"""Loading cells from folders of any kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import ase.io
from ase import Atoms

from acgen.data.public import LabelledCell, is_public, load_public, network_label
from acgen.errors import AcgenError

#: File names that count as structures in a folder.
PATTERNS = ("*.extxyz", "*.xyz", "*.vasp", "*.poscar", "POSCAR*", "CONTCAR*", "*.cif")


def load_cells(sources: str | Path | Iterable[str | Path], carbon_only: bool = True) -> list[LabelledCell]:
    """Load every cell found in the given folders and files.

    Parameters
    ----------
    sources
        One or more of: a folder with the layout of the public data set; a folder of structures (extxyz, POSCAR, CIF;
        every frame of a file counts, sub-folders do not); one structure file.
    carbon_only
        Refuse other elements, which the networks do not know.

    Returns
    -------
    list[LabelledCell]
        In the order of the sources, by file name within one. Only cells of the public set have spectra. What a file
        says in ``info`` (density, seed, quench_fs) stays in ``atoms.info``.

    Raises
    ------
    AcgenError
        If a source has no structures, or one is unreadable, has no cell, or has other elements than carbon where only
        carbon is allowed.
    """
    if isinstance(sources, (str, Path)):
        sources = [sources]
    cells: list[LabelledCell] = []
    for source in map(Path, sources):
        cells += load_public(source) if is_public(source) else _load_structures(source, carbon_only)
    if not cells:
        raise AcgenError("no folder or file with structures was given: name at least one")
    return cells


def _load_structures(source: Path, carbon_only: bool) -> list[LabelledCell]:
    if source.is_dir():
        paths = sorted({path for pattern in PATTERNS for path in source.glob(pattern) if path.is_file()})
    else:
        paths = [source]
    if not paths:
        raise AcgenError(f"{source} has no structures: expected {', '.join(PATTERNS)}, or poscar/ and xanes/ in it")
    return [cell for path in paths for cell in _load_file(path, carbon_only)]


def _load_file(path: Path, carbon_only: bool) -> list[LabelledCell]:
    if not path.is_file():
        raise AcgenError(f"{path} does not exist: give a folder or a structure file")
    try:
        frames = ase.io.read(path, index=":")
    except Exception as error:  # the parsers raise whatever they stumble on
        raise AcgenError(f"{path} cannot be read as a structure ({type(error).__name__}: {error})") from error
    if not frames:
        raise AcgenError(f"{path} has no structure in it")
    names = [path.stem] if len(frames) == 1 else [f"{path.stem}-{i:03d}" for i in range(len(frames))]
    return [_cell(name, atoms, path, carbon_only) for name, atoms in zip(names, frames, strict=True)]


def _cell(name: str, atoms: Atoms, path: Path, carbon_only: bool) -> LabelledCell:
    if carbon_only and set(atoms.get_chemical_symbols()) != {"C"}:
        raise AcgenError(f"{path} has the formula {atoms.get_chemical_formula()}: acgen handles carbon only")
    if atoms.cell.rank < 3:
        raise AcgenError(f"{path} has no periodic cell in three directions: add the lattice")
    atoms.pbc = True
    return LabelledCell(name, network_label(atoms), atoms)
