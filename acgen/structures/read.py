"""Structures from files of anyone: what a file seems to be, and one check of what comes out of it.

ase reads the formats; LAMMPS data files are told their style and element, which ase would guess.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import UnknownFileTypeError
from matscipy.neighbours import neighbour_list
from scipy.spatial.distance import pdist

from acgen.errors import AcgenError
from acgen.structures.cell import density, heights

#: Densities in g/cm³ outside of which the cell or the unit of lengths is wrong: diamond has 3.5, a molecule in a large
#: box 0.01.
ABSURD = (0.001, 10.0)
#: Shortest distance between two atoms, Å, and shortest height of a cell, Å; that of a chain of carbon atoms is 1.3.
MIN_DISTANCE, MIN_HEIGHT = 0.5, 1.0
MAX_ATOMS = 200_000
MAX_BYTES = 500_000_000
#: How a file is read, by the end of its name in lower case; all of these are plain text and run nothing.
FORMATS = {
    ".extxyz": "extxyz",
    ".xyz": "extxyz",
    ".cif": "cif",
    ".vasp": "vasp",
    ".poscar": "vasp",
    ".contcar": "vasp",
    ".data": "lammps-data",
    ".lammps": "lammps-data",
    ".lmp": "lammps-data",
    ".lammps-data": "lammps-data",
    ".pdb": "proteindatabank",
    ".xsf": "xsf",
}
#: File names that count as structures in a folder, and that a page offers.
PATTERNS = tuple(f"*{ending}" for ending in FORMATS) + ("poscar*", "contcar*")
_GZIP = b"\x1f\x8b"
_ATOMS = re.compile(r"^[ \t]*\d+[ \t]+atoms\b", re.MULTILINE)
_BOX = re.compile(r"\bxlo[ \t]+xhi\b")
_SECTION = re.compile(r"^[ \t]*Atoms[ \t]*(?:#[ \t]*(\w+))?[^\n]*\n", re.MULTILINE)
_MASSES = re.compile(r"^[ \t]*Masses\b", re.MULTILINE)
_TYPES = re.compile(r"^[ \t]*(\d+)[ \t]+atom[ \t]+types\b", re.MULTILINE)


def read_structures(
    source: str | Path | bytes,
    name: str = "",
    *,
    index: str = ":",
    carbon_only: bool = True,
    most: int = MAX_ATOMS,
    max_bytes: int = MAX_BYTES,
) -> list[Atoms]:
    """Frames of a file with carbon in a periodic cell, each checked by `check_structure`.

    Parameters
    ----------
    source
        Path of the file, or its content.
    name
        Name of the file, whose end tells the format; by default that of the path.
    index
        Which frames, as a slice: all by default, ``-1:`` for the last.
    carbon_only
        Refuse other elements, which the networks do not know.
    most, max_bytes
        Most atoms of a frame, and bytes of the file, unpacked.

    Raises
    ------
    AcgenError
        If it is of no known format, damaged, or something else than periodic carbon; the message says why.
    """
    label = name or str(source)
    data = source if isinstance(source, bytes) else _bytes(Path(source), max_bytes)
    if data.startswith(_GZIP):
        data, name = _unpacked(data, label, max_bytes), (name or Path(str(source)).name).removesuffix(".gz")
    base = (name or Path(str(source)).name).replace("\\", "/").rsplit("/", 1)[-1]
    kind = format_of(base, data)
    if kind is None and isinstance(source, bytes):
        raise AcgenError(f"“{base}” is of no known format: give extxyz, CIF, POSCAR or LAMMPS data (.extxyz, .cif, …)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parsers, on files that they do read
            if kind is None:
                frames = ase.io.read(Path(str(source)), index=index)
            elif kind == "lammps-data":
                frames = [_lammps(data.decode("utf-8", errors="replace"))]
            else:
                text = data.decode("utf-8-sig", errors="replace")
                frames = ase.io.read(io.StringIO(text), index=index, format=kind)
    except AcgenError as error:
        raise AcgenError(f"{label}: {error}") from error
    except UnknownFileTypeError as error:
        raise AcgenError(f"{label} cannot be read as a structure, it is of no known format: give extxyz, …") from error
    except Exception as error:  # the parsers raise whatever they stumble on
        what = kind or "a structure"
        raise AcgenError(f"{label} cannot be read as {what} ({type(error).__name__}: {str(error)[:200]})") from error
    if not frames:
        raise AcgenError(f"{label} has no structure in it")
    labels = [label] if len(frames) == 1 else [f"{label}, frame {k}" for k in range(len(frames))]
    return [_checked(frame, each, carbon_only, most) for frame, each in zip(frames, labels, strict=True)]


def format_of(name: str, data: bytes) -> str | None:
    """Name of ase for the format of a file, by its name or else its beginning; None if neither tells."""
    low = name.lower()
    start = data[:3000].decode("utf-8", errors="replace")
    if low.startswith(("poscar", "contcar")) or low.endswith(("poscar", "contcar")):
        return "vasp"
    for ending, kind in FORMATS.items():
        if low.endswith(ending):
            return kind
    if _ATOMS.search(start) and _BOX.search(start):
        return "lammps-data"
    return "extxyz" if "Lattice=" in start.partition("\n")[2][:500] else None


def check_structure(
    atoms: Atoms, what: str = "the structure", carbon_only: bool = True, most: int = MAX_ATOMS
) -> None:
    """Refuse what is no carbon in a possible periodic cell, before anybody computes with it.

    Raises
    ------
    AcgenError
        If there are other elements, no or too many atoms, no cell, a density that no carbon has, or atoms on top of
        each other.
    """
    if len(atoms) == 0 or len(atoms) > most:
        raise AcgenError(f"{what} has {len(atoms)} atoms: give 1 to {most} atoms of C")
    if carbon_only and set(atoms.numbers.tolist()) != {6}:
        raise AcgenError(f"{what} has atoms of {'/'.join(sorted(set(atoms.get_chemical_symbols())))}: acgen handles "
                         f"carbon only, give 1 to {most} atoms of C")
    check_cell(atoms, what)
    found = neighbour_list(
        "d", cutoff=MIN_DISTANCE, positions=atoms.positions, cell=np.asarray(atoms.cell), pbc=[True] * 3
    )
    if found.size:
        raise AcgenError(
            f"{what} has atoms {found.min():.2f} Å from each other: are some there twice, or are lengths not in Å?"
        )


def check_cell(atoms: Atoms, what: str = "the structure") -> None:
    """Refuse a cell or a density that no carbon has: computing with it may not end.

    Raises
    ------
    AcgenError
        If so, or if there is no cell or a position is not finite.
    """
    cell = np.asarray(atoms.cell.array)
    if not (np.isfinite(atoms.positions).all() and np.isfinite(cell).all()):
        raise AcgenError(f"{what} has positions or lattice vectors that are not finite: mend the file")
    if atoms.cell.rank < 3 or abs(np.linalg.det(cell)) < 1e-9:
        raise AcgenError(f"{what} has no periodic cell in three directions: add the lattice")
    found, low = density(atoms), float(heights(cell).min())
    if ABSURD[0] <= found <= ABSURD[1] and low >= MIN_HEIGHT:
        return
    some = atoms.positions[:1000]
    near = f", shortest distance {pdist(some).min():.2g} Å" if len(some) > 1 else ""
    raise AcgenError(
        f"{what} has a density of {found:.4g} g/cm³{near}, and a cell of height {low:.3g} Å: the cell is a dummy, or "
        "lengths are not in Å"
    )


def _checked(atoms: Atoms, what: str, carbon_only: bool, most: int) -> Atoms:
    check_structure(atoms, what, carbon_only, most)
    atoms.pbc = True
    return atoms


def _bytes(path: Path, most: int) -> bytes:
    if not path.is_file():
        raise AcgenError(f"{path} does not exist: give a folder or a structure file")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise AcgenError(f"{path} is larger than {most // 1_000_000} MB: give fewer frames")
    return data


def _unpacked(data: bytes, label: str, most: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(data, most)
    except zlib.error as error:
        raise AcgenError(f"{label}: the gzip file is damaged: save it again") from error
    if stream.unconsumed_tail:
        raise AcgenError(f"{label} holds more than {most // 1_000_000} MB: give fewer frames")
    return content


def _lammps(text: str) -> Atoms:
    """Atoms of a LAMMPS data file, elements by mass; a single type without a mass is carbon."""
    section = _SECTION.search(text)
    if section is None or not _BOX.search(text):
        raise AcgenError("it is no LAMMPS data file: expected a box (xlo xhi) and a section Atoms")
    if _MASSES.search(text):
        return _one(text, _style(text, section))
    types = _TYPES.search(text)
    if types is None or types[1] != "1":
        raise AcgenError("the LAMMPS data file has no masses to tell elements by: add the section Masses")
    atoms = _one(text, _style(text, section))
    atoms.set_atomic_numbers(np.full(len(atoms), 6))
    atoms.set_masses(None)
    return atoms


def _one(text: str, style: str) -> Atoms:
    (atoms,) = ase.io.read(io.StringIO(text), index=":", format="lammps-data", atom_style=style)
    return atoms


def _style(text: str, section: re.Match[str]) -> str:
    """What stands beside Atoms, or else what the number of columns says."""
    if section[1]:
        return section[1]
    line = next((line for line in text[section.end() :].splitlines() if line.strip()), "")
    fields = line.partition("#")[0].split()
    images = len(fields) >= 8 and all(field.lstrip("+-").isdigit() for field in fields[-3:])
    columns = len(fields) - (3 if images else 0)
    if columns == 6:
        return "molecular" if fields[2].isdigit() else "charge"
    return {5: "atomic", 7: "full"}.get(columns, "atomic")
