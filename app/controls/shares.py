"""Known shares of sp, sp² and sp³ atoms: a field for each, and their strength while there is one."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui
import param
from bokeh.models import CustomJSTickFormatter

from acgen.sampling.settings import HYBRIDS, OPTIONS
from app.session.state import State

#: The buttons that step a number would leave no room for it; the arrow keys do the same.
NARROW = {"& .MuiInputAdornment-root": {"display": "none"}, "& .MuiInputBase-input": {"px": "10px"}}


class OptionalInput(pmui.FloatInput):
    """A field for a number that may be missing: it is then empty, where others of its kind show 0.0."""

    value = param.Number(None, allow_None=True)

    def __init__(self, **params):
        super().__init__(format=CustomJSTickFormatter(code="return tick === null ? '' : String(tick)"), **params)


class SharesInput(pn.viewable.Viewer):
    """Fields for the percentages that are known; an empty one leaves that share free.

    Small windows have no room for what few need: the fields come with a button, and stay while one is filled.

    Parameters
    ----------
    state
        Has the percentages, by the names of `HYBRIDS`.
    slider
        Of `State.xi_cn`; it is shown while a percentage is given.
    """

    def __init__(self, state: State, slider: pn.widgets.Widget, **params):
        super().__init__(**params)
        self.state, self.slider = state, slider
        self.fields = [
            OptionalInput.from_param(
                state.param[name],
                placeholder=OPTIONS[name].otherwise,
                margin=(6, 4, 2, 4),
                size="small",
                sizing_mode="stretch_width",
                css_classes=[f"acgen-{name}"],
                sx=NARROW,
            )
            for name in HYBRIDS.values()
        ]
        self.row = pn.Row(*self.fields, margin=(0, 12), sizing_mode="stretch_width", visible=False)
        self.button = pmui.Button(
            label="Known shares", variant="text", size="small", margin=(0, 12, -12, 0), css_classes=["acgen-shares"],
            description="Shares of sp, sp² and sp³ that EELS or NMR tells, to guide by them too",
            on_click=lambda _event: self.row.param.update(visible=not self.row.visible or bool(state.shares)),
        )
        state.param.watch(self._arrange, list(HYBRIDS.values()))
        self._arrange()

    @property
    def locked(self) -> list[pn.widgets.Widget]:
        """What cannot be changed while a run is active."""
        return [*self.fields, self.slider]

    def _arrange(self, *_events) -> None:
        self.slider.visible = bool(self.state.shares)
        self.row.visible = self.row.visible or self.slider.visible

    def __panel__(self):
        """The fields; slider and button stand in rows of others."""
        return self.row
