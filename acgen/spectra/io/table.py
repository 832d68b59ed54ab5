"""Finding the table of numbers in a text file of unknown origin; nothing in here knows about spectra.

Files may be uploads from anyone, so size, lines and their length are bounded, and only a strict pattern counts as a
number.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from acgen.spectra.spectrum import SpectrumError

MAX_BYTES = 20_000_000
MAX_TEXT = 5_000_000
MAX_LINES = 50_000
MAX_LINE = 10_000
MAX_COLUMNS = 100
MAX_VALUES = 200_000
_MAX_TOKEN = 64
_COMMENT = ("#", "%", "!", "//")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers of a text file."""

    #: Shape (rows, columns).
    values: np.ndarray
    #: Comment lines and headings, in order, without line ends.
    header: tuple[str, ...]


def decode(data: bytes) -> str:
    """Text of a file: UTF-8 or UTF-16 by its mark, else Windows-1252, which old instruments write.

    Raises
    ------
    SpectrumError
        If the file is empty, too large or not text.
    """
    if len(data) > MAX_BYTES:
        raise SpectrumError(f"the file is larger than {MAX_BYTES // 1_000_000} MB: a spectrum is a short table")
    if not data.strip():
        raise SpectrumError("the file is empty: expected energies and intensities in columns")
    if len(data) > MAX_TEXT:
        raise SpectrumError(f"the text is longer than {MAX_TEXT // 1_000_000} MB: leave out columns or other scans")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace").lstrip("\ufeff")
    if b"\0" in data:
        raise SpectrumError("the file is not text: export the spectrum as text or CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def parse_table(text: str) -> Table:
    """Numbers of a text whose columns are separated by semicolons, tabs, commas or spaces.

    Comments, headings and lines of another width before the table are passed over; inside the table every line must
    have the same number of columns. A decimal comma is understood where another character separates the columns.

    Raises
    ------
    SpectrumError
        If there are no numbers, too many, or a line inside the table does not fit.
    """
    rows: list[tuple[int, list[float] | None]] = []
    header: list[str] = []
    count = 0
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if number > MAX_LINES:
            raise SpectrumError(f"the file has more than {MAX_LINES} lines: a spectrum is a short table")
        line = line.strip()
        if len(line) > MAX_LINE:
            raise SpectrumError(f"line {number} is longer than {MAX_LINE} characters: expected one point per line")
        if not line:
            continue
        if line.startswith(_COMMENT):
            header.append(line)
            continue
        values = line_numbers(line)
        if values == []:  # separators only: an empty row of a spreadsheet
            continue
        if values is None:
            header.append(line)
        elif len(values) > MAX_COLUMNS:
            raise SpectrumError(f"line {number} has {len(values)} columns: at most {MAX_COLUMNS} are read")
        count += len(values or ())
        if count > MAX_VALUES:
            raise SpectrumError(f"the file has more than {MAX_VALUES} numbers: leave out columns or other scans")
        rows.append((number, values))
    return Table(_rectangle(rows), tuple(header))


def _rectangle(rows: list[tuple[int, list[float] | None]]) -> np.ndarray:
    """Rows of the commonest width, from the first of them to the end of the file."""
    widths = Counter(len(values) for _, values in rows if values is not None)
    if not widths:
        raise SpectrumError("the file has no lines of numbers: expected energies and intensities in columns")
    width = widths.most_common(1)[0][0]
    start = next(i for i, (_, values) in enumerate(rows) if values is not None and len(values) == width)
    for number, values in rows[start:]:
        if values is None or len(values) != width:
            got = "text" if values is None else f"{len(values)} numbers"
            raise SpectrumError(f"line {number} has {got} where a row of {width} numbers was expected: mend the file")
    return np.array([values for _, values in rows[start:]], dtype=float)


def line_numbers(line: str) -> list[float] | None:
    """Numbers of a line, None if any part of it is not a number."""
    tokens = split_fields(line)
    if not all(len(token) <= _MAX_TOKEN and _NUMBER.fullmatch(token) for token in tokens):
        return None
    return [float(token) for token in tokens]


def split_fields(line: str) -> list[str]:
    """Fields of a line, whatever separates them, with decimal points for decimal commas."""
    words = line.split()
    if ";" in line:
        tokens = line.split(";")
    elif "\t" in line:
        tokens = line.split("\t")
    elif "," in line and not _has_decimal_commas(words):
        return _clean(line.split(","))
    else:
        tokens = words
    return [token.replace(",", ".") if _DECIMAL_COMMA.fullmatch(token) else token for token in _clean(tokens)]


def _has_decimal_commas(words: list[str]) -> bool:
    """Whether commas mark decimals of columns separated by spaces: "270,1 0,53", not "270.1, 0.53" or "270,1"."""
    return len(words) > 1 and all(_DECIMAL_COMMA.fullmatch(word) or _INTEGER.fullmatch(word) for word in words)


def _clean(tokens: list[str]) -> list[str]:
    """Without quotes, spaces and the empty ends that spreadsheets write."""
    tokens = [token.strip().strip("\"'").strip() for token in tokens]
    while tokens and not tokens[-1]:
        tokens.pop()
    return tokens
