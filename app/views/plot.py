"""What the plots have in common: heading, key, a sentence where there is nothing yet, export; and the live ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.events import DoubleTap
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    DataRange1d,
    FixedTicker,
    GlyphRenderer,
    HoverTool,
    PanTool,
    Range,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from app.look import colours
from app.look.card import MENU, card, heading
from app.look.css import STYLE
from app.views.save import Paper, Saver, csv_text

#: Of every figure, of Bokeh's own or of HoloViews.
FONTS = {"labels": "9pt", "ticks": "8pt"}
#: What is drawn does not touch the frame: room at the ends of an axis that follows its data, as a share of them.
PADDING = 0.1
#: Smallest part of an axis that a zoom shows.
NEAREST = 0.02
#: What a double click runs: the plot as it was at first.
RESET = "plot.reset.emit()"

#: Entries of the menu of a plot that is drawn for a journal, and of one that is saved as it is on the screen.
COPY_PICTURE, COPY_NUMBERS, SIZE = "Copy picture", "Copy numbers", "Size of figures …"
PAPER = ("PNG", "SVG", "PDF", "CSV", COPY_PICTURE, COPY_NUMBERS, SIZE)
SCREEN = ("PNG", "SVG", "CSV", COPY_NUMBERS)

Columns = dict[str, dict[str, Sequence | np.ndarray]]
"""Columns of equal length by their name, for each data source of a figure."""


class PlotView(pn.viewable.Viewer):
    """A plot under a heading; `refresh` draws it again if what it shows has changed.

    Parameters
    ----------
    state
        What to show.
    saver
        Where its exports go; without one there are none.
    """

    title: ClassVar[str]
    active = param.Boolean(True, doc="Whether anybody can see it; if not, it need not be drawn.")

    def __init__(self, state: Any, saver: Saver | None = None, **params):
        super().__init__(**params)
        self.state, self.saver = state, saver
        self._drawn = self.source()
        self.plot = self.pane()
        self.key = self.describe()
        note = self.empty()
        self.note = pn.pane.HTML(note, visible=bool(note), margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])
        self.menu = pmui.MenuButton(
            label="",
            icon="save_alt",
            items=[{"label": kind} for kind in (SCREEN if self.paper() is None else PAPER)],
            variant="text",
            size="small",
            margin=0,
            on_click=lambda item: self.save(item["label"]),
            css_classes=["acgen-save"],
            description="Save the plot as a picture, or its numbers",
            sx=MENU,
        )

    def source(self) -> tuple[Any, ...]:
        """What the plot shows: objects of the state that are replaced, never changed, and numbers."""
        raise NotImplementedError

    def pane(self) -> pn.viewable.Viewable:
        """What Panel shows, with `source` drawn."""
        raise NotImplementedError

    def redraw(self, data: tuple[Any, ...]) -> None:
        """Draw another source."""
        raise NotImplementedError

    def table(self) -> dict[str, Any]:
        """What is drawn, as columns of equal length by their heading with unit."""
        raise NotImplementedError

    def empty(self) -> str:
        """What to do where there is nothing to draw; empty text otherwise."""
        return ""

    def legend(self) -> str:
        """HTML beside the heading that says what is drawn how."""
        return ""

    def describe(self) -> pn.viewable.Viewable:
        """The legend as a part of the page."""
        return pn.pane.HTML(self.legend(), margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])

    def describe_again(self) -> None:
        """Bring the legend up to date."""
        if (key := self.legend()) != self.key.object:
            self.key.object = key

    @property
    def file_name(self) -> str:
        """Name of exported files, without their end; also that of the figure."""
        return "acgen_" + "_".join(self.title.lower().replace("(", "").replace(")", "").split())

    def paper(self) -> Paper | None:
        """Draws what is seen as a figure for a journal; None if there is only the picture on the screen."""
        return None

    def save(self, kind: str) -> None:
        """Do what an entry of the menu says, one of `PAPER` or `SCREEN`."""
        if self.saver is None:
            return
        paper = self.paper()
        if kind == "CSV":
            self.saver.text(f"{self.file_name}.csv", csv_text(self.table()))
        elif kind == COPY_NUMBERS:
            self.saver.copy(csv_text(self.table(), "\t"))
        elif kind == SIZE:
            self.saver.ask()
        elif paper is None:
            self.saver.picture(f"{self.file_name}.{kind.lower()}", self.file_name, kind.lower())
        elif kind == COPY_PICTURE:
            self.saver.figure(self.file_name, paper, "png", copy=True)
        else:
            self.saver.figure(self.file_name, paper, kind.lower())

    def refresh(self) -> bool:
        """Draw what the state says now; False if that is what is drawn already, or nobody can see it."""
        if not self.active:
            return False
        source = self.source()
        if all(
            new is old or (isinstance(new, float) and new == old) for new, old in zip(source, self._drawn, strict=True)
        ):
            return False
        self._drawn = source
        self.redraw(source)
        note = self.empty()
        if note != self.note.object:
            self.note.param.update(object=note, visible=bool(note))
        self.describe_again()
        return True

    def forget(self) -> None:
        """Let go of what is drawn; the page is gone."""
        self._drawn = ()

    def __panel__(self):
        return card(heading(self.title, self.key, self.menu), self.plot, self.note)


class LivePlot(PlotView):
    """A plot that is drawn many times a second: its figure is made once, and then only its numbers change."""

    #: What is along x and y, with its unit.
    axes: ClassVar[tuple[str, str]]
    #: Ends of the axes; what is None follows the data.
    limits: ClassVar[tuple[tuple[float | None, float | None], tuple[float | None, float | None]]] = (
        (None, None),
        (None, None),
    )
    #: Where the ticks are, or how many are wanted.
    ticks: ClassVar[tuple[Sequence[float] | int | None, Sequence[float] | int | None]] = (None, None)
    #: Pixels left of the frame, where several plots have to be in line.
    border: ClassVar[int | None] = None

    figure: figure
    #: The data sources of the figure, by the names that `columns` gives them.
    data: dict[str, ColumnDataSource]

    def columns(self, data: tuple[Any, ...]) -> Columns:
        """The numbers to draw for a source; always the same names."""
        raise NotImplementedError

    def build(self) -> None:
        """Add to the empty figure what draws the numbers."""
        raise NotImplementedError

    def pane(self):
        self.figure = _empty_figure(self)
        self.data = {name: ColumnDataSource(columns) for name, columns in self.columns(self._drawn).items()}
        self.build()
        return pn.pane.Bokeh(self.figure, sizing_mode="stretch_both", margin=0)

    def redraw(self, data):
        for name, columns in self.columns(data).items():
            self.data[name].data = columns

    def curve(self, source: str, y: str = "y", *, hover: bool = False, **look: Any) -> None:
        """Draw the column `y` of a data source over its column `x` as a line of that name."""
        drawn = self.figure.line("x", y, source=self.data[source], name=y, **look)
        if hover:
            self.hover(drawn, [(axis, f"@{column}") for axis, column in zip(self.axes, ("x", y), strict=True)])

    def hover(self, drawn: GlyphRenderer, texts: list[tuple[str, str]]) -> HoverTool:
        """Say something of what is under the pointer."""
        tool = HoverTool(renderers=[drawn], tooltips=texts, visible=False)
        self.figure.add_tools(tool)
        return tool

    def curves(self, source: str, **look: Any) -> None:
        """Draw the lines `xs`, `ys` of a data source."""
        self.figure.multi_line("xs", "ys", source=self.data[source], name=source, **look)

    def band(self, source: str, colour: str) -> None:
        """Fill what `between` gives."""
        self.figure.patches("xs", "ys", source=self.data[source], color=colour, fill_alpha=0.25, line_width=0)


def between(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Outlines of what lies between two curves: one for every stretch in which both are known."""
    known = np.flatnonzero(np.isfinite(low + high + x))
    runs = [run for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if run.size]
    return {
        "xs": [np.concatenate([x[run], x[run][::-1]]) for run in runs],
        "ys": [np.concatenate([low[run], high[run][::-1]]) for run in runs],
    }


