"""Before a run: whether candidates of the chosen density can have the target's spectrum, as a gauge, a curve and words."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import holoviews as hv
import panel as pn
import panel_material_ui as pmui

from acgen.flags import NEAR, WITHIN
from acgen.reachability import KnownSpectrum, Reach, Verdict, from_candidates, reach, shipped_spectra
from acgen.spectra.spectrum import Target
from acgen.structure import density as density_of
from app import colours
from app.runner import explain
from app.snapshot import Finished
from app.state import State
from app.style import STYLE
from app.views.plot import FRAME, LIVE, LivePlot
from app.views.save import Saver

#: Seconds without a change before it is worked out.
SETTLE = 0.4
#: Where the gauge ends: norm of target minus nearest spectrum, a whole spectrum has about 2.7.
FULL = 1.0
#: Colour of the theme and icon of each verdict; the words say the same.
LOOK = {
    Verdict.WITHIN: ("success", "check_circle"),
    Verdict.NEAR: ("warning", "adjust"),
    Verdict.OUT: ("error", "error_outline"),
}
CHIP = {"size": "small", "variant": "outlined", "margin": 0}
_LOADING = threading.Lock()


def known_spectra(finished: Sequence[Finished]) -> list[KnownSpectrum]:
    """What is known of the densities: shipped spectra, loaded once for all sessions, and the finished candidates."""
    with _LOADING:
        shipped = shipped_spectra()
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
            **FRAME, ylim=(0, None), yticks=4, xticks=[1.5, 2, 2.5, 3, 3.5]
        )

    def table(self):
        density, distance = zip(*self.found.by_density, strict=True) if self.found else ((), ())
        return {"density_gcm3": density, "distance": distance}


class ReachView(pn.viewable.Viewer):
    """The gauge in full; `chip` is the short form, which a click leads from to here.

    Parameters
    ----------
    state
        Its target and density, and the candidates that are finished.
    saver
        Where the curve is exported to.
    known
        Gives what `acgen.reachability.reach` compares with; called in a thread.
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
        self.chip = pmui.Chip(label="Reach …", visible=False, **CHIP)
        self.text = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        self.better = [pmui.Chip(label="", visible=False, color="primary", **CHIP) for _ in range(3)]
        for index, chip in enumerate(self.better):
            chip.on_click(partial(self._take, index))
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
        self._thread = threading.Thread(
            target=self._work, args=(target, density, self.state.snapshot.finished), daemon=True, name="acgen-reach"
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
        found = self.found
        if found is None:
            none = "No target, nothing to reach: choose a spectrum" if self.state.target is None else "Looking …"
            self.text.object = f"<p>{html.escape(problem) or none}</p>"
            self.chip.visible = self.state.target is not None and not problem
        else:
            self.text.object = in_full(found, self.state.target)
            colour, icon = LOOK[found.verdict]
            self.chip.param.update(
                label=found.verdict.capitalize(), color=colour, icon=icon, visible=True, description=found.words
            )
        better = found.better if found is not None and self.state.start is None else ()
        for chip, value in zip(self.better, (*better, None, None, None), strict=False):
            chip.param.update(label="" if value is None else f"{value:g} g/cm³", visible=value is not None)

    def _take(self, index: int, _event) -> None:
        if self.found is not None and index < len(self.found.better):
            self._set_density(self.found.better[index])

    def _set_density(self, value: float | None) -> None:
        low, high = self.state.param.density.bounds
        if value is not None and low <= value <= high and not self.state.snapshot.status.active:
            self.state.density = round(20 * value) / 20

    def __panel__(self):
        words = pn.Column(
            self.text,
            pn.Row(*self.better, margin=0, styles={"gap": "6px", "flex-wrap": "wrap"}),
            sizing_mode="stretch_both",
            margin=0,
            styles={"flex": "1.3", "overflow-y": "auto", "padding": "4px 4px 4px 14px"},
        )
        plot = pn.Column(self.curve.plot, sizing_mode="stretch_both", margin=0)
        return pn.Row(words, plot, sizing_mode="stretch_both", margin=0)


def in_full(found: Reach, target: Target | None) -> str:
    """HTML: gauge, verdict and notes."""
    notes = dict.fromkeys([*(() if target is None else target.warnings), *found.flags])
    listed = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return (
        f"{gauge(found.distance)}<p>{html.escape(found.words)}</p>"
        + (f'<ul class="notes">{listed}</ul>' if listed else "")
        + ("<p>Densities that fit better:</p>" if found.better else "")
    )


def gauge(distance: float) -> str:
    """HTML of a bar from 0 to `FULL` with the bounds of the verdicts and a needle."""
    place = 100 * min(distance / FULL, 1.0)
    zones = zip(Verdict, (0.0, WITHIN, NEAR), (WITHIN, NEAR, FULL), strict=True)
    parts = "".join(
        f'<i class="{LOOK[verdict][0]}" style="width:{100 * (high - low) / FULL:g}%">{verdict}</i>'
        for verdict, low, high in zones
    )
    return (
        f'<div class="gauge" role="meter" aria-label="distance" aria-valuemin="0" aria-valuemax="{FULL:g}" '
        f'aria-valuenow="{distance:.2f}">{parts}<b style="left:{place:.1f}%">{distance:.2f}</b></div>'
    )
