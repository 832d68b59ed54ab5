"""Curves to draw, by whoever draws them, and the same on paper: what a page shows and a journal prints is one list."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acgen.checks import want
from acgen.results.colours import TARGET_COLOUR
from acgen.results.figures import empty, png, svg
from acgen.results.paper import ASPECT, COLUMN_MM, DPI, LOWEST_MM, RESOLUTIONS, TEXT_PT, WIDTHS_MM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Curves whose names find room among them; those of more stand above.
FEW = 4


@dataclass(frozen=True, eq=False)
class Curve:
    """A line over `x`, both of shape (points,), NaN where nothing is known.

    `spread` is half the height of a band around it; `width` that of the line on the screen, in pixels.
    """

    name: str
    x: np.ndarray
    values: np.ndarray
    colour: str
    width: float = 1.6
    dashed: bool = False
    spread: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """Curves in one frame and, over the same x, in a low one below it.

    `labels` are what is along x and y, with units; `x_ends` and `y_ends` their ends, None where they follow the curves.
    """

    curves: Sequence[Curve]
    labels: tuple[str, str]
    x_ends: tuple[float | None, float | None] = (None, None)
    y_ends: tuple[float | None, float | None] = (None, None)
    below: Sequence[Curve] = ()
    below_label: str = ""


def sheet_figure(sheet: Sheet, width_mm: float = COLUMN_MM) -> Figure:
    """Curves as a journal prints them: axes with ticks and units, legend, and what stands below.

    Parameters
    ----------
    sheet
        What to draw.
    width_mm
        Width of the figure.

    Raises
    ------
    AcgenError
        If the width is out of range.
    """
    figure = empty()
    if sheet.below:
        axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        _draw(below, sheet.below)
        below.axhline(0, color=TARGET_COLOUR, lw=0.6)
        below.set_ylabel(sheet.below_label)
        below.locator_params(axis="y", nbins=3)
        figure.align_ylabels()
    else:
        axes = figure.subplots()
    _draw(axes, sheet.curves)
    figure.axes[-1].set_xlabel(sheet.labels[0])
    axes.set(ylabel=sheet.labels[1], xlim=sheet.x_ends, ylim=sheet.y_ends)
    if len(sheet.curves) > FEW:
        axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=1.5)
    elif sheet.curves:
        axes.legend(frameon=False)
    return to_width(figure, width_mm)


def to_width(figure: Figure, width_mm: float) -> Figure:
    """A figure made as wide as a journal wants it, with text that can be read at that width.

    Raises
    ------
    AcgenError
        If the width is out of range.
    """
    low, high = WIDTHS_MM
    want(low <= width_mm <= high, f"a figure is {width_mm:g} mm wide: give {low:g} to {high:g} mm")
    figure.set_size_inches(width_mm / 25.4, max(LOWEST_MM, ASPECT * width_mm) / 25.4)
    for axes in figure.axes:
        axes.tick_params(labelsize=TEXT_PT - 1, direction="in", top=True, right=True)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_fontsize(TEXT_PT)
        for text in () if (legend := axes.get_legend()) is None else legend.get_texts():
            text.set_fontsize(TEXT_PT - 1)
    return figure


def _draw(axes: Axes, curves: Sequence[Curve]) -> None:
    for curve in curves:
        style, width = "--" if curve.dashed else "-", 0.6 * curve.width
        axes.plot(curve.x, curve.values, style, color=curve.colour, lw=width, label=curve.name)
        if curve.spread is not None:
            low, high = curve.values - curve.spread, curve.values + curve.spread
            axes.fill_between(curve.x, low, high, color=curve.colour, alpha=0.25, lw=0)


def printed(figure: Figure, kind: str, dpi: int = DPI) -> bytes:
    """The figure as a file: `png` with so many dots per inch, `svg` or `pdf`.

    Raises
    ------
    AcgenError
        If the resolution is out of range.
    """
    low, high = RESOLUTIONS
    want(low <= dpi <= high, f"a picture has {dpi} dots per inch: give {low} to {high}")
    if kind == "png":
        return png(figure, dpi)
    if kind == "svg":
        return svg(figure).encode()
    file = io.BytesIO()
    figure.savefig(file, format="pdf", metadata={"CreationDate": None})
    return file.getvalue()
