"""The target against the predicted spectra of the structures on display, and what is left between them."""

from __future__ import annotations

import functools

import numpy as np
from bokeh.events import DoubleTap, SelectionGeometry
from bokeh.models import BoxAnnotation, BoxSelectTool, BoxZoomTool, CustomJS

from acgen.results.sheet import Curve, Sheet, sheet_figure
from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from app.look import colours
from app.session.drawing import ATOM, BAND, CHECK, MEAN, TARGET
from app.views.curve_buttons import CurveButtons, in_html
from app.views.plot import LivePlot, between
from app.views.spectra import NOTHING, Spectra, spectra_of

AXES = ("Photon energy (eV)", "Absorption (arb. units)")
#: Along y of the derivatives.
SLOPE = "dA/dE (arb. units / eV)"
BORDER = 70
RANGE = (ENERGY[0], ENERGY[-1])
#: Curves that have a line of their own in the figure; all others are in one list.
OWN = (TARGET, MEAN, ATOM)
#: Other units along y: a height that was zoomed to means nothing any more, the range of energies stays.
FIT_HEIGHT = "const {start, end} = plot.x_range; plot.reset.emit(); plot.x_range.setv({start, end})"


class EnergyPlot(LivePlot):
    """A plot over photon energy of the spectra on display, as `State.drawing` wants them."""

    limits = (RANGE, (None, None))
    border = BORDER
    _known: tuple[tuple, Spectra] | None = None  # a source and its curves

    def source(self):
        state, drawing = self.state, self.state.drawing
        known = state.shown is not None and state.shown.site_spectra is not None
        return (
            target_of(state), state.compared, state.atom if known else None, state.plain, state.targets,
            drawing.overlaid, drawing.derivative, drawing.offset, drawing.hidden, drawing.minuend, drawing.subtrahend,
            state.check_of(state.chosen[0]) if state.chosen else None,
        )

    def pane(self):
        made = super().pane()
        self.figure.add_tools(BoxZoomTool(description="Zoom: drag over a part of the plot"))
        self.figure.yaxis[0].js_on_change("axis_label", CustomJS(args={"plot": self.figure}, code=FIT_HEIGHT))
        return made

    @property
    def spectra(self) -> Spectra:
        """The curves that there are."""
        source = self.source()
        if self._known is None or any(one is not other for one, other in zip(source, self._known[0], strict=True)):
            target, compared, atom, plain, targets, overlaid, derivative, *_rest, checked = source
            further = {name: targets[name] for name in overlaid if targets.get(name) is not None}
            self._known = source, spectra_of(target, compared, atom, plain, further, derivative, checked)
        return self._known[1]

    @property
    def difference(self) -> Curve:
        """What stands below the spectrum: target minus mean prediction, or the two curves that were chosen."""
        drawing, spectra = self.state.drawing, self.spectra
        first, second = drawing.minuend, drawing.subtrahend
        left = spectra.values(first) - spectra.values(second)
        if (first, second) == (TARGET, MEAN):
            spread = spectra.curves[MEAN].spread if MEAN in spectra.curves else None
            return Curve("Residual", ENERGY, left, colours.PREDICTION, 1.5, spread=spread)
        names = [spectra.curves[key].name if key in spectra.curves else key for key in (first, second)]
        return Curve(" − ".join(names), ENERGY, left, colours.PREDICTION, 1.5)

    @property
    def _spread(self) -> str:
        """What the band around the prediction is called in tables."""
        return "prediction_std" if len(self.state.compared) > 1 else "prediction_error"

    @property
    def label(self) -> str:
        """What is along y now, with its unit."""
        raise NotImplementedError

    def redraw(self, data):
        super().redraw(data)
        if self.figure.yaxis[0].axis_label != self.label:
            self.figure.yaxis[0].axis_label = self.label

    def forget(self):
        super().forget()
        self._known = None


