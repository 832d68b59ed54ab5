"""Widgets that choose a file and what to take of it."""

from __future__ import annotations

import html

import panel as pn
import panel_material_ui as pmui
import param

from app.look.css import STYLE
from app.look.notice import Notice
from app.preparation.choices import Preparation
from app.preparation.pick import Pick
from app.session.uploads import MAX_SPECTRUM_BYTES, BoundedInput

FIELD = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 4)}
#: In a dialog the words beside a box have no colour of their own.
BOX = {"size": "small"}


def spectrum_input(label: str, **options) -> BoundedInput:
    """A button for one spectrum file."""
    return BoundedInput(
        label=label,
        uploaded_label=label,
        most=MAX_SPECTRUM_BYTES,
        size="small",
        variant="outlined",
        sizing_mode="stretch_width",
        **options,
    )


class Chooser(pn.viewable.Viewer):
    """A file of a preparation, and its columns.

    Parameters
    ----------
    preparation, kind
        Whose file: `sample`, `i0` or `reference`.
    label, description
        Of the button.
    """

    def __init__(self, preparation: Preparation, kind: str, label: str, description: str, **params):
        super().__init__(**params)
        self.preparation, self.kind = preparation, kind
        self.pick: Pick = preparation.picks[kind]
        self.file = spectrum_input(label, description=description, margin=(4, 4), css_classes=[f"acgen-{kind}-file"])
        self.name_of_file = pn.pane.HTML("", margin=(2, 6), stylesheets=[STYLE], css_classes=["acgen-small"])
        self.drop = pmui.IconButton(
            icon="close", size="small", margin=0, description="Do without this file", visible=False,
            on_click=lambda _event: preparation.take(kind, None),
        )
        self.message = Notice(margin=(4, 4))
        self.selects = {
            name: pmui.Select(
                label=self.pick.param[name].label, description=self.pick.param[name].doc,
                css_classes=[f"acgen-{kind}-{name}"], **FIELD,
            )
            for name in ("item", "energy", "numerator", "denominator")
        }
        for name, select in self.selects.items():
            select.param.watch(lambda event, name=name: self.pick.param.update(**{name: event.new}), "value")
        self.log, self.sign = (
            pmui.Checkbox.from_param(each, margin=(0, 2), **BOX)
            for each in (self.pick.param.negative_log, self.pick.param.negate)
        )
        self.signs = pn.Row(
            self.log, self.sign, margin=0, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"}
        )
        self.file.param.watch(self._uploaded, "value")
        self.file.param.watch(self._refused, "refused")
        self.pick.param.watch(self._arrange, ["source", *self.selects])
        self._arrange()

    def _uploaded(self, event: param.parameterized.Event) -> None:
        if event.new is None:
            return
        data, name = event.new, self.file.filename or ""
        self.file.param.update(value=None, filename=None, mime_type=None)
        self.preparation.open(self.kind, data, name, lambda source, reason: self._said(reason))

    def _refused(self, event: param.parameterized.Event) -> None:
        if event.new:
            self._said(event.new)

    def _said(self, reason: str) -> None:
        if reason:
            self.message.say(f"Not taken: {reason}. All stays as it was.")
        else:
            self.message.hide()

    def _arrange(self, *_events) -> None:
        """Show what there is to choose."""
        source = self.pick.source
        self.name_of_file.object = "" if source is None else html.escape(f"{source.name} · {source.contents.format}")
        self.drop.visible = source is not None and self.kind != "sample"
        columns = len(self.pick.numbers)
        shown = {"item": source is not None and len(source.contents.items) > 1, "denominator": columns > 2}
        for name, select in self.selects.items():
            value = getattr(self.pick, name)
            stays = select.value == value
            # Options and value at once: in between, a value that is no option would be replaced, and sent back.
            select.param.update(
                options=self.pick.param[name].get_range(), value=value,
                visible=shown.get(name, columns > 0),
            )
            if stays:
                select.param.trigger("value")  # column 1 of another file has another name: the browser is to be told
        self.signs.visible = columns > 0

    def __panel__(self):
        return pn.Column(
            pn.Row(self.file, self.drop, margin=0, sizing_mode="stretch_width", styles={"align-items": "center"}),
            self.name_of_file,
            self.message,
            *self.selects.values(),
            self.signs,
            margin=0,
            sizing_mode="stretch_width",
        )

