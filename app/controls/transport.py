"""Start, pause, step, stop, branch, progress, and the session as a file."""

from __future__ import annotations

import asyncio
import functools
import io

import panel as pn
import panel_material_ui as pmui

from acgen.errors import AcgenError
from acgen.sampling.settings import Settings
from app.look.css import STYLE
from app.look.notice import Notice
from app.session.archive import example, opened, results_zip, zip_name
from app.session.branch import go_on, noise_candidate, noise_frame
from app.session.opening import ZipInput, follow
from app.session.runner import Runner
from app.session.snapshot import Snapshot, Status
from app.session.state import State
from app.session.uploaded import Uploaded, join
from app.views.progress import ProgressView
from app.workers.background import Background
from app.workers.explain import explain

BUTTON = {"size": "small", "margin": 0}


class Transport(pn.viewable.Viewer):
    """The row above the views; buttons are active when they can do something.

    `beside` is a place behind the buttons for what is worth knowing before a start, `files` one for what goes in and
    out as a file.
    """

    def __init__(self, state: State, runner: Runner, background: Background, **params):
        super().__init__(**params)
        self.state, self.runner, self.background = state, runner, background
        self._next: tuple[Settings, str] | None = None  # starts as soon as the run that it replaces has ended
        self._downloaded: set[tuple[int, int]] = set()  # keys of the candidates that are in a file of the user's
        self._run_buttons()
        self._file_buttons()
        self.beside = pn.Row(margin=0)
        self.files = pn.Row(self.example, self.open, self.download, margin=0, styles={"gap": "6px"})
        self.progress = ProgressView(state)
        self.problem = Notice(margin=(8, 0))
        self.notices: list[pn.viewable.Viewable] = []  # more to say under the buttons
        self._connect()

    def _run_buttons(self) -> None:
        self.start = pmui.Button(
            label="Start",
            icon="play_arrow",
            color="primary",
            variant="contained",
            description="Generate candidates with these settings",
            **BUTTON,
        )
        self.pause = pmui.Button(
            label="Pause",
            icon="pause",
            variant="outlined",
            width=96,
            description="Wait after the step that is being made; other runs may use the time",
            **BUTTON,
        )
        self.step = pmui.Button(
            label="Step", icon="skip_next", variant="outlined", description="Make one step and wait again", **BUTTON
        )
        self.stop = pmui.Button(
            label="Stop",
            icon="stop",
            variant="outlined",
            description="End the run; candidates that are finished stay",
            **BUTTON,
        )

    def _file_buttons(self) -> None:
        self.download = pmui.FileDownload(
            callback=self._packed,
            filename="acgen.zip",
            label="Download",
            auto=True,
            icon="download",
            variant="outlined",
            description="All candidates of this session with spectra, settings, log and report as one zip file",
            **BUTTON,
        )
        self.open = ZipInput(
            label="Open",
            uploaded_label="Open",
            icon="folder_open",
            variant="outlined",
            description="A zip file that was downloaded here: replay, compare, branch and add candidates",
            css_classes=["acgen-session-file"],
            **BUTTON,
        )
        self.example = pmui.Button(
            label="Example",
            icon="auto_stories",
            variant="outlined",
            description="Open a finished run that comes with the program: look, replay, compare",
            on_click=lambda _event: self._show_example(),
            **BUTTON,
        )

    def _connect(self) -> None:
        """Follow the buttons, the run, and ξ, which the run takes while it goes on."""
        state = self.state
        self.start.on_click(self._start)
        self.pause.on_click(lambda _event: self.pause_or_go_on())
        self.step.on_click(lambda _event: self.runner.step())
        self.stop.on_click(lambda _event: self.runner.stop())
        self.open.param.watch(self._uploaded, "content")
        self.open.param.watch(lambda event: event.new and self._not_opened(event.new), "refused")
        state.param.watch(lambda event: self._refresh(event.new), "snapshot")
        state.param.watch(lambda event: self.runner.steer(event.new), "xi")
        self._refresh(state.snapshot)

    def branch(self, t: float | None) -> None:
        """Start a run from what is on display: noised to time `t`, or as it is; a run that is active ends first."""
        try:
            self._next = self._branch(t)
        except AcgenError as error:
            self.problem.say(str(error))
            return
        self.runner.stop()
        self.tick()

    def tick(self) -> None:
        """Start what waits for the end of a run."""
        if self._next is not None and not self.runner.snapshot.status.active:
            (settings, origin), self._next = self._next, None
            self._begin(settings, origin)

    @property
    def unsaved(self) -> bool:
        """Whether there is work that no file of the user's has."""
        snapshot = self.runner.snapshot
        return snapshot.status.active or any(item.key not in self._downloaded for item in snapshot.finished)

    async def _packed(self) -> io.BytesIO:
        """Everything as one file; made in a thread, because it takes seconds."""
        snapshot = self.state.snapshot
        packed = await asyncio.to_thread(results_zip, snapshot, self.state.found_checks, self.state.uploaded)
        self._downloaded = {item.key for item in snapshot.finished}
        return packed

    def _uploaded(self, event) -> None:
        if event.new:
            self.open.content = b""
            self.open.disabled = True
            self.background.do("open", functools.partial(opened, event.new), self._opened)

    def _show_example(self) -> None:
        self.example.visible = False
        self.background.do("open", lambda: opened(example()), self._opened)

    def _opened(self, both: tuple[Snapshot, tuple[Uploaded, ...]] | None, error: Exception | None) -> None:
        self.open.disabled = self.state.snapshot.status.active
        if both is None:
            self._not_opened(explain(error))
            return
        found, uploaded = both
        try:
            self.runner.adopt(found)
        except AcgenError as error:  # a start while the file was read
            self._not_opened(str(error))
            return
        before = self.state.snapshot.run
        self._downloaded |= {item.key for item in self.runner.snapshot.finished if item.run > before}
        self.state.param.update(moment=None, picked=())
        join(self.state, uploaded)
        problems = follow(self.state, found.settings)
        self.problem.hide()
        if problems:
            self.problem.say(f"The session is open. {' '.join(problems)}", "warning")

    def _not_opened(self, reason: str) -> None:
        self.problem.say(f"Not opened: {reason}. Nothing of this session has changed.")

    def _branch(self, t: float | None) -> tuple[Settings, str]:
        state, snapshot = self.state, self.runner.snapshot
        if state.chosen:
            if t is None:
                raise AcgenError("a finished candidate has no noise to go on from: noise it again, or choose a frame")
            return noise_candidate(state, state.chosen[0], t)
        if not snapshot.trajectory:
            raise AcgenError("there is no frame to branch from: start a run first")
        event = snapshot.trajectory[-1 if state.moment is None else min(state.moment, len(snapshot.trajectory) - 1)]
        return go_on(state, snapshot, event) if t is None else noise_frame(state, snapshot, event, t)

    def _start(self, _event) -> None:
        if self.runner.snapshot.status.active:  # a second click, before the button was greyed out
            return
        try:
            settings = self.state.settings
        except AcgenError as error:
            self.problem.say(str(error))
        else:
            self._begin(settings)

    def _begin(self, settings: Settings, origin: str = "") -> None:
        self.problem.hide()
        self.state.param.update(moment=None, picked=())
        self.runner.start(settings, origin)

    def pause_or_go_on(self) -> None:
        """Let a run wait, or one that waits go on; nothing without a run."""
        status = self.runner.snapshot.status
        if status is Status.PAUSED:
            self.runner.resume()
        elif status.active:
            self.runner.pause()

    def _refresh(self, snapshot: Snapshot) -> None:
        status = snapshot.status
        paused = status is Status.PAUSED
        self.start.disabled = status.active
        self.pause.param.update(
            disabled=not status.active, label="Resume" if paused else "Pause", icon="play_arrow" if paused else "pause"
        )
        self.step.disabled = not paused
        self.example.visible = self.example.visible and snapshot.run == 0
        self.stop.disabled = not status.active
        self.open.disabled = status.active or self.background.busy("open")
        self.download.disabled = not snapshot.finished
        if snapshot.finished:
            self.download.filename = zip_name(snapshot)
        if status is Status.FAILED and snapshot.error != self.problem.text:
            self.problem.say(snapshot.error)

    def __panel__(self):
        return pn.Column(
            pn.Row(
                self.start,
                self.pause,
                self.step,
                self.stop,
                self.beside,
                self.progress,
                self.files,
                sizing_mode="stretch_width",
                margin=0,
                styles={"gap": "10px", "align-items": "center"},
                stylesheets=[STYLE],
                css_classes=["acgen-transport"],
            ),
            self.problem,
            *self.notices,
            sizing_mode="stretch_width",
            margin=0,
        )
