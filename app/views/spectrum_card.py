"""The card of the spectrum: target and prediction, what is left, and the instrument between them."""

from __future__ import annotations

import panel as pn
from bokeh.layouts import column

from app.look.card import card, heading
from app.session.state import State
from app.views.instrument import InstrumentView
from app.views.save import Saver
from app.views.spectrum import ResidualView, SpectrumView

#: Pixels of the residual with its axis.
RESIDUAL_HEIGHT = 112


class SpectrumCard(pn.viewable.Viewer):
    """What belongs together and is drawn together, so that no curve stands beside the number of another frame."""

    def __init__(self, state: State, saver: Saver | None = None, **params):
        super().__init__(**params)
        self.spectrum, self.residual = SpectrumView(state, saver), ResidualView(state, saver)
        self.instrument = InstrumentView(state)
        self.plot = self._stacked()

    def _stacked(self) -> pn.pane.Bokeh:
        """Both plots in one layout, which keeps their frames in line, over one range of energies."""
        above, below = self.spectrum.figure, self.residual.figure
        below.x_range = above.x_range
        below.update(sizing_mode="stretch_width", height=RESIDUAL_HEIGHT)
        both = column(above, below, sizing_mode="stretch_both")
        return pn.pane.Bokeh(both, sizing_mode="stretch_both", margin=0)

    def refresh(self) -> bool:
        """Draw what the state says now; False if that is drawn already."""
        return any([part.refresh() for part in (self.spectrum, self.residual, self.instrument)])

    def forget(self) -> None:
        """Let go of what is drawn; the page is gone."""
        self.spectrum.forget()
        self.residual.forget()
        self.instrument.forget()

    def __panel__(self):
        body = pn.Column(self.plot, self.spectrum.note, sizing_mode="stretch_both", margin=0)
        return card(heading(self.spectrum.title, self.spectrum.key, self.spectrum.menu), self.instrument, body)
