"""What the live plots have in common: one pipe, one style, and a sentence where there is nothing to draw yet."""

from __future__ import annotations

from typing import Any, ClassVar

import holoviews as hv
import panel as pn

from app import colours
from app.state import State
from app.style import STYLE

hv.extension("bokeh")

#: Options of every overlay and, for the first, of every element in it: axes follow the data.
LIVE = {"framewise": True}
FRAME = {
    **LIVE,
    "responsive": True,
    "toolbar": None,
    "show_legend": False,
    "show_grid": True,
    "gridstyle": {"grid_line_color": colours.GRID, "grid_line_width": 1},
    "fontsize": {"labels": "9pt", "ticks": "8pt"},
}


class LivePlot(pn.viewable.Viewer):
    """A plot under a heading; `refresh` draws it again if what it shows has changed."""

    title: ClassVar[str]

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self._drawn = self.source()
        self.pipe = hv.streams.Pipe(data=self._drawn)
        self.plot = pn.pane.HoloViews(
            hv.DynamicMap(self.draw, streams=[self.pipe]), sizing_mode="stretch_both", linked_axes=False, margin=0
        )
        self.key = pn.pane.HTML(self.legend(), margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])
        note = self.empty()
        self.note = pn.pane.HTML(note, visible=bool(note), margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])

    def source(self) -> tuple[Any, ...]:
        """What the plot shows: objects of the state that are replaced, never changed, and numbers."""
        raise NotImplementedError

    def draw(self, data: tuple[Any, ...]) -> hv.Overlay:
        """The plot of a source; always the same elements in the same order, so that only their data change."""
        raise NotImplementedError

    def empty(self) -> str:
        """What to do where there is nothing to draw; empty text otherwise."""
        return ""

    def legend(self) -> str:
        """HTML beside the heading that says what is drawn how."""
        return ""

    def refresh(self) -> bool:
        """Draw what the state says now; False if that is what is drawn already."""
        source = self.source()
        if all(
            new is old or (isinstance(new, float) and new == old) for new, old in zip(source, self._drawn, strict=True)
        ):
            return False
        self._drawn = source
        self.pipe.send(source)
        note, key = self.empty(), self.legend()
        if note != self.note.object:
            self.note.param.update(object=note, visible=bool(note))
        if key != self.key.object:
            self.key.object = key
        return True

    def __panel__(self):
        return card(heading(self.title, self.key), self.plot, self.note)


def card(*parts: pn.viewable.Viewable) -> pn.Column:
    """A framed part of the page."""
    return pn.Column(*parts, sizing_mode="stretch_both", margin=0, stylesheets=[STYLE], css_classes=["acgen-card"])


def heading(title: str, *parts: pn.viewable.Viewable) -> pn.Row:
    """The first row of a card."""
    text = pn.pane.HTML(title, margin=0, stylesheets=[STYLE], css_classes=["acgen-title"])
    return pn.Row(text, *parts, margin=0, stylesheets=[STYLE], css_classes=["acgen-heading"])


def swatch(colour: str, text: str, kind: str = "line") -> str:
    """HTML of one entry of a legend: a `line` or a `dot`."""
    return f'<span class="swatch {kind}" style="--colour:{colour}"></span>{text}'
