"""Before a run: whether candidates of the chosen density can have the spectrum wanted, as gauge, curve and words."""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import holoviews as hv
import holoviews.plotting.bokeh  # noqa: F401  registers what draws
import numpy as np
import panel as pn
import panel_material_ui as pmui

from acgen.inference.flags import NEAR, WITHIN
from acgen.inference.reach import KnownSpectrum, Reach, Verdict, from_candidates, reach, spectra_by
from acgen.spectra.spectrum import Target
from acgen.structures.cell import density as density_of
from app.look import colours
from app.look.card import entries, swatch
from app.look.css import STYLE
from app.session.snapshot import Finished
from app.session.state import State
from app.views.plot import FONTS, PADDING, PlotView
from app.views.save import Saver
from app.workers.background import Background
from app.workers.explain import explain
from app.workers.models import shared_models

#: Seconds without a change before it is worked out.
SETTLE = 0.4
#: Ends of the three zones of the gauge, each a third of it: norm of target minus nearest spectrum, of which a whole
#: spectrum has about 2.7.
ENDS = (0.0, WITHIN, NEAR, 1.2)
#: Colour of the theme and icon of each verdict; the words say the same.
LOOK = {
    Verdict.WITHIN: ("success", "check_circle"),
    Verdict.NEAR: ("warning", "adjust"),
    Verdict.OUT: ("error", "error_outline"),
}
DENSITY_TICKS = (1.5, 2, 2.5, 3, 3.5)
_LOADING = threading.Lock()

# Not hv.extension: in a notebook that loads scripts from other hosts.
hv.Store.set_current_backend("bokeh")


@functools.cache
def _shipped() -> tuple[KnownSpectrum, ...]:
    return spectra_by(shared_models())


def known_spectra(finished: Sequence[Finished]) -> list[KnownSpectrum]:
    """What is known of the densities: shipped spectra, loaded once for all sessions, and the finished candidates."""
    with _LOADING:
        shipped = _shipped()
    own = [
        replace(item, name=f"candidate {one.name}, by the judge", kind=f"candidate {one.name}")
        for one in finished
        for item in from_candidates([one.candidate])
    ]
    return [*shipped, *own]


class ReachCurve(PlotView):
    """Distance of the nearest known spectrum by density, over the bounds of what it means."""

    title = "Reach"
    axes = ("Density (g/cm³)", "Distance")
    found: Reach | None = None

    def source(self):
        return (self.found,)

    def pane(self):
        self._changed = hv.streams.Counter()
        self.map = hv.DynamicMap(self._draw, streams=[self._changed])
        return pn.pane.HoloViews(self.map, sizing_mode="stretch_both", linked_axes=False, margin=0)

    def redraw(self, _data):
        self._changed.event()

    def legend(self):
        parts = (
            swatch(colours.TARGET, "nearest known spectrum"), swatch(colours.PREDICTION, "this density", "dot"),
            swatch(colours.TEXT, f"bounds: {Verdict.WITHIN}, {Verdict.NEAR}", "dashed"),
        )
        return entries(parts)

    def describe(self):
        return pn.pane.HTML(
            self.legend(), margin=0, stylesheets=[STYLE], css_classes=["acgen-key", "acgen-wrap"],
            styles={"flex": "none"}, sizing_mode="stretch_width",
        )

    def _draw(self, counter: int) -> hv.Overlay:
        found = self._drawn[0] if self._drawn else None
        curve, here = (found.by_density, [(found.density, found.distance)]) if found else ((), ())
        distances = hv.Curve(list(curve), *self.axes).opts(
            color=colours.TARGET, line_width=2, tools=["hover"], padding=PADDING, framewise=True
        )
        bounds = hv.HLines([WITHIN, NEAR]).opts(color=colours.TEXT, line_dash="dashed", line_width=1)
        chosen = hv.Points(list(here), list(self.axes)).opts(color=colours.PREDICTION, size=9)
        return hv.Overlay([bounds, distances, chosen]).opts(
            responsive=True,
            framewise=True,
            toolbar=None,
            default_tools=[],
            show_legend=False,
            show_grid=True,
            gridstyle={"grid_line_color": colours.GRID, "grid_line_width": 1},
            fontsize=FONTS,
            xlabel=self.axes[0],
            ylabel=self.axes[1],
            ylim=(0, None),
            xticks=list(DENSITY_TICKS),
            yticks=4,
            hooks=[lambda plot, _element: plot.state.update(name=self.file_name)],
        )

    def table(self):
        density, distance = zip(*self.found.by_density, strict=True) if self.found else ((), ())
        return {"density_gcm3": density, "distance": distance}


