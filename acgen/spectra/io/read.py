"""Reading measured spectra from text tables, XDI, Athena projects, Igor text and, with other libraries, more.

A file is parsed once, into `Contents`; a spectrum is a choice of its columns.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from acgen.spectra.grid import ENERGY
from acgen.spectra.io.athena import decompress, is_athena, read_athena
from acgen.spectra.io.contents import Contents, Item, unique_names
from acgen.spectra.io.emsa import is_emsa, read_emsa_xy
from acgen.spectra.io.external import external_format, read_external
from acgen.spectra.io.igor_text import is_igor_text, read_igor_text
from acgen.spectra.io.labels import column_labels, is_xdi, unit_of, xdi_choice, xdi_labels
from acgen.spectra.io.table import Table, parse_tables
from acgen.spectra.io.text import MAX_BYTES, decode
from acgen.spectra.spectrum import Spectrum, SpectrumError

MIN_POINTS = 10
#: Steps back no larger than this, eV, are the jitter of a monochromator that reads its own position.
_JITTER = 0.3
_MAX_KEV = 20.0
_CHOOSE = (
    "choose energy and signal, or energy, numerator and denominator, counted from 1: "
    "columns=(1, 2) in Python, --columns 1 2 on the command line"
)


def read_spectrum(
    source: str | Path | bytes | Contents,
    name: str = "",
    columns: tuple[int, ...] | None = None,
    *,
    item: str | None = None,
    negative_log: bool = False,
    negate: bool = False,
) -> Spectrum:
    """Read a measured spectrum from a file, from the content of one, or from what `list_contents` made of one.

    Understands columns separated by commas, semicolons, tabs or spaces, decimal commas and thousands, Fortran
    exponents, comments that start with ``#``, ``%``, ``!``, ``*`` or ``//``, headings and text below the table, columns
    of clock times and words, UTF-8, UTF-16 and UTF-32, XDI, Athena projects and Igor text, all of them also gzipped;
    with the extra ``[io]`` also Excel, HDF5 and NeXus, SPEC, Igor binary waves, and EELS as EMSA or DigitalMicrograph
    files. The kind of file is told by its content. Rows without a value are left out, energies are sorted, repeated
    ones averaged, keV converted; `Spectrum.history` and `Spectrum.warnings` say so.

    Parameters
    ----------
    source
        Path of the file, or its content as bytes (an upload), at most 20 MB; of text 5 MB, 50,000 lines and 200,000
        numbers.
    name
        Name of the spectrum; by default the file's without ending.
    columns
        Which columns to take, counted from 1: energy and signal, or energy, numerator and denominator of the signal
        (a sample over an I0 or photodiode). Needed if more than two have numbers, unless the file names them as XDI
        does.
    item
        Which group, scan or data set to take, by its name in `list_contents`; needed if there are several.
    negative_log
        Take -ln of the signal, which makes absorption of a transmission.
    negate
        Reverse the sign of the signal, as of a drain current that is written as it flows.

    Raises
    ------
    SpectrumError
        If there is no spectrum in it: missing, empty or binary file, no numbers, infinite values, fewer than 10
        points, a choice that is missing (the message lists what there is) or does not fit.
    """
    if isinstance(source, (str, Path)):
        name = name or Path(source).stem
    contents = source if isinstance(source, Contents) else list_contents(source)
    chosen = contents.choose(item)
    if columns is None:
        columns = chosen.columns or _two_columns(chosen)
    warnings = list(chosen.warnings)
    energy, signal, missing = _select(chosen, columns, warnings)
    history = [f"Read {energy.size} points from {_listed(columns)}."]
    if len(contents.items) > 1:
        history[0] = f"Read {energy.size} points from {_listed(columns)} of {chosen.name}."
    history += chosen.notes
    if negate:
        signal = -signal
        history.append("Reversed the sign of the signal.")
    if negative_log:
        signal = _negative_log(signal, history)
    factor = _to_ev(energy, chosen.units[columns[0] - 1], history, warnings)
    with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
        energy, missing = energy * factor, missing * factor
    return _ordered(energy, signal, missing, name or "spectrum", history, warnings, contents.sha256)


def list_contents(source: str | Path | bytes) -> Contents:
    """What a file holds to choose from: its groups, scans or data sets, and their columns.

    Parameters
    ----------
    source
        Path of the file, or its content as bytes.

    Raises
    ------
    SpectrumError
        If there are no tables of numbers in it, or another library is needed to read it.
    """
    if not isinstance(source, bytes):
        source = read_bytes(Path(source))
    if len(source) > MAX_BYTES:
        raise SpectrumError(f"the file is larger than {MAX_BYTES // 1_000_000} MB: a spectrum is a short table")
    return replace(_contents(decompress(source)), sha256=hashlib.sha256(source).hexdigest())


def _contents(data: bytes) -> Contents:
    if is_athena(data):
        return read_athena(data)
    kind = external_format(data)
    if kind is not None:
        return read_external(data, kind)
    text = decode(data)
    if is_athena(text[:400].encode()):
        return read_athena(text.encode())
    if is_emsa(text):
        return read_emsa_xy(text)
    return read_igor_text(text) if is_igor_text(text) else _text_tables(text)


def _text_tables(text: str) -> Contents:
    """The tables of a text file, mostly one, with names of columns from what stands above each."""
    tables = parse_tables(text)
    if is_xdi(text):
        return Contents("XDI file", unique_names([_xdi_item(table) for table in tables]))
    items = []
    for k, table in enumerate(tables, start=1):
        labels = column_labels(table.header, table.values.shape[1])
        name = "table" if len(tables) == 1 else f"table {k}, lines {table.lines[0]}-{table.lines[1]}"
        items.append(Item(name, table.values, labels, tuple(map(unit_of, labels)), warnings=table.warnings))
    return Contents("table" if len(items) == 1 else "file", unique_names(items))


def _xdi_item(table: Table) -> Item:
    named = xdi_labels(table.header)
    columns = range(1, table.values.shape[1] + 1)
    labels, units = (tuple(named.get(k, (f"column {k}", ""))[part] for k in columns) for part in (0, 1))
    return Item("table", table.values, labels, units, xdi_choice(named), warnings=table.warnings)


def read_bytes(path: Path) -> bytes:
    """Content of a file, one byte more than is allowed if it is too large; SpectrumError if it cannot be read."""
    if not path.is_file():
        raise SpectrumError(f"{path} does not exist or is not a file: give the path of a spectrum")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpectrumError(f"{path} cannot be read: {error.strerror}") from error


def _two_columns(item: Item) -> tuple[int, ...]:
    count = len(item.number_columns)
    if count == 1:
        raise SpectrumError("the file has one column of numbers: expected energies in eV and intensities")
    if item.chosen is None:
        raise SpectrumError(
            f"the file has {count} columns of numbers, and which are energy and signal is not known: "
            f"{item.summary()}: {_CHOOSE}"
        )
    return item.chosen


def _select(
    item: Item, columns: tuple[int, ...], warnings: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energy and signal by column numbers counted from 1, and the energies of rows that have no signal."""
    values = item.values
    count = values.shape[1]
    if len(columns) not in (2, 3) or not all(isinstance(c, int | np.integer) and 1 <= c <= count for c in columns):
        raise SpectrumError(
            f"columns={tuple(columns)} does not fit a file with {count} columns: "
            f"{item.summary()}: {_CHOOSE}"
        )
    chosen = values[:, [c - 1 for c in columns]]
    empty = [c for c, column in zip(columns, chosen.T, strict=True) if np.isnan(column).all()]
    if empty:
        raise SpectrumError(f"column {empty[0]} holds text or nothing: {item.summary()}: {_CHOOSE}")
    bad = int(np.count_nonzero(np.isinf(chosen).any(axis=1)))
    if bad:
        raise SpectrumError(f"{bad} of {len(values)} rows have infinite values: remove those rows")
    gaps = np.isnan(chosen).any(axis=1)
    missing = chosen[gaps, 0]
    missing = missing[~np.isnan(missing)]
    if gaps.any():
        warnings.append(f"{np.count_nonzero(gaps)} of {len(values)} rows have no value and were left out.")
    chosen = chosen[~gaps]
    if len(columns) == 2:
        return chosen[:, 0], chosen[:, 1], missing
    zeros = int(np.count_nonzero(chosen[:, 2] == 0))
    if zeros:
        raise SpectrumError(f"column {columns[2]} is zero in {zeros} rows and cannot be divided by: choose another")
    with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
        return chosen[:, 0], chosen[:, 1] / chosen[:, 2], missing


