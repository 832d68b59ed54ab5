"""The two plots of the preparation panel: what was measured, and the target that comes of it."""

from __future__ import annotations

import numpy as np
import panel as pn
import param
from bokeh.models import BoxAnnotation

from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.instrument import Instrument
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from app.look import colours
from app.look.card import entries, swatch
from app.look.css import STYLE
from app.preparation.choices import Preparation
from app.views.plot import LivePlot, between
from app.views.save import Saver
from app.views.spectra import measured_of
from app.views.spectrum import AXES

#: Energies around the carbon edge that are drawn, eV, if the measurement has any there.
WINDOW = (264.0, 330.0)
#: The ranges that decide about background and scale, with their colours.
RANGES = {"pre_range": colours.CN[3], "post_range": colours.CN[4]}
#: A range that is dragged is as fine as this, and as wide at least, eV.
FINE, NARROW = 0.1, 1.0
NEAREST, NOTHING = "nearest reference", "nothing"
HOLLOW = (np.array([np.nan]), np.array([np.nan]))


class Note(pn.pane.HTML):
    """A note that is seen as far as it says something: what a closed dialog holds cannot be made visible."""

    _rename = {"visible": None}
    _stylesheets = [*pn.pane.HTML._stylesheets, "div:empty { display: none; }"]


class Comparison(param.Parameterized):
    """The reference that is drawn with the target, as an instrument would see it."""

    against = param.Selector(
        default=NEAREST,
        objects=[NEAREST, *builtin_targets(), NOTHING],
        label="Compare with",
        doc="A shipped spectrum to draw beside the target; the target does not depend on it.",
    )
    sigma = param.Number(
        0.0,
        bounds=(0.0, 0.5),
        step=0.01,
        label="Its broadening σ (eV)",
        doc="Gaussian broadening of the reference that is drawn, beyond the 0.2 eV of the model spectra. Resolution "
        "belongs on what is predicted; the measurement is never sharpened.",
    )

    def found(self, target: Target) -> tuple[str, np.ndarray | None]:
        """Name and spectrum, (100,), of what to compare with."""
        if self.against == NOTHING:
            return "", None
        names = list(builtin_targets()) if self.against == NEAREST else [self.against]
        seen = Instrument(sigma=self.sigma)
        spectra = {name: seen.apply(builtin_targets()[name].intensity) for name in names}
        name = min(spectra, key=lambda name: target.misfit(spectra[name]))
        return name, spectra[name]


class _Plot(LivePlot):
    """A plot of the panel, whose legend wraps in its narrow heading."""

    def __init__(self, preparation: Preparation, saver: Saver, **params):
        super().__init__(preparation, saver, **params)
        self.note = Note(self.empty(), margin=0, stylesheets=[STYLE], css_classes=["acgen-empty"])

    def describe(self):
        return pn.pane.HTML(self.legend(), margin=0, stylesheets=[STYLE], css_classes=["acgen-key", "acgen-wrap"])


class BeforePlot(_Plot):
    """The measured curve with its background and the ranges that decide about it and about scale, to be dragged."""

    title = "Measured"
    axes = ("Photon energy as measured (eV)", "Signal as measured")
    border = 62
    #: Whether a box is moved by the page rather than by the user.
    _own = False

    def source(self):
        return self.state.prepared, self.state.problem

    def build(self):
        self.windows = {name: self._window(name, colour) for name, colour in RANGES.items()}
        self._place()
        self.curve("curve", color=colours.TARGET, line_width=2, hover=True)
        self.curve("background", color=colours.PREDICTION, line_width=2, line_dash="dashed")

    def columns(self, data):
        prepared = data[0]
        measured = None if prepared is None else prepared.measured
        if measured is None:
            nothing: dict[str, list[float]] = {"x": [], "y": []}
            return {"curve": nothing, "background": nothing}
        energy, signal = measured.energy, measured.intensity
        seen = (energy >= WINDOW[0]) & (energy <= WINDOW[1])
        if seen.any():
            energy, signal = energy[seen], signal[seen]
        points, values = prepared.pre_edge() or HOLLOW
        inside = (points >= energy[0]) & (points <= energy[-1])
        background = {"x": points[inside], "y": values[inside]}
        return {"curve": {"x": energy, "y": signal}, "background": background}

    def redraw(self, data):
        super().redraw(data)
        self._place()

    def _window(self, name: str, colour: str) -> BoxAnnotation:
        """A range as a box whose sides can be dragged, or all of it."""
        low, high = PI_STAR + np.array(getattr(self.state, name))
        box = BoxAnnotation(
            name=name,
            left=float(low),
            right=float(high),
            fill_color=colour,
            fill_alpha=0.2,
            line_color=colour,
            line_alpha=0.6,
            hover_fill_color=colour,
            hover_fill_alpha=0.35,
            editable=True,
            resizable="x",
            movable="x",
            min_width=NARROW,
            visible=False,
        )
        for side in ("left", "right"):
            box.on_change(side, lambda _attr, _old, _new, name=name: self._dragged(name))
        self.figure.add_layout(box)
        return box

    def _place(self) -> None:
        """Put the boxes where the ranges are, unless they are there but for what is rounded away."""
        prepared = self._drawn[0] if self._drawn else None
        for name, box in self.windows.items():
            box.visible = prepared is not None and prepared.measured is not None
            if box.visible:
                ends = PI_STAR - prepared.shift + np.array(getattr(self.state, name))
                if np.abs(ends - [box.left, box.right]).max() > FINE:
                    self._own = True
                    box.update(left=float(ends[0]), right=float(ends[1]))
                    self._own = False

    def _dragged(self, name: str) -> None:
        """Take a range from its box."""
        prepared, box = self.state.prepared, self.windows[name]
        if self._own or prepared is None:
            return
        limits = self.state.param[name].bounds
        ends = np.clip(np.array([box.left, box.right]) + prepared.shift - PI_STAR, *limits)
        low, high = (round(float(end), 1) for end in ends)
        if high - low >= NARROW:
            setattr(self.state, name, (low, high))
        self._place()  # where the range is, if the box is beyond its limits

    def table(self):
        prepared = self.state.prepared
        measured = None if prepared is None else prepared.measured
        return {} if measured is None else {"energy_eV": measured.energy, "signal": measured.intensity}

    def empty(self):
        if self.state.prepared is None or self.state.prepared.measured is None:
            return self.state.problem or "choose a file"
        return ""

    def legend(self):
        prepared = self.state.prepared
        if prepared is None or prepared.measured is None:
            return ""
        parts = [swatch(colours.CN[3], "pre-edge", "band"), swatch(colours.CN[4], "post-edge", "band")]
        if prepared.pre_edge() is not None:
            parts.insert(0, swatch(colours.PREDICTION, "background"))
        return entries(parts)


