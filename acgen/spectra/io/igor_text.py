"""Igor text files (.itx): named columns between BEGIN and END, each of them with a scale of its own."""

from __future__ import annotations

import io
import re

import numpy as np

from acgen.spectra.io.contents import Contents, Item, unique_names
from acgen.spectra.io.fields import line_numbers
from acgen.spectra.io.table import MAX_COLUMNS, MAX_LINE, MAX_LINES, MAX_VALUES
from acgen.spectra.spectrum import SpectrumError

_WAVES = re.compile(r"WAVES\s{0,8}((?:/[A-Z](?:=\([\d,\s]{0,40}\))?)*)\s{1,8}(\S.{0,2000})", re.IGNORECASE)
_SCALE = re.compile(
    r"X\s{1,8}SetScale\s{0,4}/([PI])\s{1,8}x,?\s{0,4}([^\s,]{1,64})\s{0,4},\s{0,4}([^\s,]{1,64})\s{0,4},"
    r"\s{0,4}\"([^\"]{0,20})\"\s{0,4},\s{0,4}(\S{1,64})",
    re.IGNORECASE,
)


def is_igor_text(text: str) -> bool:
    """Whether the text begins as Igor text files do."""
    return text[:20].lstrip().split("\n", 1)[0].strip() == "IGOR"


def read_igor_text(text: str) -> Contents:
    """Every block of waves; a block of one wave with a scale becomes a table of scale and wave.

    Raises
    ------
    SpectrumError
        If a block is damaged, or there is none.
    """
    lines = io.StringIO(text, newline=None)
    blocks: list[tuple[list[str], list[list[float]]]] = []
    scales: dict[str, tuple[str, float, float, str]] = {}
    names: list[str] | None = None
    count = 0
    for number, line in enumerate((raw.strip() for raw in lines), start=1):
        if number > MAX_LINES or len(line) > MAX_LINE:
            raise SpectrumError(f"line {number} is longer than {MAX_LINE} characters, or beyond line {MAX_LINES}")
        if match := _WAVES.fullmatch(line):
            names = re.split(r"[\s,]+", match[2].replace("'", ""))[:MAX_COLUMNS]
        elif line.upper() == "BEGIN" and names is not None:
            rows = _rows(lines, len(names), number)
            count += len(rows) * len(names)
            if count > MAX_VALUES:
                raise SpectrumError(f"the file has more than {MAX_VALUES} numbers: save fewer waves")
            blocks.append((names, rows))
            names = None
        elif match := _SCALE.match(line):
            first, second = line_numbers(match[2]), line_numbers(match[3])
            if first and second:
                wave = match[5].split(";")[0].replace("'", "")
                scales[wave] = (match[1].upper(), first[0], second[0], match[4].lower())
    items = [_item(names, np.array(rows, dtype=float), scales.get(names[0])) for names, rows in blocks if rows]
    if not items:
        raise SpectrumError("the Igor text file has no waves with numbers: save the waves again")
    return Contents("Igor text file", unique_names(items))


def _rows(lines: io.StringIO, width: int, number: int) -> list[list[float]]:
    rows: list[list[float]] = []
    for line in lines:
        number += 1
        text = line.strip()
        if text.upper() == "END":
            return rows
        values = line_numbers(text) if len(text) <= MAX_LINE else None
        if values is None or len(values) != width:
            raise SpectrumError(f"line {number} should have {width} numbers, one for each wave: save the waves again")
        rows.append(values)
        if len(rows) * width > MAX_VALUES:
            raise SpectrumError(f"the file has more than {MAX_VALUES} numbers: save fewer waves")
    raise SpectrumError("the Igor text file ends inside a block of waves: save it again")


def _item(names: list[str], values: np.ndarray, scale: tuple[str, float, float, str] | None) -> Item:
    if values.shape[1] > 1 or scale is None:
        return Item(", ".join(names), values, tuple(names), columns=(1, 2) if values.shape[1] == 2 else None)
    kind, first, second, unit = scale
    count = len(values)
    step = second if kind == "P" else (second - first) / count
    axis = first + step * np.arange(count)
    return Item(names[0], np.column_stack([axis, values]), ("scale", names[0]), (unit, ""), (1, 2))