def _listed(columns: tuple[int, ...]) -> str:
    if len(columns) == 2:
        return f"columns {columns[0]} and {columns[1]}"
    return f"column {columns[0]} and column {columns[1]} over column {columns[2]}"


def _to_ev(energy: np.ndarray, unit: str, history: list[str], warnings: list[str]) -> float:
    """What to multiply energies by: 1000 for keV, which a unit says or the carbon K edge at 0.28 keV does."""
    if energy.size == 0:
        return 1.0
    low, high = energy.min(), energy.max()
    across = bool(np.any((energy > ENERGY[0] / 1000) & (energy < ENERGY[-1] / 1000)))
    if unit == "kev" and np.any((energy > ENERGY[0]) & (energy < ENERGY[-1])):
        warnings.append("The file says that its energies are keV, but they are those of the carbon edge in eV.")
        return 1.0
    # No spectrum in eV that is of use ends below 20, and none in keV goes beyond.
    if unit == "kev" or (unit != "ev" and across and 0.1 < low and high < _MAX_KEV):
        history.append("Converted energies from keV to eV.")
        return 1000.0
    return 1.0


def _negative_log(signal: np.ndarray, history: list[str]) -> np.ndarray:
    bad = int(np.count_nonzero(signal <= 0))
    if bad:
        raise SpectrumError(f"{bad} values of the transmission are not positive and have no logarithm: check columns")
    history.append("Took the negative logarithm.")
    return -np.log(signal)


def _ordered(
    energy: np.ndarray,
    signal: np.ndarray,
    missing: np.ndarray,
    name: str,
    history: list[str],
    warnings: list[str],
    sha256: str,
) -> Spectrum:
    """Spectrum with increasing, unique energies; notes what that took."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite energies are refused below
        steps = np.diff(energy)
    backwards = int(np.count_nonzero(steps < 0))
    if backwards:
        history.append("Sorted by energy.")
    if 0 < backwards < steps.size and (steps.min() < -_JITTER or backwards > 0.1 * steps.size):
        warnings.append(f"The energies were not in order ({backwards} steps back): perhaps several scans in one file.")
    elif backwards and backwards == steps.size:
        warnings.append("The energies ran downwards and were reversed.")
    unique, index, count = np.unique(energy, return_inverse=True, return_counts=True)
    if unique.size < energy.size:
        history.append(f"Averaged {energy.size - unique.size} repeated energies.")
        warnings.append(f"{energy.size - unique.size} energies occurred more than once and were averaged.")
    if unique.size < MIN_POINTS:
        raise SpectrumError(f"the file has {unique.size} points: at least {MIN_POINTS} are needed")
    # Dividing before summing keeps huge but finite values finite.
    signal = np.bincount(index, weights=signal / count[index])
    return Spectrum(unique, signal, name, tuple(history), tuple(warnings), sha256, missing)
