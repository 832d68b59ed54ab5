"""Formats that other libraries read (Excel, HDF5, SPEC, Igor binary, EELS), in a process of its own with bounds.

These libraries were not made for files from strangers: a damaged HDF5 file can bring its library down or make it ask
for any amount of memory. The child process has two seconds of a processor and `MAX_MEMORY` bytes for it, and can take
nothing with it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from acgen.spectra.io.contents import Contents, Item, unique_names
from acgen.spectra.io.emsa import is_emsa_xy
from acgen.spectra.spectrum import SpectrumError

#: Format, the library it needs and the ending it expects.
FORMATS = {
    "Excel file": ("openpyxl", "xlsx"),
    "HDF5 file": ("h5py", "h5"),
    "SPEC file": ("silx", "spec"),
    "Igor binary wave": ("igor2", "ibw"),
    "EMSA file": ("rsciio", "msa"),
    "DigitalMicrograph file": ("rsciio", "dm3"),
}
#: Seconds by the clock after which nobody waits any longer; what counts is the processor time that
#: `acgen.spectra.io.external_child` allows, which a busy machine takes longer to give.
WAIT_SECONDS = 120.0
_TEXTS = ("SPEC file", "EMSA file")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_IGOR_VERSIONS = tuple(version.to_bytes(2, order) for version in (1, 2, 3, 5) for order in ("little", "big"))


def external_format(data: bytes) -> str | None:
    """Key of `FORMATS` that data begin like, None if none."""
    if data.startswith(_HDF5):
        return "HDF5 file"
    if data.startswith(b"PK\x03\x04") and b"xl/w" in data:
        return "Excel file"
    if data[:4] in (b"\0\0\0\x03", b"\0\0\0\x04"):
        return "DigitalMicrograph file"
    if data[:2] in _IGOR_VERSIONS:
        return "Igor binary wave"
    start = data[:2000].lstrip(b"\xef\xbb\xbf\r\n ")
    if start.startswith(b"#FORMAT") and b"EMSA" in start[:80].upper() and not is_emsa_xy(start):
        return "EMSA file"
    if start.startswith((b"#F ", b"#S ")) and b"\n#S " in b"\n" + data and b"\n#L " in data:
        return "SPEC file"
    return None


def read_external(data: bytes, kind: str) -> Contents:
    """Tables of a file of one of `FORMATS`.

    Raises
    ------
    SpectrumError
        If the library is not installed, or the file is damaged, too large or has no spectrum.
    """
    library, ending = FORMATS[kind]
    if find_spec(library) is None:
        raise SpectrumError(f'this is a {kind}, which needs {library}: pip install "acgen[io]", or save it as text')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"spectrum.{ending}"
        if kind in _TEXTS:  # with the ends of lines that the libraries know
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        path.write_bytes(data)
        result = Path(folder) / "result"
        command = [sys.executable, "-m", "acgen.spectra.io.external_child", kind, str(path), str(result)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=WAIT_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise SpectrumError(
                f"the {kind} was not read in {WAIT_SECONDS:g} s because the machine is busy: try again later"
            ) from error
        found = result.read_bytes() if done.returncode in (0, 3) and result.exists() else b""
    if not found:
        raise SpectrumError(f"the {kind} is damaged, or takes too much time or memory to read: save it as text")
    if done.returncode == 3:
        raise SpectrumError(found.decode("utf-8", errors="replace"))
    return Contents(kind, unique_names(_unpack(found)))


def _unpack(data: bytes) -> list[Item]:
    """Items that the child wrote."""
    items = []
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        for k in range(int(archive["count"])):
            labels, units = (tuple(map(str, archive[f"{what}{k}"])) for what in ("labels", "units"))
            columns = tuple(map(int, archive[f"columns{k}"])) or None
            warnings = tuple(map(str, archive[f"warnings{k}"]))
            items.append(Item(str(archive[f"name{k}"]), archive[f"values{k}"], labels, units, columns, (), warnings))
    return items
