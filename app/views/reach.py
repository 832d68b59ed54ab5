"""Before a run: whether candidates of the chosen density can have the spectrum wanted, as gauge, curve and words."""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import holoviews as hv
import numpy as np
import panel as pn
import panel_material_ui as pmui

from acgen.inference.flags import NEAR, WITHIN
from acgen.inference.reach import KnownSpectrum, Reach, Verdict, from_candidates, reach, spectra_by
from acgen.spectra.spectrum import Target
from acgen.structures.cell import density as density_of
from app.look import colours
from app.look.css import STYLE
from app.session.snapshot import Finished
from app.session.state import State
from app.views.plot import FRAME, LIVE, LivePlot
from app.views.save import Saver
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
_LOADING = threading.Lock()


@functools.cache
def _shipped() -> tuple[KnownSpectrum, ...]:
    return spectra_by(shared_models())


def known_spectra(finished: Sequence[Finished]) -> list[KnownSpectrum]:
    """What is known of the densities: shipped spectra, loaded once for all sessions, and the finished candidates."""
    with _LOADING:
        shipped = _shipped()
    own = [
        replace(item, name=f"candidate {one.name}", kind=f"candidate {one.name}")
        for one in finished
        for item in from_candidates([one.candidate])
    ]
    return [*shipped, *own]


class ReachCurve(LivePlot):
    """Distance of the nearest known spectrum by density, over the bounds of what it means."""

    title = "Reach"
    found: Reach | None = None

    def source(self):
        return (self.found,)

    def draw(self, data):
        curve, here = (data[0].by_density, [(data[0].density, data[0].distance)]) if data[0] else ([], [])
        axes = ("Density (g/cm³)", "Distance")
        distances = hv.Curve(list(curve), *axes).opts(
            color=colours.TARGET, line_width=2, tools=["hover"], **LIVE
        )
        bounds = hv.HLines([WITHIN, NEAR]).opts(color=colours.TEXT, line_dash="dashed", line_width=1, **LIVE)
        chosen = hv.Points(here, list(axes)).opts(color=colours.PREDICTION, size=9, **LIVE)
        return hv.Overlay([bounds, distances, chosen]).opts(
            **FRAME, xlabel=axes[0], ylabel=axes[1], ylim=(0, None), yticks=4, xticks=[1.5, 2, 2.5, 3, 3.5]
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
    saver
        Where the curve is exported to.
    known
        Gives what `acgen.inference.reach.reach` compares with; called in a thread.
    """

    def __init__(
        self,
        state: State,
        saver: Saver | None = None,
        known: Callable[[Sequence[Finished]], Sequence[KnownSpectrum]] = known_spectra,
        **params,
    ):
        super().__init__(**params)
        self.state, self._known = state, known
        self.found: Reach | None = None
        self._changed_at: float | None = None  # when what is asked last changed; None if it is answered
        self._asked: object = None
        self._thread: threading.Thread | None = None
        self._answer: Reach | str = ""
        self.opened: Callable[[], None] = lambda: None
        self.short = pn.Row(margin=0)
        self.text = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        # Buttons are made anew whenever they change.
        self.better = pn.FlexBox(margin=0, gap="6px", align_items="center")
        self.gauge = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        self.curve = ReachCurve(state, saver)
        self.tools = [self.curve.menu]
        self._tap = hv.streams.SingleTap(source=self.curve.plot.object)
        self._tap.add_subscriber(lambda x, y: self._set_density(x))
        state.param.watch(self._change, ["target_name", "targets", "density", "start"])
        self._say()

    @property
    def density(self) -> float:
        """Of the next run, g/cm³."""
        return self.state.density if self.state.start is None else density_of(self.state.start)

    def tick(self, now: float) -> None:
        """Begin to work out what has changed once it has settled, and show what is worked out."""
        if self._thread is not None:
            if self._thread.is_alive():
                return
            self._thread = None
            self._show(self._answer)
        if self._changed_at is None:
            self._changed_at = now if self._question() != self._asked else None
        elif now - self._changed_at >= SETTLE:
            self._changed_at = None
            self._ask()

    def _question(self) -> tuple:
        return self.state.target, round(self.density, 3), len(self.state.snapshot.finished)

    def _change(self, *_events) -> None:
        self._changed_at = None  # the next tick starts to wait anew

    def _ask(self) -> None:
        self._asked = self._question()
        target, density, _ = self._asked
        if target is None:
            self._show("")
            return
        # Not a daemon: torch aborts the process that ends under it.
        self._thread = threading.Thread(
            target=self._work, args=(target, density, self.state.snapshot.finished), name="acgen-reach"
        )
        self._thread.start()

    def _work(self, target: Target, density: float, finished: Sequence[Finished]) -> None:
        try:
            self._answer = reach(target, density, self._known(finished))
        except Exception as error:  # the page has to live on
            self._answer = explain(error)

    def _show(self, answer: Reach | str) -> None:
        self.found = self.curve.found = answer if isinstance(answer, Reach) else None
        self._say("" if self.found else str(answer))
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
        plot = pn.Column(self.curve.plot, sizing_mode="stretch_both", margin=0)
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
