"""The card of the spectrum: target and prediction, what is left, and the instrument between them."""

from __future__ import annotations

import panel as pn
from bokeh.events import DoubleTap
from bokeh.layouts import column
from bokeh.models import CrosshairTool, CustomJS, Span

from app.look import colours
from app.look.card import card, heading
from app.session.state import State
from app.views.instrument import InstrumentView
from app.views.plot import RESET
from app.views.save import Saver
from app.views.spectrum import ResidualView, SpectrumView
from app.views.spectrum_tools import SpectrumTools

#: Pixels of the residual with its axis.
RESIDUAL_HEIGHT = 112


class SpectrumCard(pn.viewable.Viewer):
    """What belongs together and is drawn together, so that no curve stands beside the number of another frame."""

    def __init__(self, state: State, saver: Saver | None = None, **params):
        super().__init__(**params)
        self.spectrum, self.residual = SpectrumView(state, saver), ResidualView(state, saver)
        self.instrument, self.tools = InstrumentView(state), SpectrumTools(state)
        self.plot = self._stacked()
        state.drawing.param.watch(lambda *_events: self.refresh(), list(state.drawing.param))
        state.param.watch(lambda *_events: self.refresh(), "plain")

    def _stacked(self) -> pn.pane.Bokeh:
        """Both plots in one layout, which keeps their frames in line, over one range of energies."""
        above, below = self.spectrum.figure, self.residual.figure
        below.x_range = above.x_range
        above.xaxis.axis_label = None  # it is the one below
        below.update(sizing_mode="stretch_width", height=RESIDUAL_HEIGHT)
        energy = Span(dimension="height", line_color=colours.TEXT, line_alpha=0.7)
        for one, other in ((above, below), (below, above)):
            value = Span(dimension="width", line_color=colours.TEXT, line_alpha=0.7)
            one.add_tools(CrosshairTool(overlay=[value, energy]))
            one.js_on_event(DoubleTap, CustomJS(args={"plot": other}, code=RESET))
        both = column(above, below, sizing_mode="stretch_both")
        return pn.pane.Bokeh(both, sizing_mode="stretch_both", margin=0)

    def refresh(self) -> bool:
        """Draw what the state says now; False if that is drawn already."""
        changed = any([part.refresh() for part in (self.spectrum, self.residual, self.instrument)])
        if changed:
            self.tools.offer(self.spectrum.spectra.curves)
        return changed

    def forget(self) -> None:
        """Let go of what is drawn; the page is gone."""
        self.spectrum.forget()
        self.residual.forget()
        self.instrument.forget()

    def __panel__(self):
        body = pn.Column(self.plot, self.spectrum.note, sizing_mode="stretch_both", margin=0)
        top = heading(self.spectrum.title, self.spectrum.key, self.tools.button, self.spectrum.menu)
        return card(top, self.tools, self.instrument, body)
