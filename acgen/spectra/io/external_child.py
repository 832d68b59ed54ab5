"""The child process of `acgen.spectra.io.external`: reads one file with another library and writes its tables out."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from acgen.memory import limit_memory
from acgen.spectra.io.contents import Item
from acgen.spectra.io.external_excel import read_excel
from acgen.spectra.io.external_hdf5 import read_hdf5
from acgen.spectra.spectrum import SpectrumError

#: Seconds of a processor for reading a file, after the imports.
READ_SECONDS = 2.0
#: Memory for reading a file, bytes, on top of what Python and the library take.
MAX_MEMORY = 200_000_000
MAX_ROWS = 100_000
MAX_VALUES = 1_000_000
MAX_ITEMS = 500


def main() -> int:
    """Read a file in the time and memory allowed; 3 if there is no spectrum. The last argument is where to write to.

    The standard output is not used, because libraries print there.
    """
    kind, path, result = sys.argv[1:]
    module, read = READERS[kind]
    library = import_module(module)
    _limit()
    try:
        items = read(library, Path(path))
        if not items:
            raise SpectrumError(f"the {kind} has no table of at least two columns of numbers: save it as text")
    except SpectrumError as error:
        Path(result).write_text(str(error), encoding="utf-8")
        return 3
    except Exception as error:  # noqa: BLE001 - other libraries raise anything on damaged files
        message = f"the {kind} cannot be read ({type(error).__name__}): is it damaged? Save it as text"
        Path(result).write_text(message, encoding="utf-8")
        return 3
    Path(result).write_bytes(_packed(items))
    return 0


def _limit() -> None:
    """Bound processor time and memory, where the system can."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, READ_SECONDS)
    limit_memory(MAX_MEMORY)


def _packed(items: list[Item]) -> bytes:
    """The items as an archive of arrays without objects."""
    content: dict[str, Any] = {"count": len(items)}
    for k, item in enumerate(items):
        content |= {f"name{k}": item.name, f"values{k}": item.values, f"columns{k}": np.array(item.columns or (), int)}
        content |= {f"labels{k}": np.array(item.labels, dtype=str), f"units{k}": np.array(item.units, dtype=str)}
        content[f"warnings{k}"] = np.array(item.warnings, dtype=str)
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    return buffer.getvalue()


def _spec(specfile: Any, path: Path) -> list[Item]:
    """Every scan is a table."""
    items, total = [], 0
    scans = specfile.SpecFile(str(path))
    for key in scans.keys()[:MAX_ITEMS]:
        scan = scans[key]
        values = np.asarray(scan.data, dtype=float).T
        total += values.size
        if total > MAX_VALUES:
            raise SpectrumError(f"the SPEC file has more than {MAX_VALUES} numbers: save fewer scans")
        if values.ndim == 2 and len(values) > 1 and values.shape[1] == len(scan.labels) > 1:
            items.append(Item(f"scan {key}", values, tuple(scan.labels)))
    return items


def _igor(binarywave: Any, path: Path) -> list[Item]:
    """A wave is a column with a scale, or a table if it has two dimensions."""
    with path.open("rb") as file:
        wave = binarywave.load(file)["wave"]
    values, header = np.asarray(wave["wData"]), wave["wave_header"]
    if values.dtype.kind not in "iuf" or values.ndim > 2 or values.size > MAX_VALUES:
        raise SpectrumError("the Igor wave is not a column or a table of real numbers: save the spectrum as text")
    name = wave["wave_header"].get("bname", b"wave").decode("utf-8", errors="replace").strip("\0")
    if values.ndim == 2:
        return [Item(name, values, tuple(f"column {k + 1}" for k in range(values.shape[1])))]
    if "sfA" in header:
        step, first = float(header["sfA"][0]), float(header["sfB"][0])
    else:
        step, first = float(header["hsA"]), float(header["hsB"])
    axis = first + step * np.arange(values.size)
    return [Item(name, np.column_stack([axis, values]), ("scale", name), ("", ""), (1, 2))]


def _eels(reader: Any, path: Path) -> list[Item]:
    """Every signal of one dimension; an image of spectra is too much to choose from."""
    items = []
    for signal_ in reader.file_reader(str(path))[:MAX_ITEMS]:
        data, axes = np.asarray(signal_["data"]), signal_["axes"]
        if data.ndim != 1 or len(axes) != 1 or data.dtype.kind not in "iuf" or data.size > MAX_ROWS:
            continue
        axis = float(axes[0]["offset"]) + float(axes[0]["scale"]) * np.arange(data.size)
        title = str(signal_.get("metadata", {}).get("General", {}).get("title", "")) or "spectrum"
        unit = str(axes[0].get("units", "")).lower()
        items.append(Item(title, np.column_stack([axis, data]), ("energy", "intensity"), (unit, ""), (1, 2)))
    return items


READERS: dict[str, tuple[str, Callable[[Any, Path], list[Item]]]] = {
    "Excel file": ("openpyxl", read_excel),
    "HDF5 file": ("h5py", read_hdf5),
    "SPEC file": ("silx.io.specfile", _spec),
    "Igor binary wave": ("igor2.binarywave", _igor),
    "EMSA file": ("rsciio.msa", _eels),
    "DigitalMicrograph file": ("rsciio.digitalmicrograph", _eels),
}

if __name__ == "__main__":
    sys.exit(main())