class SpectrumView(EnergyPlot):
    """Target and prediction over photon energy; the target is missing where it was not measured.

    The band is the standard deviation over the candidates that are compared; of a single one and of an atom, what the
    network that predicts it errs by on networks of atoms that it has not seen.
    """

    title = "C K-edge spectrum"
    axes = AXES

    def refresh(self) -> bool:
        """As of every plot, and the range of energies that was chosen."""
        self._mark()
        return super().refresh()

    def build(self):
        self.band("band", colours.PREDICTION)
        self.band("check", colours.CHECK)
        self.band("atom", colours.MARK)
        self.curve("curves", TARGET, color=colours.TARGET, line_width=4)
        self.curves("each", color="colour", alpha=0.85, line_width="width", line_dash={"field": "dash"})
        self.curve("curves", MEAN, color=colours.PREDICTION, line_width=2)
        self.curve("curves", ATOM, color=colours.MARK, line_width=1.5)
        drawn = {line.name: line for line in self.figure.renderers}
        names = {key: curve.name for key, curve in self.spectra.curves.items()}
        self._hovers = {key: self.hover(drawn[key], hovered(names.get(key, key))) for key in OWN}
        self.hover(drawn["each"], hovered("@name"))
        self._choose()

    def _choose(self) -> None:
        """Let a drag over the plot choose energies, unless it is to move or zoom, and a double click no longer."""
        drag = BoxSelectTool(dimensions="width", renderers=[], description="Choose energies: colour the atoms by them")
        self.figure.add_tools(drag)
        self.figure.toolbar.active_drag = drag
        self.figure.on_event(SelectionGeometry, self._drag)
        self.figure.on_event(DoubleTap, lambda _event: setattr(self.state, "energies", None))
        self._chosen = BoxAnnotation(
            fill_color=colours.MARK, fill_alpha=0.15, line_color=None, visible=False, level="underlay"
        )
        self.figure.add_layout(self._chosen)
        self._mark()

    def _drag(self, event: SelectionGeometry) -> None:
        low, high = (float(np.clip(event.geometry[end], *RANGE)) for end in ("x0", "x1"))
        if event.final and event.geometry["type"] == "rect" and high > low:
            self.state.energies = (low, high)

    def _mark(self) -> None:
        energies = self.state.energies
        if energies is None:
            self._chosen.visible = False
        else:
            self._chosen.update(left=energies[0], right=energies[1], visible=True)

    @property
    def curves_drawn(self) -> dict[str, Curve]:
        """What is seen of them, moved apart."""
        return self.spectra.drawn(tuple(self.state.drawing.hidden), self.state.drawing.offset)

    def columns(self, data):
        seen = self.curves_drawn
        mean, each = seen.get(MEAN), [curve for key, curve in seen.items() if key not in OWN]
        own = {key: seen[key].values if key in seen else NOTHING for key in OWN}
        return {
            "band": banded(mean),
            "check": banded(seen.get(CHECK)),
            "atom": banded(seen.get(ATOM)),
            "each": {
                "xs": [ENERGY] * len(each),
                "ys": [curve.values for curve in each],
                "name": [curve.name for curve in each],
                "colour": [curve.colour for curve in each],
                "width": [curve.width for curve in each],
                "dash": ["dashed" if curve.dashed else "solid" for curve in each],
            },
            "curves": {"x": ENERGY} | own,
        }

    @property
    def label(self):
        drawing = self.state.drawing
        label = SLOPE if drawing.derivative else AXES[1]
        return f"{label}, each + {drawing.offset:g}" if drawing.offset and self.spectra.overlaid else label

    def table(self):
        columns = {}
        for key, curve in self.spectra.drawn(tuple(self.state.drawing.hidden), 0.0).items():
            columns[{MEAN: "prediction_mean", ATOM: curve.name}.get(key, key)] = curve.values
            if curve.spread is not None:
                columns[self._spread if key == MEAN else f"{key} error"] = curve.spread
        columns["residual"] = self.spectra.values(TARGET) - self.spectra.values(MEAN)
        what = "d/dE of " if self.state.drawing.derivative else ""
        return {"energy_eV": ENERGY} | {f"{what}{name}": values for name, values in columns.items()}

    def empty(self):
        target, compared, *_rest = self.source()
        if target is not None or any(shown.prediction is not None for shown in compared):
            return ""
        if not compared:
            return "Choose a target spectrum, or press Start for structures without guidance"
        return "Nothing guides this run: each finished candidate gets its predicted spectrum"

    def paper(self):
        below = self.difference
        labels = (AXES[0], self.label)
        curves = tuple(self.curves_drawn.values())
        sheet = Sheet(curves, labels, RANGE, below=(below,), below_label=below.name)
        return functools.partial(sheet_figure, sheet)

    def entries(self) -> list[dict[str, str]]:
        """What the legend says, for `app.views.curve_buttons.CurveButtons`."""
        found = []
        for key, curve in self.spectra.curves.items():
            kind = "dashed" if curve.dashed else "line"
            found.append({"key": key, "name": curve.name, "colour": curve.colour, "kind": kind})
            if curve.spread is not None and key == MEAN:
                told = "± std" if len(self.state.compared) > 1 else "± model error"
                found.append({"key": BAND, "name": told, "colour": curve.colour, "kind": "band"})
        return found

    def legend(self):
        return in_html(self.entries())

    def describe(self):
        key = CurveButtons(entries=self.entries(), hidden=self.state.drawing.hidden)
        key.link(self.state.drawing, hidden="hidden", bidirectional=True)
        return key

    def describe_again(self):
        if (entries := self.entries()) != self.key.entries:
            self.key.entries = entries
            for key, tool in self._hovers.items():
                if key in self.spectra.curves:
                    tool.tooltips = hovered(self.spectra.curves[key].name)


class ResidualView(EnergyPlot):
    """Target minus mean prediction, with the same band, or the difference of any two curves, on the same energies."""

    title = "Residual spectrum"
    axes = (AXES[0], "Residual")
    ticks = (None, 3)

    def build(self):
        self.band("band", colours.PREDICTION)
        self.curve("zero", color=colours.TARGET, line_width=2)  # a curve, so that there are axes before a residual
        self.curve("curves", "residual", color=colours.PREDICTION, line_width=1.5)
        self.hover(self.figure.renderers[-1], hovered("residual"))

    def columns(self, data):
        curve = self.difference
        return {
            "band": banded(curve),
            "zero": {"x": ENERGY, "y": np.zeros(ENERGY.size)},
            "curves": {"x": ENERGY, "residual": curve.values},
        }

    @property
    def label(self):
        return self.difference.name

    def table(self):
        curve = self.difference
        return {"energy_eV": ENERGY, curve.name.lower(): curve.values} | (
            {} if curve.spread is None else {self._spread: curve.spread}
        )


def hovered(name: str) -> list[tuple[str, str]]:
    """What is said of the point of a curve under the pointer."""
    return [("Curve", name), ("Energy", "$snap_x{0.0} eV"), ("Value", "$snap_y{0.0000}")]


def banded(curve: Curve | None) -> dict[str, list[np.ndarray]]:
    """Outlines of the band around a curve, if there is one."""
    if curve is None or curve.spread is None:
        return {"xs": [], "ys": []}
    return between(ENERGY, curve.values - curve.spread, curve.values + curve.spread)


def target_of(state) -> Target | None:
    """The target of the structures on display; before the first, the one that is chosen."""
    settings = state.snapshot.settings
    chosen = state.chosen
    if chosen:
        return chosen[0].settings.target
    if state.shown is None or settings is None or not state.snapshot.status.active:
        return state.target
    return settings.target
