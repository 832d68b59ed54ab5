"""How far the run is: a bar with step, phase and time left, and the misfit of every step."""

from __future__ import annotations

import functools
import html

import numpy as np
import panel as pn

from acgen.inference.tasks import Load
from acgen.results.sheet import Curve, Sheet, sheet_figure
from app.look import colours
from app.look.card import swatch
from app.look.css import STYLE
from app.session.snapshot import Snapshot, Status
from app.session.state import State
from app.views.plot import LivePlot

PHASES = {"denoise": "denoising", "final": "last step", "refine": "annealing"}


class ProgressView(pn.viewable.Viewer):
    """One line of text over a bar: plain HTML, because a widget's update costs the server more than a frame."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.text = pn.pane.HTML(
            "", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE], css_classes=["acgen-progress"]
        )
        state.param.watch(lambda event: self.refresh(event.new), "snapshot")
        self.refresh(state.snapshot)

    def refresh(self, snapshot: Snapshot) -> None:
        """Say what a snapshot says."""
        percent = f"{100 * snapshot.progress:.1f}"
        told = f'role="progressbar" aria-label="Progress of the run" aria-valuenow="{percent}"'
        bar = f'<div {told} class="bar"><i style="width:{percent}%"></i></div>'
        self.text.object = f"<span>{html.escape(describe(snapshot))}</span>{bar}"

    def __panel__(self):
        return self.text


class MisfitView(LivePlot):
    """Misfit after each step; the candidate on display strong, the others faint."""

    title = "Misfit"
    axes = ("Step", "Misfit by the guide")
    limits = ((0, None), (0, None))
    ticks = (None, 3)

    def source(self):
        snapshot = self.state.snapshot
        return snapshot.misfits, snapshot.candidate, snapshot.candidates

    def build(self):
        self.curves("before", color=colours.PREDICTION, alpha=0.3, line_width=1.5)
        self.curve("now", color=colours.PREDICTION, line_width=2, hover=True)

    def columns(self, data):
        curves = [np.array(misfits, dtype=float).reshape(-1, 2).T for misfits in data[0] or ((),)]
        now = curves.pop(min(data[1], len(curves) - 1))
        begun = [misfits for misfits in curves if misfits.size]
        lines = {"xs": [steps for steps, _ in begun], "ys": [misfits for _, misfits in begun]}
        return {"before": lines, "now": dict(zip("xy", now, strict=True))}

    def table(self):
        rows = [(index + 1, *pair) for index, pairs in enumerate(self.state.snapshot.misfits) for pair in pairs]
        candidate, step, misfit = zip(*rows, strict=True) if rows else ((), (), ())
        return {"candidate": candidate, "step": step, "misfit": misfit}

    def paper(self):
        known = [(n, *np.array(pairs, dtype=float).T) for n, pairs in enumerate(self.state.snapshot.misfits) if pairs]
        curves = [
            Curve(f"candidate {number + 1}", steps, misfits, colours.OVERLAY[number % len(colours.OVERLAY)])
            for number, steps, misfits in known
        ]
        return functools.partial(sheet_figure, Sheet(curves, self.axes, *self.limits))

    def empty(self):
        snapshot = self.state.snapshot
        if any(snapshot.misfits):
            return ""
        if snapshot.settings is None:
            return "Distance of the predicted spectrum to the target, step by step"
        if snapshot.frame is None:
            return ""
        if snapshot.settings.target is None:
            return "Nothing guides this run, so there is no misfit"
        return "Guidance has not begun: early estimates of the atoms know nothing of the spectrum yet"

    def legend(self):
        snapshot = self.state.snapshot
        finished = [candidate for candidate in snapshot.candidates if candidate.misfit is not None]
        now = snapshot.frame.misfit if snapshot.status.active and snapshot.frame is not None else None
        parts = [] if now is None else [swatch(colours.PREDICTION, f"now {now:.3f}")]
        if finished:
            best = min(finished, key=lambda candidate: candidate.misfit)
            parts.append(f" &emsp; best of {len(finished)}: {best.misfit:.3f}, by the judge {best.judge_misfit:.3f}")
        return "".join(parts)


def describe(snapshot: Snapshot) -> str:
    """One line: candidate, phase, step, misfit, time."""
    settings, frame, status = snapshot.settings, snapshot.frame, snapshot.status
    if status is Status.IDLE:
        return "Ready"
    if status is Status.QUEUED:
        return f"Waiting for other runs on this server: place {snapshot.place} in the line"
    finished = f"{len(snapshot.candidates)} of {settings.candidates} candidates finished"
    if status.active and snapshot.load is not None:
        held = " · paused, no more are handed out" if status is Status.PAUSED else ""
        return f"On the cluster: {finished} · {load_words(snapshot.load)}{held}"
    if status is Status.LOADING or frame is None and status.active:
        return "Loading the networks …"
    if status in (Status.DONE, Status.STOPPED, Status.FAILED):
        word = {Status.DONE: "Done", Status.STOPPED: "Stopped", Status.FAILED: "Failed"}[status]
        return f"{word}: {finished}" + (f" in {clock(snapshot.elapsed)}" if snapshot.elapsed else "")
    phase = f"restart {frame.cycle}/{settings.restarts}" if frame.phase == "restart" else PHASES[frame.phase]
    if frame.temperature is not None:
        phase += f" at {frame.temperature:.0f} K"
    first, last = snapshot.candidate + 1, snapshot.candidate + snapshot.at_work
    parts = [
        f"Candidate {first}/{settings.candidates}"
        if first == last
        else f"Candidates {first}-{last} of {settings.candidates}",
        phase,
        f"step {frame.step}/{frame.steps}",
    ]
    if snapshot.settings.target is not None and snapshot.xi is not None:
        parts.append(f"ξ {snapshot.xi:g}")
    parts.append("paused" if status is Status.PAUSED else f"{clock(snapshot.remaining or 0)} left")
    return " · ".join(parts)


def load_words(load: Load) -> str:
    """How busy a cluster is."""
    if not load.threads:
        return "no worker yet"
    tasks = f"{load.tasks} task{'s' if load.tasks != 1 else ''}"
    return f"{tasks} for {load.threads} thread{'s' if load.threads != 1 else ''}"


def clock(seconds: float) -> str:
    """A time that reads well: `42 s`, `3:05 min`, `1:02:03 h`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d} h"
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
