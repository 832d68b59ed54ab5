"""The dialog that makes a target of a measured file, and the button that opens it."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui

from app.preparation.choices import Preparation
from app.preparation.view import PreparationView
from app.session.state import State

#: Milliseconds from making the panel to showing it.
SETTLE_MS = 500
#: The dialog takes the window but for a rim.
WINDOW = {
    "& .MuiDialog-paper": {"width": "calc(100% - 32px)", "height": "calc(100% - 32px)", "maxWidth": "1500px",
                           "maxHeight": "980px", "m": "16px"},
    "& .MuiDialog-paper .MuiIconButton-root": {"color": "text.secondary"},
    "& .MuiDialogTitle-root": {"py": "8px", "px": "16px"},
    "& .MuiDialogContent-root": {"overflow": "hidden"},
}


class PreparationDialog(pn.viewable.Viewer):
    """Opens a `PreparationView`, which a page makes when everything else is there, or when it is first wanted.

    Parameters
    ----------
    state, preparation
        As for the view.
    """

    def __init__(self, state: State, preparation: Preparation, **params):
        super().__init__(**params)
        self.state, self.preparation = state, preparation
        self.view: PreparationView | None = None
        self.button = pmui.Button(
            label="Prepare…", variant="outlined", size="small", margin=(4, 16, 4, 0),
            description="Choose columns, energy calibration, background and scale of a measured spectrum, and see them",
            on_click=lambda _event: self._again(),
        )
        self.dialog = pmui.Dialog(
            title="Prepare a measured spectrum",
            title_variant="subtitle1",
            show_close_button=True,
            close_on_click=True,
            width_option=False,
            sizing_mode="stretch_both",
            sx=WINDOW,
        )
        self.dialog.param.watch(lambda event: preparation.param.update(watched=event.new), "open")
        self._place = pn.Row(height=1, margin=0, sizing_mode="stretch_width")

    def mount(self) -> None:
        """Make the panel and send it to the page, unseen."""
        if self.view is None:
            self.view = PreparationView(self.state, self.preparation, self.close)
            self.dialog.objects = list(self.view.parts)
            self._place.append(self.dialog)

    def _again(self) -> None:
        """Show the panel with what the chosen target was made of."""
        files = self.state.raw.get(self.state.target_name)
        self.preparation.bring_back(self.state.target, files, self.open)

    def open(self) -> None:
        """Show the panel."""
        known = self.view is not None
        self.mount()
        if known or pn.state.curdoc is None:
            self.dialog.open = True
        else:  # the browser cannot lay out plots that it has only just been told of
            pn.state.curdoc.add_timeout_callback(lambda: self.dialog.param.update(open=True), SETTLE_MS)

    def close(self) -> None:
        """Leave everything as it is."""
        self.dialog.open = False

    def __panel__(self):
        return self._place
