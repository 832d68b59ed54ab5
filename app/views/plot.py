"""What the live plots have in common: one stream, one style, a sentence where there is nothing yet, and export."""

from __future__ import annotations

from typing import Any, ClassVar

import holoviews as hv
import holoviews.plotting.bokeh  # noqa: F401  registers what draws
import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models import DataRange1d

from app.look import colours
from app.look.card import MENU, card, heading
from app.look.css import STYLE
from app.session.state import State
from app.views.save import Saver, csv_text

# Not hv.extension: in a notebook that loads scripts from other hosts.
hv.Store.set_current_backend("bokeh")
hv.Store.renderers["bokeh"].webgl = False

#: Options of every overlay and, for the first, of every element in it: axes follow the data.
LIVE = {"framewise": True}
FRAME = {
    **LIVE,
    "responsive": True,
    "toolbar": None,
    "default_tools": [],
    "show_legend": False,
    "show_grid": True,
    "gridstyle": {"grid_line_color": colours.GRID, "grid_line_width": 1},
    "fontsize": {"labels": "9pt", "ticks": "8pt"},
}


class LivePlot(pn.viewable.Viewer):
    """A plot under a heading; `refresh` draws it again if what it shows has changed.

    Parameters
    ----------
    state
        What to show.
    saver
        Where its exports go; without one there are none.
    """

    title: ClassVar[str]
    #: Pixels left of the frame, where several plots have to be in line.
    border: ClassVar[int | None] = None
    active = param.Boolean(True, doc="Whether anybody can see it; if not, it need not be drawn.")

    def __init__(self, state: State, saver: Saver | None = None, **params):
        super().__init__(**params)
        self.state, self.saver = state, saver
        self._drawn = self.source()
        self.stream = hv.streams.Counter()  # HoloViews keeps what goes through a stream: not the structures themselves
        self.plot = pn.pane.HoloViews(
            hv.DynamicMap(self._named, streams=[self.stream]), sizing_mode="stretch_both", linked_axes=False, margin=0
        )
        self.key = pn.pane.HTML(self.legend(), margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])
        note = self.empty()
        self.note = pn.pane.HTML(note, visible=bool(note), margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])
        self.menu = pmui.MenuButton(
            label="",
            icon="save_alt",
            items=[{"label": kind} for kind in ("PNG", "SVG", "CSV")],
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

    def draw(self, data: tuple[Any, ...]) -> hv.Overlay:
        """The plot of a source; always the same elements in the same order, so that only their data change."""
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

    @property
    def file_name(self) -> str:
        """Name of exported files, without their end; also that of the figure."""
        return "acgen_" + "_".join(self.title.lower().replace("(", "").replace(")", "").split())

    def save(self, kind: str) -> None:
        """Hand the plot to the browser as `PNG`, `SVG` or `CSV`."""
        if self.saver is None:
            return
        if kind == "CSV":
            self.saver.text(f"{self.file_name}.csv", csv_text(self.table()))
        else:
            self.saver.picture(f"{self.file_name}.{kind.lower()}", self.file_name, kind.lower())

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
        if pn.state.curdoc is None or not self._fill():
            self.stream.event()
        note, key = self.empty(), self.legend()
        if note != self.note.object:
            self.note.param.update(object=note, visible=bool(note))
        if key != self.key.object:
            self.key.object = key
        return True

    def _fill(self) -> bool:
        """Put new data into the plot that is there, which takes a third of the time that HoloViews takes to update it.

        False if there is none, or if something else than its numbers has to change.
        """
        overlay, new = self.draw(self._drawn), []
        for plot, _pane in self.plot._plots.values():
            if len(plot.subplots) != len(overlay):
                return False
            for part, element in zip(plot.subplots.values(), overlay, strict=True):
                source = part.handles["source"]
                data = part.get_data(element, {}, {})[0]
                styles = {name: column for name, column in source.data.items() if name not in data}
                lengths = {len(column) for column in (data | styles).values()}
                if len(lengths) > 1:
                    return False
                new.append((source, data | styles))
        for source, data in new:
            source.data = data
        return bool(new)

    def forget(self) -> None:
        """Let go of what is drawn; the page is gone."""
        self._drawn = ()

    def _named(self, counter: int) -> hv.Overlay:
        return self.draw(self._drawn).opts(hooks=[self._name])

    def _name(self, plot, element) -> None:
        plot.state.name = self.file_name
        options = hv.Store.lookup_options("bokeh", element, "plot").kwargs
        for axis in "xy":  # what has no limits follows the data in the browser
            limits = zip(("start", "end"), options.get(f"{axis}lim") or (None, None), strict=True)
            given = {end: limit for end, limit in limits if limit is not None}
            if len(given) < 2:
                setattr(plot.state, f"{axis}_range", DataRange1d(range_padding=0.1, **given))
        if self.border is not None:
            plot.state.min_border_left = self.border

    def __panel__(self):
        return card(heading(self.title, self.key, self.menu), self.plot, self.note)


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, axes: tuple[str, str], colour: str) -> hv.Area:
    """What lies between two curves."""
    return hv.Area((x, low, high), axes[0], [axes[1], f"{axes[1]} to"]).opts(
        color=colour, line_width=0, fill_alpha=0.25, **LIVE
    )
