"""The structure in three dimensions, coloured by coordination number, with its legend."""

from __future__ import annotations

import html
from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from app.look import colours
from app.look.card import MENU, card, heading, swatch
from app.look.css import STYLE
from app.session.state import State
from app.viewer.colouring import by_coordination, by_share, shares
from app.viewer.frontend import FrontendError
from app.viewer.ngl import FrameStream
from app.viewer.selection import RANGES, describe_atom, in_words

#: Icons are black on any background otherwise.
TINT = {"color": "primary.main", "& .MuiIconButton-root": {"color": "primary.main"}}


class StructureView(pn.viewable.Viewer):
    """nglview fed by the state; without nglview's front end a sentence that says what to do.

    Parameters
    ----------
    below
        What belongs under the picture, in the same card.
    """

    def __init__(self, state: State, *below: pn.viewable.Viewer, **params):
        super().__init__(**params)
        self.state, self.below = state, below
        self.problem = ""
        try:
            self.stream = FrameStream()
        except FrontendError as error:
            self.stream, self.problem = None, str(error)
        self.note = pn.pane.HTML("", margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])
        self.note.object = html.escape(self.problem) or "Choose a target and press Start"
        self.key = pn.pane.HTML("", margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])
        self.picked = pn.pane.HTML("", visible=False, margin=0, stylesheets=[STYLE], css_classes=["acgen-picked"])
        if self.stream is not None:
            self.stream.picked = self._pick
            self.stream.set_up = lambda: self._show(None)
        state.param.watch(self._show, ["shown", "atom", "energies"])
        state.param.watch(self._theme, "dark")
        self._explain()
        self._theme()

    @property
    def free(self) -> bool:
        """Whether the browser can take another frame."""
        return self.stream is not None and self.stream.free

    def close(self) -> None:
        """Give the widget back when the session ends."""
        if self.stream is not None:
            self.stream.close()

    def _show(self, _event) -> None:
        shown = self.state.shown
        if shown is None or self.stream is None:
            return
        if self.stream.ready:
            self.note.visible = False
        else:
            self.note.object = "Waiting for the three-dimensional view, which needs WebGL in this browser"
        atom = self.state.atom if self.state.atom is not None and self.state.atom < len(shown.atoms) else None
        colouring = by_coordination(shown.coordination)
        if self.state.energies is not None and shown.site_spectra is not None:
            colouring = by_share(shares(shown.seen_sites, self.state.energies))
        self.stream.show(shown.atoms.positions, shown.sticks, shown.atoms.cell.array, colouring, atom)
        self._explain()
        text = "" if atom is None else describe_atom(shown, atom, self.state.energies)
        if text != self.picked.object:
            self.picked.param.update(object=text, visible=bool(text))

    def _pick(self, atom: int | None) -> None:
        """An atom was clicked, or the room between them; a second click lets it go."""
        known = isinstance(atom, int) and atom >= 0
        self.state.atom = atom if known and atom != self.state.atom else None

    def _explain(self) -> None:
        """Say what the colours mean."""
        energies, shown = self.state.energies, self.state.shown
        if energies is None:
            text = "CN&ensp;" + "".join(swatch(colours.CN[cn], name, "dot") for cn, name in colours.CN_NAMES.items())
        elif shown is not None and shown.site_spectra is None:
            text = f"{in_words(energies)}: as soon as the run pauses or ends"
        else:
            steps = ((0, "0"), (len(colours.SHARE) // 2, "average"), (-1, "≥ twice"))
            text = f"{in_words(energies)}&ensp;" + "".join(swatch(colours.SHARE[i], name, "dot") for i, name in steps)
        if text != self.key.object:
            self.key.object = text

    def _theme(self, *_events) -> None:
        if self.stream is not None:
            self.stream.set_background(colours.VIEW_BACKGROUND["dark" if self.state.dark else "light"])

    def _spin(self, event) -> None:
        if self.stream is not None:
            self.stream.spin(event.new)

    def __panel__(self):
        stream = self.stream
        spin = pmui.ToggleIcon(
            icon="autorenew", description="Turn the view", size="small", margin=0, disabled=stream is None
        )
        spin.param.watch(self._spin, "value")
        buttons = [] if stream is None else [
            spin,
            _button("center_focus_strong", "Fit the cell into the view", stream.reset_view),
            _button("fullscreen", "Full screen; Escape ends it", stream.full_screen),
            _button("photo_camera", "Save a picture (PNG)", lambda: stream.picture("acgen_structure.png")),
        ]
        colour = pmui.MenuButton(
            label="",
            icon="palette",
            items=[{"label": name} for name in RANGES],
            variant="text",
            size="small",
            margin=0,
            on_click=lambda item: setattr(self.state, "energies", RANGES[item["label"]]),
            description="Colour atoms by coordination or by what they absorb; drag over the spectrum for another range",
            css_classes=["acgen-colour"],
            sx=MENU,
        )
        canvas = [] if stream is None else [stream.pane]
        top = heading("Structure", self.key, pn.Row(colour, *buttons, margin=0))
        return card(top, *canvas, self.picked, self.note, *self.below)


def _button(icon: str, description: str, action: Callable[[], None]) -> pmui.IconButton:
    return pmui.IconButton(
        icon=icon, description=description, size="small", margin=0, sx=TINT, on_click=lambda _event: action()
    )
