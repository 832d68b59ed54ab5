"""Reading measured spectra from text tables, XDI, Athena projects, Igor text and, with other libraries, more."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from acgen.spectra.io.athena import decompress, is_athena, read_athena
from acgen.spectra.io.contents import Contents, Item
from acgen.spectra.io.external import external_format, read_external
from acgen.spectra.io.igor_text import is_igor_text, read_igor_text
from acgen.spectra.io.labels import column_labels, is_xdi, xdi_choice, xdi_labels
from acgen.spectra.io.table import MAX_BYTES, decode, parse_table
from acgen.spectra.spectrum import Spectrum, SpectrumError

MIN_POINTS = 10
#: Steps back no larger than this, eV, are the jitter of a monochromator that reads its own position.
_JITTER = 0.3
_CHOOSE = (
    "choose energy and signal, or energy, numerator and denominator, counted from 1: "
    "columns=(1, 2) in Python, --columns 1 2 on the command line"
)


def read_spectrum(
    source: str | Path | bytes,
    name: str = "",
    columns: tuple[int, ...] | None = None,
    *,
    item: str | None = None,
    negative_log: bool = False,
) -> Spectrum:
    """Read a measured spectrum from a file or from the content of one.

    Understands columns separated by commas, semicolons, tabs or spaces, decimal commas, comments that start with ``#``,
    ``%``, ``!`` or ``//``, headings, byte-order marks, XDI, Athena projects and Igor text; with the extra ``[io]`` also
    HDF5 and NeXus, SPEC, Igor binary waves, and EELS as EMSA or DigitalMicrograph files. The kind of file is told by
    its content. Energies are sorted, repeated ones averaged, keV converted; `Spectrum.history` says so.

    Parameters
    ----------
    source
        Path of the file, or its content as bytes (an upload), at most 20 MB; of text 5 MB, 50,000 lines and 200,000
        numbers.
    name
        Name of the spectrum; by default the file's without ending.
    columns
        Which columns to take, counted from 1: energy and signal, or energy, numerator and denominator of the signal
        (a sample over an I0 or photodiode). Needed if there are more than two, unless the file names them as XDI does.
    item
        Which group, scan or data set to take, by its name in `list_contents`; needed if there are several.
    negative_log
        Take -ln of the signal, which makes absorption of a transmission.

    Raises
    ------
    SpectrumError
        If there is no spectrum in it: missing, empty or binary file, no numbers, NaN or infinite values, fewer than 10
        points, a choice that is missing (the message lists what there is) or does not fit.
    """
    if not isinstance(source, bytes):
        name = name or Path(source).stem
        source = _read_bytes(Path(source))
    contents = list_contents(source)
    chosen = contents.choose(item)
    if columns is None:
        columns = chosen.columns or _two_columns(chosen)
    energy, signal = _select(chosen, columns)
    history = [f"Read {energy.size} points from {_listed(columns)}."]
    if len(contents.items) > 1:
        history[0] = f"Read {energy.size} points from {_listed(columns)} of {chosen.name}."
    history += chosen.notes
    if negative_log:
        signal = _negative_log(signal, history)
    energy = _in_ev(energy, chosen.units[columns[0] - 1], history)
    return _ordered(energy, signal, name or "spectrum", history, hashlib.sha256(source).hexdigest())


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
        source = _read_bytes(Path(source))
    if len(source) > MAX_BYTES:
        raise SpectrumError(f"the file is larger than {MAX_BYTES // 1_000_000} MB: a spectrum is a short table")
    data = decompress(source)
    if is_athena(data):
        return read_athena(data)
    kind = external_format(data)
    if kind is not None:
        return read_external(data, kind)
    text = decode(data)
    return read_igor_text(text) if is_igor_text(text) else _text_table(text)


def _text_table(text: str) -> Contents:
    """The one table of a text file, with names of columns from its header."""
    table = parse_table(text)
    count = table.values.shape[1]
    if not is_xdi(text):
        return Contents("table", (Item("table", table.values, column_labels(table.header, count)),))
    named = xdi_labels(table.header)
    labels = tuple(named.get(k, (f"column {k}", ""))[0] for k in range(1, count + 1))
    units = tuple(named.get(k, ("", ""))[1] for k in range(1, count + 1))
    return Contents("XDI file", (Item("table", table.values, labels, units, xdi_choice(named)),))


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise SpectrumError(f"{path} does not exist or is not a file: give the path of a spectrum")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpectrumError(f"{path} cannot be read: {error.strerror}") from error


def _two_columns(item: Item) -> tuple[int, ...]:
    count = len(item.labels)
    if count == 1:
        raise SpectrumError("the file has one column of numbers: expected energies in eV and intensities")
    if count > 2:
        raise SpectrumError(
            f"the file has {count} columns, and which are energy and signal is not known: "
            f"{item.summary()}: {_CHOOSE}"
        )
    return (1, 2)


def _select(item: Item, columns: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Energy and signal by column numbers counted from 1."""
    values = item.values
    count = values.shape[1]
    if len(columns) not in (2, 3) or not all(isinstance(c, int | np.integer) and 1 <= c <= count for c in columns):
        raise SpectrumError(
            f"columns={tuple(columns)} does not fit a file with {count} columns: "
            f"{item.summary()}: {_CHOOSE}"
        )
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


def _in_ev(energy: np.ndarray, unit: str, history: list[str]) -> np.ndarray:
    # The carbon K edge lies at 0.28 keV, and no spectrum in eV ends below 1.
    if unit == "kev" or (unit != "ev" and 0.1 < energy.min() and energy.max() < 1.0):
        history.append("Converted energies from keV to eV.")
        with np.errstate(over="ignore"):  # an overflow is reported as an infinite value
            return energy * 1000.0
    return energy


def _negative_log(signal: np.ndarray, history: list[str]) -> np.ndarray:
    bad = int(np.count_nonzero(signal <= 0))
    if bad:
        raise SpectrumError(f"{bad} values of the transmission are not positive and have no logarithm: check columns")
    history.append("Took the negative logarithm.")
    return -np.log(signal)


def _ordered(energy: np.ndarray, signal: np.ndarray, name: str, history: list[str], sha256: str) -> Spectrum:
    """Spectrum with increasing, unique energies; notes what that took."""
    warnings = []
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
    return Spectrum(unique, signal, name, tuple(history), tuple(warnings), sha256)
