"""The structure in three dimensions, coloured by coordination number, with its legend."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from app.look import colours
from app.look.card import MENU, card, heading, swatch
from app.look.css import STYLE
from app.session.state import State
from app.viewer.colouring import by_coordination, by_motif, by_share, shares
from app.viewer.frontend import FrontendError
from app.viewer.ngl import FrameStream
from app.viewer.selection import COLOURINGS, describe_atom, in_words, measured, motif_in_words

#: Icons are black on any background otherwise.
TINT = {"color": "primary.main", "& .MuiIconButton-root": {"color": "primary.main"}}


#: What to do on a new page.
STEPS = """<ol class="steps">
<li><b>Upload</b> a measured spectrum, or choose a target.</li>
<li><b>Check</b> it: <i>Prepare…</i> shows what was done, <i>Reach</i> whether this density can have it.</li>
<li>Then press Start, and watch.</li>
</ol>
New here? <i>Example</i> above opens a finished run, <i>?</i> explains the words."""

#: What the menu of the view offers, and how to look at all frames then.
VIEWS: dict[str, dict[str, Any]] = {
    "Perspective": {"orthographic": False},
    "Orthographic": {"orthographic": True},
    "Axes": {"axes": True},
    "No axes": {"axes": False},
    "One cell": {"repeat": [1, 1, 1]},
    "2 × 2 × 2 cells": {"repeat": [2, 2, 2]},
    "3 × 3 × 1 cells": {"repeat": [3, 3, 1]},
    "Slab, on or off": {"slab": [0, 1]},
}
#: A slab that is all of it.
WHOLE = [0, 1]


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
        self.note.object = html.escape(self.problem) or STEPS
        self.key = pn.pane.HTML("", margin=0, stylesheets=[STYLE], css_classes=["acgen-key"])
        self.picked = pn.pane.HTML("", visible=False, margin=0, stylesheets=[STYLE], css_classes=["acgen-picked"])
        if self.stream is not None:
            self.stream.picked = self._pick
            self.stream.set_up = lambda: self._show(None)
            self.stream.turned = lambda: state.param.update(view=self.stream.how)
        self._more: tuple[int, ...] = ()  # atoms that are measured from the picked one on
        self._atoms = 0  # of what is on display
        self.slab = pmui.RangeSlider(
            label="Slab along c (%)", start=0, end=100, value=(0, 100), step=1, visible=False, size="small",
            sizing_mode="stretch_width", margin=(0, 24), css_classes=["acgen-slab"],
        )
        self.slab.param.watch(lambda event: self._look(slab=[end / 100 for end in event.new]), "value")
        state.param.watch(self._show, ["shown", "atom", "energies", "motif"])
        state.param.watch(self._theme, "dark")
        state.param.watch(self._come_back, "view")
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
        self._atoms = len(shown.atoms)
        atom = self.state.atom if self.state.atom is not None and self.state.atom < self._atoms else None
        self._more = () if atom is None else tuple(one for one in self._more if one < self._atoms)
        marked = () if atom is None else (atom, *self._more)
        colouring = by_coordination(shown.coordination)
        if self.state.energies is not None and shown.site_spectra is not None:
            colouring = by_share(shares(shown.seen_sites, self.state.energies))
        elif self.state.motif is not None and (found := shown.motif(self.state.motif)) is not None:
            colouring = by_motif(self._atoms, found)
        self.stream.show(shown.atoms.positions, shown.bonds, shown.atoms.cell.array, colouring, marked)
        self._explain()
        text = "" if atom is None else describe_atom(shown, atom, self.state.energies)
        if atom is not None:
            text += f"<br>{measured(shown, marked) if self._more else 'Shift-click others: distance, angle'}"
        if text != self.picked.object:
            self.picked.param.update(object=text, visible=bool(text))

    def _pick(self, atom: int | None, more: bool = False) -> None:
        """An atom was clicked, or the room between them; a second click lets it go, one with Shift measures from it."""
        known = isinstance(atom, int) and 0 <= atom < self._atoms
        first = self.state.atom
        if more and known and first is not None and atom != first:
            others = tuple(one for one in self._more if one != atom)
            self._more = others if atom in self._more else (*others, atom)[-2:]
            self._show(None)
            return
        self._more = ()
        self.state.atom = atom if known and atom != first else None

    def _look(self, **how: Any) -> None:
        if self.stream is not None:
            self.stream.look(**how)
            self.state.view = self.stream.how

    def _come_back(self, event: param.parameterized.Event) -> None:
        """Look at it as another page did."""
        if self.stream is None or event.new == self.stream.how:
            return
        low, high = event.new.get("slab", WHOLE)
        self.slab.param.update(value=(round(100 * low), round(100 * high)), visible=[low, high] != WHOLE)
        self._look(**event.new)

    def _turn(self, item: dict[str, Any]) -> None:
        """Something of the view's menu was chosen."""
        how = VIEWS[item["label"]]
        if "slab" in how:
            self.slab.visible = not self.slab.visible
            self._look(slab=[end / 100 for end in self.slab.value] if self.slab.visible else WHOLE)
        else:
            self._look(**how)

    def _explain(self) -> None:
        """Say what the colours mean."""
        energies, motif, shown = self.state.energies, self.state.motif, self.state.shown
        if motif is not None and shown is not None:
            text = motif_in_words(shown, motif)
            if shown.motif(motif) is not None:
                text = swatch(colours.MOTIF, text, "dot") + swatch(colours.OTHERS, "others", "dot")
        elif energies is None:
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
            items=[{"label": name} for name in COLOURINGS],
            variant="text",
            size="small",
            margin=0,
            on_click=lambda item: self.state.param.update(**COLOURINGS[item["label"]]),
            description="Colour atoms by coordination, what they absorb, rings or chains; drag over the spectrum for "
            "another range",
            css_classes=["acgen-colour"],
            sx=MENU,
        )
        view = pmui.MenuButton(
            label="",
            icon="view_in_ar",
            items=[{"label": name} for name in VIEWS],
            variant="text",
            size="small",
            margin=0,
            disabled=stream is None,
            on_click=self._turn,
            description="Projection, axes, periodic images, a slab",
            css_classes=["acgen-view"],
            sx=MENU,
        )
        canvas = [] if stream is None else [stream.pane]
        top = heading("Structure", self.key, pn.Row(colour, view, *buttons, margin=0))
        return card(top, *canvas, self.slab, self.picked, self.note, *self.below)


def _button(icon: str, description: str, action: Callable[[], None]) -> pmui.IconButton:
    return pmui.IconButton(
        icon=icon, description=description, size="small", margin=0, sx=TINT, on_click=lambda _event: action()
    )
