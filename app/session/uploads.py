"""Files from a browser: bounded on the server whatever the client claims; `acgen.structures.read` reads structures."""

from __future__ import annotations

import numpy as np
import panel_material_ui as pmui
import param
from ase import Atoms

from acgen.errors import AcgenError
from acgen.structures.read import read_structures

#: A structure is a short table; a beamline file of many scans, or with images beside them, has some megabytes.
MAX_BYTES, MAX_SPECTRUM_BYTES = 2_000_000, 8_000_000
MAX_ROWS = 20_000
MAX_NAME = 60
MAX_ATOMS = 5000
#: Files that are taken at once.
MAX_FILES = 8

def structure_from_upload(data: bytes, filename: str) -> Atoms:
    """Read the structure of an uploaded file; `info["name"]` is the file's name.

    Raises
    ------
    AcgenError
        If the file is too large, of no known format, or no periodic carbon; the message says why.
    """
    name = label_of(filename)
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_BYTES or _rows(data) > MAX_ROWS:
        raise AcgenError(f"the file is empty or larger than {MAX_BYTES / 1e6:g} MB and {MAX_ROWS} lines")
    atoms = read_structures(data, name, index="-1:", most=MAX_ATOMS, max_bytes=MAX_BYTES)[-1]
    if np.linalg.det(atoms.cell.array) <= 0:
        raise AcgenError(f"{name} has a left-handed cell: swap two lattice vectors")
    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell.array, pbc=True, info={"name": name})


def _rows(data: bytes) -> int:
    return max(data.count(b"\n"), data.count(b"\r"))


def label_of(filename: str) -> str:
    """A short printable name without folders."""
    return printable(str(filename).replace("\\", "/").rsplit("/", 1)[-1])


def printable(name: str) -> str:
    """A short printable name of what is no file, whose “/” is a part of it."""
    return "".join(char for char in name if char.isprintable()).strip()[:MAX_NAME] or "uploaded spectrum"


class BoundedInput(pmui.FileInput):
    """A file button that keeps one chunk of at most `most` bytes for each of `MAX_FILES`, or one file, at most.

    That holds whatever the client sends. With `multiple` the value is a list.
    """

    most = param.Integer(MAX_BYTES, constant=True, doc="Bytes of the largest file that is taken.")
    refused = param.String("", doc="Why the last upload was not taken.")

    _rename = {"refused": None, "most": None}

    def __init__(self, **params):
        super().__init__(**params)
        self._reasons: list[str] = []

    def _process_chunk(self, msg: dict) -> None:
        data = msg.get("data")
        self._file_buffer.clear()
        if not self.multiple:
            self._buffer.clear()
        if len(self._buffer) >= MAX_FILES:
            self._refuse(f"at most {MAX_FILES} files are taken at once: upload the others afterwards")
            return
        if (
            not isinstance(data, (bytes, bytearray, memoryview))
            or msg.get("total_chunks") != 1
            or len(data) > self.most
        ):
            self._refuse(f"the file is larger than {self.most / 1e6:g} MB: cut it to what is needed")
            return
        super()._process_chunk(msg | {"chunk": 1})

    def _refuse(self, reason: str) -> None:
        if reason not in self._reasons:
            self._reasons.append(reason)

    def _flush_buffer(self) -> None:
        """Hand over what was taken, and say what was not."""
        super()._flush_buffer()
        reasons, self._reasons = self._reasons, []
        if reasons:
            self.refused = ""
            self.refused = "; ".join(reasons)
