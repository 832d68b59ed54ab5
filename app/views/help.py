"""What the words of the page mean, each in a sentence with a picture, and its keys."""

from __future__ import annotations

from pathlib import Path

import panel as pn
import panel_material_ui as pmui

from app.look.css import STYLE

TEXT = Path(__file__).with_name("help.html").read_text(encoding="utf-8")


class Help(pn.viewable.Viewer):
    """A dialog; `button` opens it."""

    def __init__(self, **params):
        super().__init__(**params)
        self.dialog = pmui.Dialog(
            pn.pane.HTML(TEXT, margin=0, sizing_mode="stretch_width", stylesheets=[STYLE], css_classes=["acgen-help"]),
            title="What the words mean",
            title_variant="h6",
            width_option="md",
            close_on_click=True,
            show_close_button=True,
            open=False,
        )
        self.button = pmui.IconButton(
            icon="help_outline",
            description="What the words mean, and keys (?)",
            size="small",
            margin=(0, 4),
            sx={"color": "#fff", "& .MuiIconButton-root": {"color": "#fff"}},
            on_click=lambda _event: self.open(),
        )

    def open(self) -> None:
        """Show it."""
        self.dialog.open = True

    def __panel__(self):
        return self.dialog
