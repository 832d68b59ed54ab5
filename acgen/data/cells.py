"""Loading cells from folders of any kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from ase import Atoms

from acgen.data.public import LabelledCell, is_public, load_public, network_label
from acgen.errors import AcgenError
from acgen.structures.read import PATTERNS, read_structures


def load_cells(sources: str | Path | Iterable[str | Path], carbon_only: bool = True) -> list[LabelledCell]:
    """Load every cell found in the given folders and files.

    Parameters
    ----------
    sources
        One or more of: a folder with the layout of the public data set; a folder of structures (extxyz, POSCAR, CIF,
        LAMMPS data, …; every frame of a file counts, sub-folders do not); one structure file.
    carbon_only
        Refuse other elements, which the networks do not know.

    Returns
    -------
    list[LabelledCell]
        In the order of the sources, by file name within one, no two of one name: files of one name are told apart by
        their endings or folders. Only cells of the public set have spectra. What a file
        says in ``info`` (density, seed, quench_fs) stays in ``atoms.info``.

    Raises
    ------
    AcgenError
        If a source has no structures, or one is refused by `acgen.structures.read`.
    """
    if isinstance(sources, (str, Path)):
        sources = [sources]
    cells: list[LabelledCell] = []
    paths: list[Path] = []
    for source in map(Path, sources):
        for path, cell in _public(source) if is_public(source) else _load_structures(source, carbon_only):
            paths.append(path)
            cells.append(cell)
    if not cells:
        raise AcgenError("no folder or file with structures was given: name at least one")
    names = told_apart([cell.name for cell in cells], paths)
    return [replace(cell, name=name) for cell, name in zip(cells, names, strict=True)]


def read_structure(path: str | Path) -> Atoms:
    """The last structure of a file or folder, by the name of its file.

    Raises
    ------
    AcgenError
        As `load_cells` does; other frames than the last are not looked at.
    """
    source = Path(path)
    return read_structures(source, index="-1:")[-1] if source.is_file() else load_cells(source)[-1].atoms


def _public(source: Path) -> list[tuple[Path, LabelledCell]]:
    return [(source / cell.name, cell) for cell in load_public(source)]


def _load_structures(source: Path, carbon_only: bool) -> list[tuple[Path, LabelledCell]]:
    paths = [source]
    if source.is_dir():
        files = (path for path in source.iterdir() if path.is_file())
        paths = sorted(path for path in files if any(fnmatchcase(path.name.lower(), pattern) for pattern in PATTERNS))
    if not paths:
        raise AcgenError(f"{source} has no structures: expected {', '.join(PATTERNS)}, or poscar/ and xanes/ in it")
    return [(path, cell) for path in paths for cell in _load_file(path, carbon_only)]


def _load_file(path: Path, carbon_only: bool) -> list[LabelledCell]:
    frames = read_structures(path, carbon_only=carbon_only)
    names = [path.stem] if len(frames) == 1 else [f"{path.stem}-{i:03d}" for i in range(len(frames))]
    return [LabelledCell(name, network_label(atoms), atoms) for name, atoms in zip(names, frames, strict=True)]


def told_apart(names: Sequence[str], paths: Sequence[str | Path]) -> list[str]:
    """Names with the endings or the folders of their files where they occur twice, and a number if need be.

    Parameters
    ----------
    names
        That begin with the stems of the paths.
    paths
        Of the files, one for each name.
    """
    files = [Path(path) for path in paths]
    found = list(names)
    for depth in range(1, max((len(file.parts) for file in files), default=0) + 1):
        counts = Counter(found)
        if len(counts) == len(found):
            break
        for k, (name, file) in enumerate(zip(names, files, strict=True)):
            if counts[found[k]] > 1:
                found[k] = "/".join(file.parts[-depth:]) + name.removeprefix(file.stem)
    seen: Counter[str] = Counter()
    for k, name in enumerate(found):
        seen[name] += 1
        found[k] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return found
