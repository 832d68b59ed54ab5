"""A menu of beamlines: choose one, save the settings as one, calibrate it on graphite or diamond."""

from __future__ import annotations

import html
import json
from typing import Any

import panel as pn
import panel_material_ui as pmui

from acgen.errors import AcgenError
from acgen.spectra.references import CRYSTALS
from app.look.css import STYLE
from app.look.notice import Notice
from app.preparation.choices import Preparation
from app.preparation.chooser import FIELD
from app.session.state import State
from app.session.uploads import label_of
from app.views.save import Saver

NO_BEAMLINE = "none"
SAVE, DOWNLOAD, REMOVE = "Save as…", "Download (JSON)", "Remove"
CALIBRATE = {f"Calibrate on {crystal}": crystal for crystal in reversed(CRYSTALS)}
BUTTON = {"size": "small", "variant": "outlined", "margin": (4, 4)}


class BeamlineMenu(pn.viewable.Viewer):
    """The beamlines of a session, of which one says how a file is prepared.

    Parameters
    ----------
    state
        Has the beamlines by name.
    preparation
        Whose settings they are.
    saver
        Hands a beamline to the browser.
    """

    def __init__(self, state: State, preparation: Preparation, saver: Saver, **params):
        super().__init__(**params)
        self.state, self.preparation, self.saver = state, preparation, saver
        self._known: dict[str, Any] = {}  # what a calibration has found that is not saved yet
        self.choice = pmui.Select(
            label="Beamline", options=[NO_BEAMLINE], value=NO_BEAMLINE, css_classes=["acgen-beamline"],
            description="Energy axis, columns, background, slope and scale as saved under a name", **FIELD,
        )
        self.menu = pmui.MenuButton(
            label="", icon="more_vert", items=[{"label": name} for name in (SAVE, *CALIBRATE, DOWNLOAD, REMOVE)],
            on_click=lambda item: self._do(item["label"]), css_classes=["acgen-beamline-menu"],
            description="Save the settings under a name; with your scan of graphite or diamond as the measurement, "
            "calibrate the beamline on it", **(BUTTON | {"variant": "text"}), sx={"minWidth": "32px", "px": "4px"},
        )
        self.name_of = pmui.TextInput(label="Name of the beamline", **FIELD)
        self.save = pmui.Button(label="Save", on_click=lambda _event: self._try(self._save), **BUTTON)
        self.found = pn.pane.HTML("", margin=(0, 6), stylesheets=[STYLE], css_classes=["acgen-small"])
        self.message = Notice(margin=(4, 4))
        self.naming = pn.Column(
            self.found, pn.Row(self.name_of, self.save, margin=0, sizing_mode="stretch_width"),
            visible=False, margin=0, sizing_mode="stretch_width",
        )
        self.choice.param.watch(self._chosen, "value")
        preparation.param.watch(lambda *_events: self._refresh(), "beamline")
        state.param.watch(lambda *_events: self._refresh(), "beamlines")
        self._refresh()

    def _refresh(self) -> None:
        """Offer what there is, that of the settings among it."""
        now = self.preparation.beamline
        name = NO_BEAMLINE if now is None else now.name
        names = list(dict.fromkeys([NO_BEAMLINE, *self.state.beamlines, name]))
        self.choice.param.update(options=names, value=name)

    def _chosen(self, event) -> None:
        now = self.preparation.beamline
        if event.new == (NO_BEAMLINE if now is None else now.name):
            return
        if event.new in self.state.beamlines:
            self._try(lambda: self.preparation.use(self.state.beamlines[event.new]))
        else:
            self.preparation.beamline = None
        self._refresh()

    def _try(self, action) -> None:
        try:
            action()
        except AcgenError as error:
            self.message.say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        else:
            self.message.hide()

    def _do(self, what: str) -> None:
        self._try({SAVE: self._ask, DOWNLOAD: self._download, REMOVE: self._remove}.get(what, lambda: self._fit(what)))

    def _ask(self, found: dict[str, Any] | None = None) -> None:
        """Ask for a name; the settings are checked first."""
        now = self.preparation.beamline
        self._known = found or {}
        profile = self.preparation.as_beamline("beamline", self._known)
        self.found.object = html.escape(profile.energies)
        self.name_of.value = "" if now is None else now.name
        self.naming.visible = True

    def _fit(self, what: str) -> None:
        self._ask(self.preparation.calibrate(CALIBRATE[what]))

    def _save(self) -> None:
        """Keep the settings under the name, and choose them."""
        name = label_of(self.name_of.value) if self.name_of.value.strip() else ""
        if name in ("", NO_BEAMLINE):
            raise AcgenError("a beamline needs a name: give one")
        profile = self.preparation.as_beamline(name, self._known)
        self.state.beamlines = self.state.beamlines | {name: profile}
        self.preparation.use(profile)
        self.naming.visible = False

    def _download(self) -> None:
        profile = self.preparation.beamline
        if profile is None:
            raise AcgenError("choose a beamline, or save one, to download it")
        self.saver.text(f"{label_of(profile.name)}.json", json.dumps(profile.to_dict(), indent=1) + "\n")

    def _remove(self) -> None:
        """Forget the beamline that is chosen; the settings stay."""
        profile = self.preparation.beamline
        if profile is None:
            raise AcgenError("choose the beamline to remove")
        self.preparation.beamline = None
        self.state.beamlines = {name: each for name, each in self.state.beamlines.items() if name != profile.name}

    def __panel__(self):
        return pn.Column(
            pn.Row(self.choice, self.menu, margin=0, sizing_mode="stretch_width", styles={"align-items": "center"}),
            self.naming, self.message, margin=0, sizing_mode="stretch_width",
        )
