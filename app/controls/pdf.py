"""A measured pair distribution beside the target spectrum: its file, what is known of it, and its strength."""

from __future__ import annotations

import functools
import html

import panel as pn
import panel_material_ui as pmui
import param

from acgen.scattering.read import read_pdf
from acgen.scattering.target import PairTarget
from app.look.css import STYLE
from app.look.notice import Notice
from app.session.state import State
from app.session.uploads import BoundedInput, label_of
from app.workers.background import Background
from app.workers.explain import explain


class PairUpload(pn.viewable.Viewer):
    """A button for the file; while there is one, its name, a way to leave it out, and the slider of its strength.

    Parameters
    ----------
    state
        Gets the pair distribution in `pdf`.
    background
        Reads files.
    slider
        Of `State.xi_pdf`.
    """

    def __init__(self, state: State, background: Background, slider: pn.widgets.Widget, **params):
        super().__init__(**params)
        self.state, self._background, self.slider = state, background, slider
        self.upload = BoundedInput(
            label="G(r)…",
            uploaded_label="G(r)…",
            size="small",
            variant="outlined",
            margin=(4, 16, 4, 0),
            description="Add a measured pair distribution, which guides beside the spectrum, or alone: G(r) or S(Q) of "
            "PDFgetX3 (.gr, .sq), or two columns with g(r), G(r) or S(Q), in Å",
            css_classes=["acgen-pdf-file"],
        )
        self.text = pn.pane.HTML(
            "", margin=(4, 0, 0, 18), sizing_mode="stretch_width", stylesheets=[STYLE], css_classes=["acgen-small"]
        )
        self.leave_out = pmui.IconButton(
            icon="close",
            description="Leave the pair distribution out",
            size="small",
            margin=(0, 12, 0, 0),
            css_classes=["acgen-no-pdf"],
            on_click=lambda _event: state.param.update(pdf=None),
        )
        self.row = pn.Row(self.text, self.leave_out, margin=0, sizing_mode="stretch_width")
        self.message, self.warning = Notice(margin=(4, 16)), Notice(margin=(4, 16))
        self.upload.param.watch(self._uploaded, "value")
        self.upload.param.watch(lambda event: event.new and self._complain(event.new), "refused")
        state.param.watch(self._describe, ["pdf", "density", "start"])
        self._describe()

    @property
    def locked(self) -> list[pn.widgets.Widget]:
        """What cannot be changed while a run is active."""
        return [self.upload, self.leave_out, self.slider]

    def _uploaded(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        work = functools.partial(read_pdf, event.new, name=label_of(self.upload.filename or ""))
        self.upload.param.update(value=None, filename=None, mime_type=None)
        self.upload.loading = True
        self._background.do("pair distribution", work, self._read)

    def _read(self, found: PairTarget | None, error: Exception | None) -> None:
        self.upload.loading = False
        if error is not None:
            self._complain(explain(error))
            return
        self.message.hide()
        self.state.pdf = found

    def _complain(self, reason: str) -> None:
        self.message.say(f"Not taken: {reason}. What guides stays as it was.")

    def _describe(self, *_events) -> None:
        pdf = self.state.pdf
        self.row.visible = self.slider.visible = pdf is not None
        if pdf is None:
            self.warning.hide()
            return
        self.text.object = f"<b>{html.escape(pdf.name)}</b> {html.escape(' '.join(pdf.history))}"
        doubts = (*pdf.warnings, *(pdf.doubts(self.state.density) if self.state.start is None else ()))
        if doubts:
            self.warning.say(" ".join(doubts), "warning")
        else:
            self.warning.hide()

    def __panel__(self):
        """All but the button and the slider, which stand in rows of their own."""
        return pn.Column(self.message, self.row, self.warning, margin=0, sizing_mode="stretch_width")
