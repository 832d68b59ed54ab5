"""Start, pause, step, stop, progress, which structure to show, and the download."""

from __future__ import annotations

import panel as pn
import panel_material_ui as pmui

from app.export import results_zip, zip_name
from app.runner import Runner, Snapshot, Status
from app.state import LIVE, State
from app.views.notice import Notice
from app.views.progress import ProgressView

BUTTON = {"size": "small", "margin": 0}


class Transport(pn.viewable.Viewer):
    """The row above the views; buttons are active when they can do something."""

    def __init__(self, state: State, runner: Runner, **params):
        super().__init__(**params)
        self.state, self.runner = state, runner
        self.start = pmui.Button(label="Start", icon="play_arrow", color="primary", variant="contained", **BUTTON)
        self.pause = pmui.Button(label="Pause", icon="pause", variant="outlined", width=96, **BUTTON)
        self.step = pmui.Button(label="Step", icon="skip_next", variant="outlined", **BUTTON)
        self.stop = pmui.Button(label="Stop", icon="stop", variant="outlined", **BUTTON)
        self.choice = pmui.Select.from_param(state.param.choice, size="small", width=170, margin=0)
        self.download = pmui.FileDownload(
            callback=lambda: results_zip(state.snapshot),
            filename="acgen.zip",
            label="Download",
            auto=True,
            icon="download",
            variant="outlined",
            **BUTTON,
        )
        self.progress = ProgressView(state)
        self.problem = Notice(margin=(8, 0))
        self.start.on_click(self._start)
        self.pause.on_click(lambda _event: self._pause())
        self.step.on_click(lambda _event: runner.step())
        self.stop.on_click(lambda _event: runner.stop())
        state.param.watch(lambda event: self._refresh(event.new), "snapshot")
        self._refresh(state.snapshot)

    def _start(self, _event) -> None:
        if self.runner.snapshot.status.active:  # a second click, before the button was greyed out
            return
        self.problem.hide()
        self.state.choice = LIVE
        try:
            self.runner.start(self.state.settings)
        except ValueError as error:
            self.problem.say(str(error))

    def _pause(self) -> None:
        if self.state.snapshot.status is Status.PAUSED:
            self.runner.resume()
        else:
            self.runner.pause()

    def _refresh(self, snapshot: Snapshot) -> None:
        status = snapshot.status
        paused = status is Status.PAUSED
        self.start.disabled = status.active
        self.pause.param.update(
            disabled=not status.active, label="Resume" if paused else "Pause", icon="play_arrow" if paused else "pause"
        )
        self.step.disabled = not paused
        self.stop.disabled = not status.active
        self.download.disabled = not snapshot.candidates
        if snapshot.candidates:
            self.download.filename = zip_name(snapshot)
        options = {"Live": LIVE} | {_entry(candidate): candidate.index for candidate in snapshot.candidates}
        if list(options.values()) != list(self.state.param.choice.objects):
            self.state.param.choice.objects = options
        if status is Status.FAILED and snapshot.error != self.problem.text:
            self.problem.say(snapshot.error)

    def __panel__(self):
        return pn.Column(
            pn.Row(
                self.start,
                self.pause,
                self.step,
                self.stop,
                self.progress,
                self.choice,
                self.download,
                sizing_mode="stretch_width",
                margin=0,
                styles={"gap": "10px", "align-items": "center"},
            ),
            self.problem,
            sizing_mode="stretch_width",
            margin=0,
        )


def _entry(candidate) -> str:
    misfit = "" if candidate.misfit is None else f" · misfit {candidate.misfit:.3f}"
    return f"No. {candidate.index + 1}{misfit}"
