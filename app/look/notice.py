"""A framed message that says what went wrong or what to know, in plain text whatever it quotes."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui

from app.look.css import STYLE

COMPACT = {
    "pt": 0,
    "pb": "6px",
    "px": 1,
    "& .MuiAlert-icon": {"mr": 1, "py": "6px"},
    "& .MuiAlertTitle-root": {"display": "none"},
}


class Notice(pn.viewable.Viewer):
    """Hidden until `say`.

    Parameters
    ----------
    margin
        Around the frame.
    """

    def __init__(self, margin: tuple[int, int] = (0, 0), **params):
        super().__init__(**params)
        self.text = ""
        self._words = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        self._frame = pmui.Alert(
            self._words, severity="error", visible=False, margin=margin, sizing_mode="stretch_width", sx=COMPACT
        )

    @property
    def visible(self) -> bool:
        """Whether there is a message."""
        return self._frame.visible

    @property
    def severity(self) -> str:
        """`error`, `warning` or `info`."""
        return self._frame.severity

    def say(self, text: str, severity: str = "error") -> None:
        """Show a message."""
        self.text = text
        self._words.object = html.escape(text)
        self._frame.param.update(severity=severity, visible=True)

    def hide(self) -> None:
        """Show nothing."""
        self.text = ""
        self._frame.visible = False

    def __panel__(self):
        return self._frame
