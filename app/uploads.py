"""Files from a browser: bounded on the server whatever the client claims; structures are read by ase."""

from __future__ import annotations

import io
import warnings

import ase.io
import numpy as np
import panel_material_ui as pmui
import param
from ase import Atoms

#: A structure is a short table; a beamline file of many scans, or with images beside them, has some megabytes.
MAX_BYTES, MAX_SPECTRUM_BYTES = 2_000_000, 8_000_000
MAX_ROWS = 20_000
MAX_NAME = 60
MAX_ATOMS = 5000

#: How a structure file is read, by the end of its name; all of these are plain text and run nothing.
STRUCTURE_FORMATS = {".extxyz": "extxyz", ".xyz": "extxyz", ".cif": "cif", ".vasp": "vasp", ".poscar": "vasp"}
STRUCTURE_NAMES = {"poscar": "vasp", "contcar": "vasp"}


def structure_from_upload(data: bytes, filename: str) -> Atoms:
    """Read the structure of an uploaded file; `info["name"]` is the file's name.

    Raises
    ------
    ValueError
        If the file is too large, of no known format, or no periodic carbon; the message says why.
    """
    name = label_of(filename)
    low = name.lower()
    kind = STRUCTURE_NAMES.get(low) or next((f for end, f in STRUCTURE_FORMATS.items() if low.endswith(end)), None)
    if kind is None:
        raise ValueError(f"“{name}” is of no known format: give extxyz, CIF or POSCAR (.extxyz, .cif, .vasp)")
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_BYTES or _rows(data) > MAX_ROWS:
        raise ValueError(f"the file is empty or larger than {MAX_BYTES / 1e6:g} MB and {MAX_ROWS} lines")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parsers, on files that they do read
            atoms = ase.io.read(io.StringIO(data.decode("utf-8", errors="replace")), format=kind)
    except Exception as error:  # the parsers raise whatever they stumble on
        raise ValueError(f"the file cannot be read as {kind} ({type(error).__name__})") from error
    if len(atoms) == 0 or set(atoms.numbers) != {6} or len(atoms) > MAX_ATOMS:
        raise ValueError(
            f"the file has {len(atoms)} atoms of {'/'.join(sorted(set(atoms.get_chemical_symbols()))) or 'nothing'}: "
            f"give 1 to {MAX_ATOMS} atoms of C"
        )
    cell = np.asarray(atoms.cell.array)
    if not (np.isfinite(atoms.positions).all() and np.isfinite(cell).all() and np.linalg.det(cell) > 0):
        raise ValueError("the file has no right-handed periodic cell in three directions: add the lattice")
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=cell, pbc=True, info={"name": name})


def _rows(data: bytes) -> int:
    return max(data.count(b"\n"), data.count(b"\r"))


def label_of(filename: str) -> str:
    """A short printable name without folders."""
    last = str(filename).replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(char for char in last if char.isprintable()).strip()
    return printable[:MAX_NAME] or "uploaded spectrum"


class BoundedInput(pmui.FileInput):
    """A file button that keeps at most one chunk of at most `most` bytes, whatever the client sends."""

    most = param.Integer(MAX_BYTES, constant=True, doc="Bytes of the largest file that is taken.")
    refused = param.String("", doc="Why the last upload was not taken.")

    _rename = {"refused": None, "most": None}

    def _process_chunk(self, msg: dict) -> None:
        data = msg.get("data")
        self._file_buffer.clear()
        self._buffer.clear()
        if (
            not isinstance(data, (bytes, bytearray, memoryview))
            or msg.get("total_chunks") != 1
            or len(data) > self.most
        ):
            self.refused = ""
            self.refused = f"the file is larger than {self.most / 1e6:g} MB: cut it to what is needed"
            return
        super()._process_chunk(msg | {"chunk": 1})
