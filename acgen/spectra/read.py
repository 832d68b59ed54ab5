"""Reading measured spectra: two-column text, CSV and XDI."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from acgen.spectra.spectrum import Spectrum, SpectrumError
from acgen.spectra.table import MAX_BYTES, decode, parse_table

MIN_POINTS = 10
_XDI_FIRST = re.compile(r"\s*#\s*XDI/", re.IGNORECASE)
_XDI_COLUMN = re.compile(r"#\s*Column\.(\d{1,4})\s*:\s*(\S+)\s*(\S*)", re.IGNORECASE)
#: Names of ready absorption signals in the XDI dictionary, the measured before the normalised.
_XDI_SIGNALS = ("mutrans", "mufluor", "murefer", "normtrans", "normfluor", "normrefer", "mu", "norm")
_CHOOSE = (
    "choose energy and signal, or energy, numerator and denominator, counted from 1: "
    "columns=(1, 2) in Python, --columns 1 2 on the command line"
)


def read_spectrum(source: str | Path | bytes, name: str = "", columns: tuple[int, ...] | None = None) -> Spectrum:
    """Read a measured spectrum from a file or from the content of one.

    Understands columns separated by commas, semicolons, tabs or spaces, decimal commas, comments that start with ``#``,
    ``%``, ``!`` or ``//``, headings, byte-order marks, and XDI. Energies are sorted, repeated ones averaged, keV
    converted; `Spectrum.history` says so.

    Parameters
    ----------
    source
        Path of the file, or its content as bytes (an upload), at most 20 MB and 200,000 lines.
    name
        Name of the spectrum; by default the file's without ending.
    columns
        Which columns to take, counted from 1: energy and signal, or energy, numerator and denominator of the signal
        (a sample over an I0 or photodiode). Needed if the file has more than two, unless it is XDI and names them.

    Raises
    ------
    SpectrumError
        If there is no spectrum in it: missing, empty or binary file, no numbers, NaN or infinite values, fewer than 10
        points, a number of columns that leaves open which are meant.
    """
    if not isinstance(source, bytes):
        name = name or Path(source).stem
        source = _read_bytes(Path(source))
    text = decode(source)
    table = parse_table(text)
    labels = _xdi_labels(table.header) if _XDI_FIRST.match(text) else {}
    if columns is None:
        columns = _xdi_choice(labels) if labels else _two_columns(table.values.shape[1])
    energy, signal = _select(table.values, columns)
    history = [f"Read {energy.size} points from {_listed(columns)}."]
    energy = _in_ev(energy, labels.get(columns[0], ("", ""))[1], history)
    return _ordered(energy, signal, name or "spectrum", history)


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise SpectrumError(f"{path} does not exist or is not a file: give the path of a spectrum")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpectrumError(f"{path} cannot be read: {error.strerror}") from error


def _two_columns(count: int) -> tuple[int, ...]:
    if count == 1:
        raise SpectrumError("the file has one column of numbers: expected energies in eV and intensities")
    if count > 2:
        raise SpectrumError(f"the file has {count} columns, and which are energy and signal is not known: {_CHOOSE}")
    return (1, 2)


def _select(values: np.ndarray, columns: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Energy and signal by column numbers counted from 1."""
    count = values.shape[1]
    if len(columns) not in (2, 3) or not all(isinstance(c, int | np.integer) and 1 <= c <= count for c in columns):
        raise SpectrumError(f"columns={tuple(columns)} does not fit a file with {count} columns: {_CHOOSE}")
    chosen = values[:, [c - 1 for c in columns]]
    bad = int(np.count_nonzero(~np.isfinite(chosen).all(axis=1)))
    if bad:
        raise SpectrumError(f"{bad} of {len(values)} rows have NaN or infinite values: remove those rows")
    if len(columns) == 2:
        return chosen[:, 0], chosen[:, 1]
    zeros = int(np.count_nonzero(chosen[:, 2] == 0))
    if zeros:
        raise SpectrumError(f"column {columns[2]} is zero in {zeros} rows and cannot be divided by: choose another")
    with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
        return chosen[:, 0], chosen[:, 1] / chosen[:, 2]


def _listed(columns: tuple[int, ...]) -> str:
    if len(columns) == 2:
        return f"columns {columns[0]} and {columns[1]}"
    return f"column {columns[0]} and column {columns[1]} over column {columns[2]}"


def _xdi_labels(header: tuple[str, ...]) -> dict[int, tuple[str, str]]:
    """Name and unit of each column that an XDI header declares, in lower case, by column number."""
    found = (_XDI_COLUMN.match(line) for line in header)
    return {int(match[1]): (match[2].lower(), match[3].lower()) for match in found if match}


def _xdi_choice(labels: dict[int, tuple[str, str]]) -> tuple[int, ...]:
    """Column of the energy and of an absorption signal, or of fluorescence and I0."""
    number = {label: column for column, (label, _) in sorted(labels.items(), reverse=True)}
    if "energy" not in number:
        raise SpectrumError(f"the XDI header names no energy column (it has {', '.join(number)}): {_CHOOSE}")
    for signal in _XDI_SIGNALS:
        if signal in number:
            return number["energy"], number[signal]
    if "ifluor" in number and "i0" in number:
        return number["energy"], number["ifluor"], number["i0"]
    if len(labels) == 2:
        return number["energy"], next(column for column in labels if column != number["energy"])
    raise SpectrumError(f"the XDI header names no absorption signal (it has {', '.join(number)}): {_CHOOSE}")


def _in_ev(energy: np.ndarray, unit: str, history: list[str]) -> np.ndarray:
    # The carbon K edge lies at 0.28 keV, and no spectrum in eV ends below 1.
    if unit == "kev" or (unit != "ev" and 0.1 < energy.min() and energy.max() < 1.0):
        history.append("Converted energies from keV to eV.")
        with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
            return energy * 1000.0
    return energy


def _ordered(energy: np.ndarray, signal: np.ndarray, name: str, history: list[str]) -> Spectrum:
    """Spectrum with increasing, unique energies; notes what that took."""
    if np.any(energy[1:] < energy[:-1]):
        history.append("Sorted by energy.")
    unique, index, count = np.unique(energy, return_inverse=True, return_counts=True)
    if unique.size < energy.size:
        history.append(f"Averaged {energy.size - unique.size} repeated energies.")
    if unique.size < MIN_POINTS:
        raise SpectrumError(f"the file has {unique.size} points: at least {MIN_POINTS} are needed")
    # Dividing before summing keeps huge but finite values finite.
    return Spectrum(unique, np.bincount(index, weights=signal / count[index]), name, tuple(history))