def _empty_figure(plot: LivePlot) -> figure:
    """A figure with axes and a grid, which moves along x within its limits, and goes back with a double click."""
    moves = [kind(dimensions="width") for kind in (PanTool, WheelZoomTool)]
    made = figure(
        name=plot.file_name,
        x_range=_moved(*plot.limits[0]),
        y_range=_range(*plot.limits[1]),
        x_axis_label=plot.axes[0],
        y_axis_label=plot.axes[1],
        tools=[*moves, ResetTool()],
        active_scroll=moves[1],
        toolbar_location="right",
        toolbar_inner=True,
        sizing_mode="stretch_both",
        margin=0,
    )
    made.toolbar.update(logo=None, autohide=True)
    made.js_on_event(DoubleTap, CustomJS(args={"plot": made}, code=RESET))
    for axis, ticks in zip((made.xaxis, made.yaxis), plot.ticks, strict=True):
        axis.axis_label_text_font_size, axis.major_label_text_font_size = FONTS["labels"], FONTS["ticks"]
        if isinstance(ticks, int):
            axis.ticker = BasicTicker(desired_num_ticks=ticks)
        elif ticks is not None:
            axis.ticker = FixedTicker(ticks=list(ticks))
    made.grid.grid_line_color = colours.GRID
    if plot.border is not None:
        made.min_border_left = plot.border
    return made


def _moved(start: float | None, end: float | None) -> Range:
    """A range that is seen in parts, and nothing outside of it."""
    if start is None or end is None:
        return _range(start, end, bounds="auto")
    return Range1d(start, end, bounds=(start, end), min_interval=NEAREST * (end - start))


def _range(start: float | None, end: float | None, **options: Any) -> Range:
    if start is not None and end is not None:
        return Range1d(start, end)
    given: Mapping[str, float] = {name: at for name, at in (("start", start), ("end", end)) if at is not None}
    return DataRange1d(range_padding=PADDING, **options, **given)
