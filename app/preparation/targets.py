"""The targets of a session as a list: rename, merge, delete."""

from __future__ import annotations

import itertools
from dataclasses import replace

import panel as pn
import panel_material_ui as pmui

from acgen.errors import AcgenError
from acgen.spectra.merge import merge
from acgen.spectra.spectrum import Target
from app.look.css import STYLE
from app.look.notice import Notice
from app.preparation.choices import Preparation
from app.preparation.chooser import BOX
from app.session.state import State
from app.session.uploads import label_of

BUTTON = {"size": "small", "variant": "outlined", "margin": (4, 4)}


class TargetsDialog(pn.viewable.Viewer):
    """Lists the targets that this session has added; what is ticked can be renamed, merged or deleted.

    Parameters
    ----------
    state
        Has the targets.
    preparation
        Keeps the files that they were made of.
    """

    def __init__(self, state: State, preparation: Preparation, **params):
        super().__init__(**params)
        self.state, self.preparation = state, preparation
        self.button = pmui.IconButton(
            icon="list", size="small", margin=(10, 12, 0, 0), on_click=lambda _event: self.open(),
            css_classes=["acgen-targets"], description="Your targets: rename, merge scans, delete",
        )
        self.ticked = pmui.CheckBoxGroup(label="Your targets", options={}, margin=(0, 8), **BOX)
        self.empty = pn.pane.HTML(
            "Spectra that you upload are listed here.", margin=(4, 8), stylesheets=[STYLE], css_classes=["acgen-small"]
        )
        self.new_name = pmui.TextInput(label="Name", size="small", margin=(4, 4), width=260)
        self.rename = pmui.Button(label="Rename", on_click=lambda _event: self._try(self._rename), **BUTTON)
        self.merge = pmui.Button(
            label="Merge", on_click=lambda _event: self._try(self._merge), **BUTTON,
            description="The mean of the scans that are ticked, as a target of its own; their spread becomes its noise",
        )
        self.delete = pmui.Button(label="Delete", on_click=lambda _event: self._try(self._delete), **BUTTON)
        self.message = Notice(margin=(4, 4))
        self.dialog = pmui.Dialog(
            pn.Column(
                self.empty, self.ticked, self.message, pn.Row(self.new_name, self.rename, margin=0),
                pn.Row(self.merge, self.delete, margin=0), margin=0, sizing_mode="stretch_width",
            ),
            title="Targets", title_variant="subtitle1", show_close_button=True, close_on_click=True,
        )
        self.ticked.param.watch(lambda _event: self._allow(), "value")
        state.param.watch(lambda _event: self.refresh(), "targets")
        self.refresh()

    def open(self) -> None:
        """Show the list."""
        self.message.hide()
        self.refresh()
        self.dialog.open = True

    def refresh(self) -> None:
        """List what there is; what was ticked stays ticked."""
        own = self.state.own_targets
        kept = [name for name in self.ticked.value if name in own]
        self.ticked.param.update(options={_described(target): name for name, target in own.items()}, value=kept)
        self.empty.visible, self.ticked.visible = not own, bool(own)
        self._allow()

    def _allow(self) -> None:
        """What can be done with what is ticked."""
        ticked = self.ticked.value
        self.rename.disabled = self.new_name.disabled = len(ticked) != 1
        self.merge.disabled, self.delete.disabled = len(ticked) < 2, not ticked
        self.new_name.value = ticked[0] if len(ticked) == 1 else ""

    def _try(self, action) -> None:
        try:
            action()
        except AcgenError as error:
            self.message.say(f"{error}.")
        else:
            self.message.hide()

    def _rename(self) -> None:
        (name,), new = self.ticked.value, label_of(self.new_name.value) if self.new_name.value.strip() else ""
        self.state.rename_target(name, new)
        self.preparation.renamed(name, new)
        self.ticked.value = [new]

    def _merge(self) -> None:
        own = self.state.own_targets
        made = merge([own[name] for name in self.ticked.value])
        taken = (f"{made.name}, {number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain([made.name], taken) if name not in self.state.targets)
        made = replace(made, name=name)
        self.state.add_target(made)
        self.ticked.value = [made.name]

    def _delete(self) -> None:
        gone = list(self.ticked.value)
        self.state.drop_targets(gone)
        for name in gone:
            self.preparation.forget(name)

    def __panel__(self):
        return self.dialog


def _described(target: Target) -> str:
    """A line of the list; names of targets differ, and so do their lines."""
    parts = [target.name, f"{int(target.mask.sum())} points"]
    parts += [f"shifted {target.calibration + target.shift:+.2f} eV"] if target.calibration + target.shift else []
    parts += [f"{len(target.warnings)} warning{'s' * (len(target.warnings) > 1)}"] if target.warnings else []
    return " · ".join(parts)
