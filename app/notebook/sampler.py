"""A run as a widget of a notebook: controls, views, and results for Python."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from ase import Atoms

from acgen.errors import AcgenError
from acgen.networks.models import Models
from acgen.results.archive import write_zip
from acgen.results.run import Run
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.settings import Settings, Strength, check_xi
from acgen.scattering.read import read_pdf
from acgen.scattering.target import PairTarget
from acgen.spectra.grid import N_POINTS
from acgen.threads import use_threads
from app.notebook.inputs import target_of
from app.notebook.plot import Plot, WithPlots, size
from app.notebook.widgets import StructureView, state_with
from app.session.archive import run_of
from app.session.runner import Runner
from app.session.shown import Shown, show_candidate, show_frame
from app.session.snapshot import Snapshot, Status
from app.viewer.frontend import in_notebook
from app.views import spectrum as spectrum_view
from app.views.pairs import PairsView
from app.views.progress import MisfitView, describe
from app.workers.models import shared_models

#: Seconds between two looks at a run, and between two updates of the plots.
TICK, PLOT_EVERY = 0.1, 0.5
#: What to know while a cell blocks the kernel, which is then deaf to its widgets.
DEAF = "the buttons rest until this cell ends; in a notebook, `await sampler.finished()` keeps them at work"


class GuidedSampler(WithPlots):
    """Generate candidates and watch: controls, structure, spectrum and misfit.

    Parameters
    ----------
    target
        As for `SpectrumView`; None generates without guidance by a spectrum.
    pdf
        Measured pair distribution to guide by as well, or alone: a `PairTarget`, or a file for `acgen.read_pdf`.
    models
        The networks; by default the shipped ones.
    options
        Any other field of `acgen.sampling.generate.Settings`: density, cell, xi, candidates, steps, restarts, seed …

    Raises
    ------
    AcgenError
        If the settings make no sense, or a file cannot be read.
    """

    def __init__(
        self,
        target: Any = None,
        *,
        pdf: PairTarget | str | Path | None = None,
        models: Models | None = None,
        **options: Any,
    ):
        measured = read_pdf(pdf) if isinstance(pdf, (str, Path)) else pdf
        self.settings = Settings(target=None if target is None else target_of(target), pdf=measured, **options)
        self.runner = Runner(_generate, shared_models if models is None else lambda: models)
        self.state = state_with(self.settings.target)
        self.state.pdf = measured
        self.structure = StructureView(width=360, height=360)
        self.plots = (
            Plot(spectrum_view.SpectrumView(self.state), 440, 230),
            Plot(MisfitView(self.state), 440, 150),
            *([] if measured is None else [Plot(PairsView(self.state), 440, 190)]),
        )
        self.xi = ipywidgets.BoundedFloatText(
            self.settings.xi, min=0, max=1e6, step=10, description="ξ", layout=size(190)
        )
        self.buttons = {
            name: ipywidgets.Button(description=name, layout=size(90)) for name in ("Start", "Pause", "Stop")
        }
        self.text = ipywidgets.HTML()
        self._source: object = None
        self._shown: tuple[Shown, ...] = ()
        self._plotted: tuple[Shown, ...] = ()
        self._deaf = False  # whether the kernel is blocked, so that no click would be heard
        self._plotted_at = float("-inf")
        self._follower: asyncio.Task | None = None
        self.xi.observe(lambda change: self.runner.steer(change["new"]), "value")
        for name, action in (("Start", self.start), ("Pause", self._pause), ("Stop", self.stop)):
            self.buttons[name].on_click(_told(action, self.text))
        controls = ipywidgets.HBox([*self.buttons.values(), self.xi])
        views = ipywidgets.HBox([self.structure, ipywidgets.VBox(self.plots)])
        super().__init__([controls, self.text, views])
        self.tick()

    @property
    def snapshot(self) -> Snapshot:
        """Everything there is to know about the run at this moment."""
        return self.runner.snapshot

    @property
    def results(self) -> list[Candidate]:
        """The candidates finished so far, with their spectra and misfits."""
        return list(self.snapshot.candidates)

    @property
    def candidates(self) -> list[Atoms]:
        """Their structures; `info` has density, seed, xi, misfit and the judge's misfit."""
        return [candidate.atoms for candidate in self.snapshot.candidates]

    @property
    def spectra(self) -> np.ndarray:
        """Their spectra as compared with the target, shape (candidates, 100), on `acgen.spectra.grid.ENERGY`."""
        return np.array([candidate.seen for candidate in self.snapshot.candidates]).reshape(-1, N_POINTS)

    @property
    def run(self) -> Run:
        """The run as `acgen.results.archive` takes it."""
        return run_of(self.snapshot)

    def start(self) -> None:
        """Begin the run in the background and return at once.

        Raises
        ------
        AcgenError
            If it is active.
        """
        self.runner.start(self.settings)
        self.runner.steer(self.xi.value)
        try:
            self._follower = asyncio.get_running_loop().create_task(self._follow())
        except RuntimeError:  # no notebook: whoever waits looks
            self._follower = None

    def steer(self, xi: float) -> None:
        """Set the guidance strength from the next step on."""
        self.xi.value = check_xi(xi)

    def stop(self) -> None:
        """End the run after the step it is at; what is finished stays."""
        self.runner.stop()

    async def finished(self) -> list[Atoms]:
        """Start if nothing runs, and give the structures when the run has ended: `await sampler.finished()` in a cell,
        whose display stays alive meanwhile.

        Raises
        ------
        AcgenError
            If the run failed, with what to do; what else it failed by is a bug and is raised as it is.
        """
        if self.snapshot.status is Status.IDLE:
            self.start()
        await self._follow()
        return self._outcome()

    def wait(self, seconds: float | None = None) -> list[Atoms]:
        """The same for whoever cannot await: a notebook's kernel takes no click and draws no atoms until it returns.

        Raises
        ------
        AcgenError
            As `finished`.
        TimeoutError
            If it takes longer than `seconds`; it goes on.
        """
        if self.snapshot.status is Status.IDLE:
            self.start()
        end = None if seconds is None else time.monotonic() + seconds
        self._deaf = in_notebook()
        try:
            while self.snapshot.status.active:
                if end is not None and time.monotonic() > end:
                    raise TimeoutError(f"the run is not finished after {seconds:g} s: {describe(self.snapshot)}")
                self.tick()
                time.sleep(TICK)
        finally:
            self._deaf = False
        return self._outcome()

    def _outcome(self) -> list[Atoms]:
        self.runner.join()
        self.tick()
        if self.runner.failure is not None:
            raise self.runner.failure
        return self.candidates

    def save(self, file: str | Path) -> None:
        """Write everything as one zip file, see `acgen.results.archive`."""
        write_zip(file, self.run)

    def tick(self) -> None:
        """Bring what is new to the display."""
        snapshot, now = self.snapshot, time.monotonic()
        active = snapshot.status.active
        if snapshot is not self.state.snapshot or not self.text.value:
            self.state.snapshot = snapshot
            told = snapshot.error or describe(snapshot)
            self.text.value = html.escape(f"{told} · {DEAF}" if self._deaf and active else told)
            self.buttons["Start"].disabled = active
            self.buttons["Pause"].disabled = self.buttons["Stop"].disabled = not active or self._deaf
            self.buttons["Pause"].description = "Resume" if snapshot.status is Status.PAUSED else "Pause"
        ended = not active and bool(snapshot.candidates)
        source: Any = snapshot.candidates[-1] if ended else snapshot.frame
        if source is None:
            return
        if source is not self._source and (ended or self.structure.stream.free or self._due(now)):
            self._source = source
            self._shown = self._see(snapshot, ended)
            self.structure.display(self._shown[-1])
        if self._shown is not self._plotted and (ended or self._due(now)):
            self._plotted, self._plotted_at = self._shown, now
            self.state.param.update(shown=self._shown[-1], compared=self._shown)
            for plot in self.plots:
                plot.refresh()

    async def _follow(self) -> None:
        """Look at the run until it ends."""
        while self.snapshot.status.active:
            self.tick()
            await asyncio.sleep(TICK)
        self.tick()

    def _due(self, now: float) -> bool:
        return now - self._plotted_at > PLOT_EVERY

    def _see(self, snapshot: Snapshot, ended: bool) -> tuple[Shown, ...]:
        """All candidates of a run that has ended, otherwise its newest frame."""
        if ended:
            return tuple(show_candidate(item, str(item.index + 1)) for item in snapshot.candidates)
        return (show_frame(snapshot.frame, self.settings),)

    def _pause(self) -> None:
        if self.snapshot.status is Status.PAUSED:
            self.runner.resume()
        else:
            self.runner.pause()


def _generate(settings: Settings, models: Models, strength: Strength) -> Iterator[FrameEvent | Candidate]:
    """The candidates of a run, with the threads that are free when it begins."""
    use_threads(settings.n_atoms)
    yield from generate(settings, models, strength)


def _told(action: Callable[[], None], text: ipywidgets.HTML) -> Callable[[Any], None]:
    """An action of a button whose refusal is said in the page."""

    def pressed(_event: Any) -> None:
        try:
            action()
        except AcgenError as error:
            text.value = html.escape(str(error))

    return pressed
