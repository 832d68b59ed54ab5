"""Reading measured pair distributions: `.gr` and `.sq` of PDFgetX3, and tables of two columns."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import cast

import numpy as np

from acgen.scattering.kinds import check_kind, kinds_of
from acgen.scattering.pairs import reduced_of
from acgen.scattering.target import KINDS, R_RANGE, SIGMA, STEP, PairError, PairKind, PairTarget
from acgen.spectra.io.athena import decompress
from acgen.spectra.io.read import read_bytes
from acgen.spectra.io.table import Table, find_tables
from acgen.spectra.io.text import decode
from acgen.spectra.spectrum import SpectrumError
from acgen.structures.cell import AMU_PER_A3, CARBON_MASS

MIN_POINTS, MAX_POINTS = 30, 10_000
DAMPED = 2.1
"""Of a measurement that ends at Q, the window in Å is at least this over Q: a tenth is left where it ends."""
_ENDINGS: dict[str, PairKind] = {"gr": "G", "sq": "S"}
_REDUCE = "reduce it to G(r) or S(Q) first, with PDFgetX3 or GudrunX, and give the .gr or .sq"
_REFUSED = {
    "iq": f"holds raw intensities, which need composition, background and form factors: {_REDUCE}",
    "chi": f"holds raw intensities, which need composition, background and form factors: {_REDUCE}",
    "fq": "holds F(Q) = Q (S - 1): give the .gr or .sq that was written beside it",
}
_SETTING = re.compile(r"^\W*(\w+)\s*[=:]\s*(\S+)")


def read_pdf(source: str | Path | bytes, kind: PairKind | None = None, name: str = "") -> PairTarget:
    """Read a measured pair distribution or structure factor of carbon, checked and ready to guide.

    Understands the files of PDFgetX3 and tables of two columns (r or Q and the value; further columns are left out),
    with lines of text above. S(Q) becomes G(r) by a sine transform, so that all are compared in one way.

    Parameters
    ----------
    source
        Path of a file, or its content as bytes; bounded as for `acgen.spectra.io.read.read_spectrum`.
    kind
        `g` for g(r), which ends at 1; `G` for G(r) = 4πρr(g - 1) in Å⁻², which ends at 0; `S` for S(Q). By default by
        the name (`.gr` is G, `.sq` is S), or by the data. Distances in Å, Q in 1/Å.
    name
        Name of the file, with its ending; by default that of the path.

    Raises
    ------
    AcgenError
        If it cannot be read, or is not what it is said to be, of carbon, in Å; the message says what to do.
    """
    if kind is not None and kind not in KINDS:
        raise PairError(f"the kind {kind!r:.20} of a pair distribution is unknown: use {', '.join(KINDS)}")
    if not isinstance(source, bytes):
        name = name or Path(source).name
        source = read_bytes(Path(source))
    stem, _, ending = name.removesuffix(".gz").rpartition(".")
    ending = ending.lower() if stem else ""
    table = _table(source)
    said = _settings(table)
    _check_header(said, ending)
    x, y = _columns(table)
    kind = kind or _ENDINGS.get(said.get("outputtype", ending), None)
    how = "by its name" if kind else "by its data"
    kind = kind or _only_kind(x, y)
    check_kind(x, y, kind)
    q_max = float(x[-1]) if kind == "S" else _number(said.get("qmax", ""))
    sigma = max(SIGMA, DAMPED / q_max) if q_max else SIGMA
    r, values = _prepared(x, y, kind, sigma)
    history = (
        f"Read {len(x)} points of {KINDS[kind]} {how}, from {x[0]:g} to {x[-1]:g} {'1/Å' if kind == 'S' else 'Å'}.",
        *((f"Transformed to G(r), F(Q) falling to 0 in a line below {x[0]:.2g} 1/Å.",) if kind == "S" else ()),
        f"Seen through a window of {sigma:.3g} Å, as predictions are"
        + (f": the measurement ends at {q_max:g} 1/Å." if q_max else "."),
    )
    density = None if kind == "g" else _density(x, y) if kind == "G" else _density(*_at_small_r(x, y, sigma))
    digest = hashlib.sha256(source).hexdigest()
    return PairTarget(r, values, kind, sigma, stem or name or "PDF", history, table.warnings, density, digest)


def _table(data: bytes) -> Table:
    """The table of a file; where there are several, the first."""
    try:
        tables = find_tables(decode(decompress(data)))
    except SpectrumError as error:
        raise PairError(str(error)) from error
    if not tables:
        raise PairError("the file has no lines of numbers: give two columns, r in Å and G(r), or Q in 1/Å and S(Q)")
    return tables[0]


def _settings(table: Table) -> dict[str, str]:
    """What lines above the table set, as PDFgetX3 writes `qmax = 24.0`; names in lower case."""
    found = (_SETTING.match(line) for line in table.header)
    return {match[1].lower(): match[2] for match in found if match}


def _check_header(said: dict[str, str], ending: str) -> None:
    written = said.get("outputtype", "").lower()
    for what in (written, ending):
        if what in _REFUSED:
            raise PairError(f"a file of .{what} {_REFUSED[what]}")
    made_of = said.get("composition", "C")
    if re.sub(r"[\d.\s]", "", made_of) not in ("C", ""):
        raise PairError(f"its header says that it is of {made_of[:40]}, and acgen knows carbon alone")


def _columns(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The first two columns of numbers, in rising order."""
    numbers = table.values[:, ~np.isnan(table.values).all(0)]
    if numbers.shape[1] < 2:
        raise PairError("the file has one column of numbers: give r and G(r), or Q and S(Q)")
    x, y = numbers[:, 0], numbers[:, 1]
    bad = int(np.count_nonzero(~np.isfinite(x + y)))
    if bad:
        raise PairError(f"{bad} of {len(x)} rows have no finite value: remove those rows")
    x, index = np.unique(x, return_index=True)
    y = y[index]
    if x[0] <= 0:
        x, y = x[x > 0], y[x > 0]
    if len(x) < MIN_POINTS:
        raise PairError(f"the file has {len(x)} points at different r or Q above 0: at least {MIN_POINTS} are needed")
    if len(x) > MAX_POINTS:
        raise PairError(f"the file has {len(x)} points, at most {MAX_POINTS} are taken: leave out distances above 20 Å")
    if not np.abs(y).max() < 1e6 or not x[-1] < 1e4 or not y.any():
        raise PairError("its values are all 0 or beyond any pair distribution: choose the file of G(r) or S(Q)")
    return x, y


