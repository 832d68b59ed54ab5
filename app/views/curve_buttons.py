"""A legend whose entries are buttons: a click hides a curve, another shows it again."""

from __future__ import annotations

import html
from pathlib import Path

import param
from panel.custom import JSComponent

from app.look.card import swatch
from app.look.css import STYLE


class CurveButtons(JSComponent):
    """Entries with `key`, `name`, `colour` and `kind` (as of `app.look.card.swatch`); `hidden` are keys.

    Not named Legend: the theme of the page takes what ends so for a model of Bokeh, and fails.
    """

    entries = param.List(default=[], item_type=dict)
    hidden = param.List(default=[], item_type=str)

    _esm = (Path(__file__).parent / "curve_buttons.js").read_text(encoding="utf-8")

    def __init__(self, **params):
        super().__init__(margin=0, stylesheets=[STYLE], css_classes=["acgen-key"], **params)


def in_html(entries: list[dict[str, str]]) -> str:
    """The same entries where there is nothing to click."""
    return "".join(swatch(each["colour"], html.escape(each["name"]), each["kind"]) for each in entries)
