"""Excel workbooks (.xlsx) through openpyxl: every sheet is read as the table that it would be as CSV."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from acgen.spectra.io.contents import Item
from acgen.spectra.io.labels import column_labels, unit_of
from acgen.spectra.io.table import MAX_COLUMNS, MAX_LINES, find_tables
from acgen.spectra.spectrum import SpectrumError

MAX_SHEETS = 50


def read_excel(openpyxl: Any, path: Path) -> list[Item]:
    """Tables of numbers of all sheets, by the values that the program last saved; formulas are not computed."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    items = []
    for sheet in book.worksheets[:MAX_SHEETS]:
        rows = list(islice(sheet.iter_rows(max_row=MAX_LINES, max_col=MAX_COLUMNS, values_only=True), MAX_LINES))
        try:
            tables = find_tables("\n".join(map(_line, rows)))
        except SpectrumError as error:
            raise SpectrumError(f"sheet {sheet.title!r}: {error}") from error
        for k, table in enumerate(tables, start=1):
            labels = column_labels(table.header, table.values.shape[1])
            name = sheet.title if len(tables) == 1 else f"{sheet.title}, table {k}"
            items.append(Item(name, table.values, labels, tuple(map(unit_of, labels)), warnings=table.warnings))
    return items


def _line(cells: tuple[Any, ...]) -> str:
    """A row with semicolons between its cells; numbers as they are."""
    return ";".join(map(_cell, cells)).rstrip(";")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return repr(float(value)) if not isinstance(value, bool) else str(value)
    return " ".join(str(value).replace(";", ",").replace('"', "").split())[:200]