def _only_kind(x: np.ndarray, y: np.ndarray) -> PairKind:
    """The one kind that the data can be."""
    found = kinds_of(x, y)
    if len(found) == 1:
        return found[0]
    if not found:  # say why it is none, as what it most likely is
        check_kind(x, y, cast(PairKind, "G" if y.min() < -0.5 else "g"))
    raise PairError(f"it may be {' or '.join(KINDS[kind] for kind in found)}: say which, with --pdf-kind")


def _prepared(x: np.ndarray, y: np.ndarray, kind: PairKind, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and `PairTarget.values` at them, seen through a window of sigma in Å."""
    low, high = R_RANGE
    if kind == "S":
        r = np.arange(low, min(high, np.pi / float(np.diff(x).max())) + 1e-9, STEP)
        return r, reduced_of(x, y, r, sigma)
    y = x * (y - 1) if kind == "g" else y
    begin, end = max(low, float(x[0]) + 2 * sigma), min(high, float(x[-1]) - 2 * sigma)
    r = np.arange(np.ceil(begin / STEP - 1e-6), np.floor(end / STEP + 1e-6) + 1) * STEP
    kernel = np.exp(-0.5 * ((r[:, None] - x) / sigma) ** 2) * np.gradient(x)
    return r, kernel @ y / kernel.sum(1)


def _at_small_r(q: np.ndarray, s: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    r = np.arange(0.05, 1.2, 0.05)
    return r, reduced_of(q, s, r, sigma)


def _density(r: np.ndarray, reduced: np.ndarray) -> float | None:
    """Density in g/cm³ by G(r) = -4πρr below the first peak, least squares; None if it is not there."""
    inside = (r > 0.1) & (r < 1.0)
    if inside.sum() < 5:
        return None
    slope = float(r[inside] @ reduced[inside] / (r[inside] @ r[inside]))
    return -slope / (4 * np.pi) * CARBON_MASS * AMU_PER_A3 if slope < 0 else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 5 <= value <= 100 else None
