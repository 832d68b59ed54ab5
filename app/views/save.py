"""Saving plots and tables as files, in the browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import param
from panel.custom import JSComponent

SCRIPT = (Path(__file__).parent / "save.js").read_text(encoding="utf-8")


class Saver(JSComponent):
    """Draws nothing; hands files to the browser, each as if it were downloaded."""

    message = param.Dict(doc="What to save: `name`, and `text` or the `figure` whose picture is meant, and its `kind`.")

    _esm = SCRIPT

    def text(self, name: str, text: str) -> None:
        """Save a text file."""
        self.message = {"name": name, "text": text}

    def picture(self, name: str, figure: str, kind: str) -> None:
        """Save the Bokeh figure of that name as `png` or `svg`."""
        self.message = {"name": name, "figure": figure, "kind": kind}


def csv_text(columns: Mapping[str, Sequence]) -> str:
    """Columns of one length as CSV; what is not a number (NaN) is left empty."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        table.writerow([_cell(value) for value in row])
    return file.getvalue()


def _cell(value) -> str:
    if isinstance(value, str):
        return value
    return "" if value != value else f"{float(value):.6g}"
