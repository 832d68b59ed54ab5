"""The structure in three dimensions, coloured by coordination number, with its legend."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui

from app import colours
from app.frontend import FrontendError
from app.ngl import FrameStream
from app.state import State
from app.style import STYLE
from app.views.plot import card, heading, swatch


class StructureView(pn.viewable.Viewer):
    """nglview fed by the state; without nglview's front end a sentence that says what to do."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self.problem = ""
        try:
            self.stream = FrameStream()
        except FrontendError as error:
            self.stream, self.problem = None, str(error)
        self.note = pn.pane.HTML("", margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])
        self.note.object = html.escape(self.problem) or "Choose a target and press Start"
        state.param.watch(self._show, "shown")
        state.param.watch(self._theme, "dark")
        self._theme()

    @property
    def free(self) -> bool:
        """Whether the browser can take another frame."""
        return self.stream is not None and self.stream.free

    def close(self) -> None:
        """Give the widget back when the session ends."""
        if self.stream is not None:
            self.stream.close()

    def _show(self, _event) -> None:
        shown = self.state.shown
        if shown is None or self.stream is None:
            return
        if self.stream.ready:
            self.note.visible = False
        else:
            self.note.object = "Waiting for the three-dimensional view, which needs WebGL in this browser"
        self.stream.show(shown.positions, shown.sticks, shown.coordination, shown.cell)

    def _theme(self, *_events) -> None:
        if self.stream is not None:
            self.stream.set_background(colours.VIEW_BACKGROUND["dark" if self.state.dark else "light"])

    def __panel__(self):
        reset = pmui.IconButton(
            icon="center_focus_strong",
            description="Fit the cell into the view",
            size="small",
            margin=0,
            on_click=lambda _event: self.stream and self.stream.reset_view(),
        )
        legend = "CN" + "".join(swatch(colours.CN[cn], name, "dot") for cn, name in colours.CN_NAMES.items())
        key = pn.pane.HTML(legend, margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])
        canvas = [] if self.stream is None else [self.stream.pane]
        return card(heading("Structure", key, reset), *canvas, self.note)
