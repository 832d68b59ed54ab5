"""Saving plots and tables as files, in the browser, or to its clipboard."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from acgen.results.paper import COLUMN_MM, DPI, RESOLUTIONS, WIDTHS_MM
from acgen.results.sheet import printed
from app.workers.background import Background

SCRIPT = (Path(__file__).parent / "save.js").read_text(encoding="utf-8")
Paper = Callable[[float], Any]
"""Draws a figure of a width in mm."""

MIME = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


class Hand(JSComponent):
    """Draws nothing; hands to the browser what a message names."""

    message = param.Dict(
        doc="`name` and `mime`, and `text`, base64 `data`, or the `figure` whose picture is meant, and its `kind`; "
        "`copy` if it goes to the clipboard. `number` counts, so that the same can be saved twice."
    )
    problem = param.String("", doc="Why nothing could be copied.")

    _esm = SCRIPT


class Saver(pn.viewable.Viewer):
    """Hands files to the browser, each as if it were downloaded, and text and pictures to its clipboard.

    Parameters
    ----------
    background
        Draws figures; without one they are drawn at once.
    tell
        Called with what went wrong.
    """

    width_mm = param.Number(COLUMN_MM, bounds=WIDTHS_MM, label="Width (mm)", doc="Of saved figures.")
    dpi = param.Integer(DPI, bounds=RESOLUTIONS, label="Resolution (dpi)", doc="Of saved figures that are pictures.")

    def __init__(self, background: Background | None = None, tell: Callable[[str], None] | None = None, **params):
        super().__init__(**params)
        self._background = background or Background(pool=None)
        self._hand, self._count = Hand(), 0
        self._whole = pn.Column(self._hand, margin=0, sizing_mode="stretch_width")
        self._dialog: pmui.Dialog | None = None
        if tell is not None:
            self._hand.param.watch(lambda event: event.new and tell(event.new), "problem")

    def text(self, name: str, text: str) -> None:
        """Save a text file."""
        self._send(name=name, mime="text/csv", text=text)

    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        self._send(name="numbers.txt", mime="text/plain", text=text, copy=True)

    def picture(self, name: str, figure: str, kind: str) -> None:
        """Save the Bokeh figure of that name as `png` or `svg`, as it is on the screen."""
        self._send(name=name, mime=MIME[kind], figure=figure, kind=kind)

    def figure(self, name: str, paper: Paper, kind: str, copy: bool = False) -> None:
        """Draw a figure for a journal and save it as `png`, `svg` or `pdf`, or copy the picture."""
        width, dpi = self.width_mm, self.dpi

        def done(content: bytes | None, error: Exception | None) -> None:
            if error is not None:
                raise error
            data = base64.b64encode(content or b"").decode()
            self._send(name=f"{name}.{kind}", mime=MIME[kind], data=data, copy=copy)

        self._background.do(f"figure {name} {kind}", lambda: printed(paper(width), kind, dpi), done)

    def ask(self) -> None:
        """Ask for the size of figures."""
        if self._dialog is None:
            fields = (
                pmui.FloatInput.from_param(self.param.width_mm, width=150, margin=(8, 8)),
                pmui.IntInput.from_param(self.param.dpi, width=150, margin=(8, 8)),
            )
            self._dialog = pmui.Dialog(
                pn.Row(*fields), title="Size of saved figures", title_variant="h6", close_on_click=True,
                show_close_button=True, open=False,
            )
            self._whole.append(self._dialog)
        self._dialog.open = True

    def _send(self, **message: Any) -> None:
        self._count += 1
        self._hand.message = message | {"number": self._count}

    def __panel__(self):
        return self._whole


def csv_text(columns: Mapping[str, Sequence], delimiter: str = ",") -> str:
    """Columns of one length as CSV; what is not a number (NaN) is left empty."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n", delimiter=delimiter)
    table.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        table.writerow([_cell(value) for value in row])
    return file.getvalue()


def _cell(value) -> str:
    if isinstance(value, str):
        return value
    return "" if value != value else f"{float(value):.6g}"