class ReachView(pn.viewable.Viewer):
    """The gauge in full; `short` is the verdict alone, and a click on it calls `opened`.

    Parameters
    ----------
    state
        Its target and density, and the candidates that are finished.
    background
        Does the work.
    saver
        Where the curve is exported to.
    known
        Gives what `acgen.inference.reach.reach` compares with; called in a thread.
    """

    def __init__(
        self,
        state: State,
        background: Background,
        saver: Saver | None = None,
        known: Callable[[Sequence[Finished]], Sequence[KnownSpectrum]] = known_spectra,
        **params,
    ):
        super().__init__(**params)
        self.state, self._background, self._known = state, background, known
        self.found: Reach | None = None
        self._changed_at: float | None = None  # when what is asked last changed; None if it is answered
        self._asked: object = None
        self.opened: Callable[[], None] = lambda: None
        self.short = pn.Row(margin=0)
        self.text = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        # Buttons are made anew whenever they change.
        self.better = pn.FlexBox(margin=0, gap="6px", align_items="center")
        self.gauge = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        self.curve = ReachCurve(state, saver)
        self.tools = [self.curve.menu]
        self._tap = hv.streams.SingleTap(source=self.curve.map)
        self._tap.add_subscriber(lambda x, y: self._set_density(x))
        state.param.watch(self._change, ["target_name", "targets", "density", "start", "instrument"])
        self._say()

    @property
    def density(self) -> float:
        """Of the next run, g/cm³."""
        return self.state.density if self.state.start is None else density_of(self.state.start)

    def tick(self, now: float) -> None:
        """Begin to work out what has changed once it has settled."""
        if self._changed_at is None:
            self._changed_at = now if self._question() != self._asked else None
        elif now - self._changed_at >= SETTLE:
            self._changed_at = None
            self._ask()

    def _question(self) -> tuple:
        return self.state.target, round(self.density, 3), self.state.instrument, len(self.state.snapshot.finished)

    def _change(self, *_events) -> None:
        self._changed_at = None  # the next tick starts to wait anew

    def _ask(self) -> None:
        self._asked = self._question()
        target, density, instrument, _ = asked = self._asked
        if target is None:
            self._show(None)
            return
        finished = self.state.snapshot.finished
        self._background.do(
            "reach",
            lambda: reach(target, density, self._known(finished), instrument=instrument),
            functools.partial(self._answered, asked),
        )

    def _answered(self, asked: tuple, found: Reach | None, error: Exception | None) -> None:
        if asked == self._asked:  # otherwise something else is asked by now
            self._show(found, "" if error is None else explain(error))

    def _show(self, found: Reach | None, problem: str = "") -> None:
        self.found = self.curve.found = found
        self._say(problem)
        self.curve.refresh()

    def _say(self, problem: str = "") -> None:
        found, short, better = self.found, [], ()
        if found is None:
            none = "No target, nothing to reach: choose a spectrum" if self.state.target is None else "Looking …"
            self.text.object, self.gauge.object = f"<p>{html.escape(problem) or none}</p>", ""
        else:
            self.text.object, self.gauge.object = in_words(found, self.state.target), gauge(found.distance)
            colour, icon = LOOK[found.verdict]
            short = [_chip(found.verdict.capitalize(), self.opened, color=colour, icon=icon, description=found.words)]
            better = found.better if self.state.start is None else ()
        self.short.objects = short
        fits = pn.pane.HTML("Fits better:", margin=0, stylesheets=[STYLE])
        chips = [_chip(f"{value:g} g/cm³", functools.partial(self._set_density, value)) for value in better]
        self.better.objects = [fits, *chips] if chips else []

    def _set_density(self, value: float | None) -> None:
        low, high = self.state.param.density.bounds
        if value is not None and low <= value <= high and not self.state.snapshot.status.active:
            self.state.density = round(20 * value) / 20

    def __panel__(self):
        words = pn.Column(
            self.gauge,
            self.better,
            self.text,
            sizing_mode="stretch_both",
            margin=0,
            styles={"flex": "1.3", "overflow-y": "auto", "padding": "4px 4px 4px 14px"},
        )
        plot = pn.Column(self.curve.key, self.curve.plot, sizing_mode="stretch_both", margin=0)
        return pn.Row(words, plot, sizing_mode="stretch_both", margin=0)


def _chip(label: str, action: Callable[[], None], **look) -> pmui.Button:
    return pmui.Button(
        label=label,
        size="small",
        variant="outlined",
        margin=0,
        sx={"borderRadius": "16px", "py": 0, "textTransform": "none", "whiteSpace": "nowrap"},
        css_classes=["acgen-reach"],
        on_click=lambda _event: action(),
        **look,
    )


def in_words(found: Reach, target: Target | None) -> str:
    """HTML: the verdict in full, and notes."""
    notes = dict.fromkeys([*(() if target is None else target.warnings), *found.flags])
    listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f"<p>{html.escape(found.words)}</p>" + (f'<ul class="notes">{listed}</ul>' if listed else "")


def gauge(distance: float) -> str:
    """HTML of a bar with a zone for each verdict and a needle at the distance."""
    place = 100 * float(np.interp(distance, ENDS, (0, 1 / 3, 2 / 3, 1)))
    parts = "".join(f'<i class="{LOOK[verdict][0]}">{verdict}</i>' for verdict in Verdict)
    return (
        f'<div class="gauge" role="meter" aria-label="distance" aria-valuemin="0" aria-valuemax="{ENDS[-1]:g}" '
        f'aria-valuenow="{distance:.2f}">{parts}<b{" class=left" if place > 50 else ""} style="left:{place:.1f}%">'
        f"{distance:.2f}</b></div>"
    )
