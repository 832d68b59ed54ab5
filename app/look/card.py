"""The frames of the page: cards, their headings, and entries of legends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import panel as pn

from app.look.css import STYLE

#: A menu that is an icon.
MENU = {
    "minWidth": 0,
    "px": "2px",
    "& .MuiButton-startIcon": {"mx": 0},
    "& .MuiButton-endIcon": {"display": "none"},
}

#: Buttons of which one is chosen, in a heading.
COMPACT_BUTTONS = {"& button": {"py": "1px", "px": "6px", "textTransform": "none", "whiteSpace": "nowrap"}}


def card(*parts: pn.viewable.Viewable) -> pn.Column:
    """A framed part of the page."""
    return pn.Column(*parts, sizing_mode="stretch_both", margin=0, stylesheets=[STYLE], css_classes=["acgen-card"])


def heading(title: str | pn.viewable.Viewable, *parts: pn.viewable.Viewable) -> pn.Row:
    """The first row of a card."""
    if isinstance(title, str):
        title = pn.pane.HTML(f"<h2>{title}</h2>", margin=0, stylesheets=[STYLE], css_classes=["acgen-title"])
    return pn.Row(title, *parts, margin=0, stylesheets=[STYLE], css_classes=["acgen-heading"])


def row(*parts: pn.viewable.Viewable, **options: Any) -> pn.Row:
    """Parts side by side over the whole width."""
    return pn.Row(*parts, margin=0, sizing_mode="stretch_width", **options)


def swatch(colour: str, text: str, kind: str = "line") -> str:
    """HTML of one entry of a legend: a `line`, a `dot` or a `band`."""
    return f'<span class="swatch {kind}" style="--colour:{colour}"></span>{text}'


def entries(parts: Iterable[str]) -> str:
    """HTML of a legend that breaks between its entries only, for the class `acgen-wrap`."""
    return "".join(f'<span class="entry">{part}</span> ' for part in parts)
