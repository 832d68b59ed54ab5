"""What else can be done with the spectrum: a small panel of choices over its plot, there when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import panel as pn
import panel_material_ui as pmui

from acgen.results.sheet import Curve
from app.look.css import STYLE
from app.session.drawing import MEAN, TARGET
from app.session.state import State

SMALL = {"size": "small", "margin": (5, 8), "width": 170}


class SpectrumTools(pn.viewable.Viewer):
    """Overlaid targets, the difference below, offset and derivative; made when it is opened for the first time."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self._names = {TARGET: TARGET, "prediction": MEAN}
        self.overlaid: pmui.MultiChoice | None = None  # nor the rest, before it is asked for
        self.button = pmui.ToggleIcon(
            icon="tune",
            description="Overlay, difference, offset, derivative",
            size="small",
            margin=0,
            css_classes=["acgen-tools"],
        )
        self.panel = pn.Column(
            width=190, margin=0, visible=False, stylesheets=[STYLE], css_classes=["acgen-card", "acgen-over"]
        )
        self.button.param.watch(self._open, "value")
        state.param.watch(lambda _event: self._offer_targets(), "targets")

    def _open(self, event) -> None:
        if event.new and self.overlaid is None:
            self._build()
        self.panel.visible = event.new

    def _build(self) -> None:
        drawing = self.state.drawing
        self.overlaid = pmui.MultiChoice(
            label=drawing.param.overlaid.label,
            options=[],
            value=drawing.overlaid,
            width=SMALL["width"],
            chip=False,
            description=drawing.param.overlaid.doc,
            margin=SMALL["margin"],
            css_classes=["acgen-overlay"],
        )
        self.overlaid.link(drawing, value="overlaid", bidirectional=True)
        self.first, self.second = (
            pmui.Select.from_param(drawing.param[name], options=self._names, **SMALL)
            for name in ("minuend", "subtrahend")
        )
        self.offset = pmui.FloatSlider.from_param(drawing.param.offset, **SMALL)
        self.derivative = pmui.Checkbox.from_param(drawing.param.derivative, **SMALL)
        self._offer_targets()
        self.panel.objects = [self.overlaid, self.first, self.second, self.offset, self.derivative]

    def _offer_targets(self) -> None:
        if self.overlaid is not None:
            self.overlaid.options = [name for name, target in self.state.targets.items() if target is not None]

    def offer(self, curves: Mapping[str, Curve]) -> None:
        """Offer curves to be taken from each other; what is chosen stays an offer when its curve has gone."""
        drawing = self.state.drawing
        names = {curve.name: key for key, curve in curves.items()}
        gone = (key for key in (TARGET, MEAN, drawing.minuend, drawing.subtrahend) if key not in curves)
        names |= {"prediction" if key == MEAN else key: key for key in gone}
        if names != self._names:
            self._names = names
            for select in () if self.overlaid is None else (self.first, self.second):
                select.options = names

    def __panel__(self):
        return self.panel