class AfterPlot(_Plot):
    """The target on the grid where it was measured, its noise, what the other scale would make of it, a reference."""

    title = "Target"
    axes = AXES
    limits = ((ENERGY[0], ENERGY[-1]), (None, None))
    border = 52

    def __init__(self, preparation: Preparation, comparison: Comparison, saver: Saver, **params):
        self.comparison = comparison
        super().__init__(preparation, saver, **params)

    @property
    def target(self) -> Target | None:
        """What is drawn."""
        return None if self.state.prepared is None else self.state.prepared.target

    def source(self):
        return self.target, self.comparison.against, float(self.comparison.sigma)

    def build(self):
        self.band("missing", colours.TARGET)
        self.curve("curves", "other", color=colours.CN[4], line_width=1)
        self.curve("curves", "known", color=colours.PREDICTION, line_width=1.5, hover=True)
        self.curve("curves", "target", color=colours.TARGET, line_width=3, hover=True)
        self.figure.scatter("x", "y", source=self.data["points"], size=3, color=colours.TEXT)
        self.band("noise", colours.CN[3])

    def columns(self, data):
        target = data[0]
        nothing = np.full(ENERGY.size, np.nan)
        if target is None:
            empty: dict[str, list[float]] = {"xs": [], "ys": []}
            curves = {name: nothing for name in ("other", "known", "target")}
            points: dict[str, list[float]] = {"x": [], "y": []}
            return {"missing": empty, "noise": empty, "points": points, "curves": {"x": ENERGY} | curves}
        values = measured_of(target)
        noise = nothing if target.noise is None else 2 * target.noise
        other = nothing if target.sensitivity is None else values * (1 + target.sensitivity)
        known = self.comparison.found(target)[1]
        first, last = ENERGY[target.mask][[0, -1]]
        missing = np.array([ENERGY[0], first, np.nan, last, ENERGY[-1]])
        top = np.full(missing.size, float(target.intensity.max()))
        curves = {"other": other, "known": nothing if known is None else known, "target": values}
        return {
            "missing": between(missing, 0 * top, top),
            "noise": between(ENERGY, values - noise, values + noise),
            "points": dict(zip("xy", self.state.prepared.points(), strict=True)),
            "curves": {"x": ENERGY} | curves,
        }

    def table(self):
        target = self.target
        if target is None:
            return {}
        columns = {"energy_eV": ENERGY, "target": measured_of(target)}
        columns |= {} if target.noise is None else {"noise": np.where(target.mask, target.noise, np.nan)}
        name, known = self.comparison.found(target)
        return columns if known is None else columns | {name: known}

    def empty(self):
        return "" if self.target is not None else "no target yet"

    def legend(self):
        target = self.target
        if target is None:
            return ""
        parts = [swatch(colours.TARGET, "target"), swatch(colours.TEXT, "measured points", "dot")]
        if target.noise is not None:
            parts.append(swatch(colours.CN[3], "± 2σ", "band"))
        if target.sensitivity is not None:
            by = "area" if self.state.prepared.job.recipe.normalisation == "edge" else "edge step"
            parts.append(swatch(colours.CN[4], f"by {by}"))
        name, known = self.comparison.found(target)
        if known is not None:
            parts.append(swatch(colours.PREDICTION, f"{name}, off by {target.misfit(known):.2f}"))
        return entries(parts)
