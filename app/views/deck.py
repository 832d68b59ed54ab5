"""Several views in one card, one at a time."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui

from app.look.card import COMPACT_BUTTONS, card, heading
from app.views.plot import PlotView

BESIDE = {"align-items": "center"}


class Deck(pn.viewable.Viewer):
    """Buttons in the heading choose what is seen; what is not seen is not drawn, nor sent before it is wanted.

    Parameters
    ----------
    views
        By title: plots, or anything else that Panel shows; what is in its `tools`, if there are any, stands beside the
        buttons.
    """

    def __init__(self, views: dict[str, PlotView | pn.viewable.Viewer], **params):
        super().__init__(**params)
        self._views: dict[str, PlotView | pn.viewable.Viewer] = {}
        self._bodies: dict[str, pn.Column] = {}
        self._tools: dict[str, pn.Row] = {}
        self._beside = pn.Row(margin=0, sizing_mode="stretch_width", styles=BESIDE)
        self._body = pn.Column(sizing_mode="stretch_both", margin=0)
        self.choice = pmui.RadioButtonGroup(
            options=list(views),
            value=next(iter(views)),
            size="small",
            margin=0,
            sx=COMPACT_BUTTONS,
        )
        for title, view in views.items():
            self.add(title, view)
        self.choice.param.watch(lambda event: self._turn(), "value")
        self._turn()

    def add(self, title: str, view: PlotView | pn.viewable.Viewer) -> None:
        """One more view, behind the others."""
        self._views[title] = view
        parts = (view.plot, view.note) if isinstance(view, PlotView) else (view,)
        self._bodies[title] = pn.Column(*parts, sizing_mode="stretch_both", margin=0)
        tools = (view.key, view.menu) if isinstance(view, PlotView) else getattr(view, "tools", ())
        spacer = () if isinstance(view, PlotView) else (pn.Spacer(sizing_mode="stretch_width"),)
        self._tools[title] = pn.Row(*spacer, *tools, margin=0, sizing_mode="stretch_width", styles=BESIDE)
        self.choice.options = list(self._views)
        self._turn()

    def show(self, title: str) -> None:
        """Bring one of the views to the front."""
        self.choice.value = title

    def mount(self, title: str) -> None:
        """Send a view to the page, unseen, so that it is there at once when it is shown."""
        if self._bodies[title] not in self._body:
            self._body.append(self._bodies[title])
            self._beside.append(self._tools[title])

    def _turn(self) -> None:
        for title, view in self._views.items():
            front = title == self.choice.value
            self._bodies[title].visible = self._tools[title].visible = front
            if front:
                self.mount(title)
            if isinstance(view, PlotView):
                view.active = front

    def __panel__(self):
        return card(heading(self.choice, self._beside), self._body)
