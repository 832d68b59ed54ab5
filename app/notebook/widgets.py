"""The dashboard's parts for a notebook: objects that display by themselves and give their results to Python.

Each is an ipywidget: the last line of a cell shows it, and any layout of ipywidgets can hold it. No server is needed
and nothing is loaded from another host. They take `ase.Atoms`, arrays, an `acgen` spectrum or target, the name of a
shipped target, or the path of a file.
"""

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
from acgen.spectra.grid import N_POINTS
from acgen.spectra.spectrum import Target
from acgen.threads import use_threads
from app.notebook.inputs import atoms_of, predicted, target_of
from app.notebook.plot import Plot, WithPlots, legend, size
from app.session.archive import run_of
from app.session.runner import Runner
from app.session.shown import Shown, show_candidate, show_frame
from app.session.snapshot import Snapshot, Status
from app.session.state import NO_TARGET, State
from app.viewer.colouring import by_coordination
from app.viewer.ngl import FrameStream
from app.views import spectrum as spectrum_view
from app.views.progress import MisfitView, describe
from app.workers.models import shared_models

#: Seconds between two looks at a run, and between two updates of the plots.
TICK, PLOT_EVERY = 0.1, 0.5


class StructureView(ipywidgets.VBox):
    """A structure in three dimensions, coloured by coordination number.

    Parameters
    ----------
    structure
        `ase.Atoms`, a candidate, the path of a structure file, or positions in Å, shape (N, 3); None to show one later.
    cell
        For positions: one edge, three edges or three vectors in Å.
    width, height
        Pixels.
    """

    def __init__(self, structure: Any = None, cell: Any = None, *, width: int = 420, height: int = 380):
        self.stream = FrameStream()
        self._shown: Shown | None = None
        self.stream.widget.on_msg(self._again)
        self.stream.widget.layout = ipywidgets.Layout(width="100%", height="100%")
        picture = ipywidgets.Box([self.stream.widget], layout=size(width, height))
        super().__init__([ipywidgets.HTML(legend()), picture], layout=size(width, height + 32))
        if structure is not None:
            self.show(structure, cell)

    @property
    def atoms(self) -> Atoms | None:
        """What is shown."""
        return None if self._shown is None else self._shown.atoms

    def show(self, structure: Any, cell: Any = None) -> None:
        """Show another structure, given as for the class.

        Raises
        ------
        AcgenError
            If it is not a periodic carbon structure.
        """
        self.display(Shown("", atoms_of(structure, cell), None))

    def display(self, shown: Shown) -> None:
        """Show what is analysed already."""
        self._shown = shown
        self.stream.show(
            shown.atoms.positions, shown.sticks, shown.atoms.cell.array, by_coordination(shown.coordination)
        )

    def _again(self, _widget: Any, message: dict, _buffers: Any) -> None:
        """A view that opens later, or again, gets the newest frame too."""
        if message.get("type") == "acgen_ready" and self._shown is not None:
            self.display(self._shown)


class SpectrumView(WithPlots):
    """A target and predicted spectra over photon energy.

    Parameters
    ----------
    target
        A target, a measured spectrum, the name of a shipped target, the path of a file, an array (M, 2) of energies in
        eV and intensities, or None.
    predictions
        What to compare it with: candidates, structures (their spectra are predicted), or arrays (100,) on
        `acgen.spectra.grid.ENERGY`. A measured target sees them through a fitted instrument, as a run would.
    width, height
        Pixels.
    """

    def __init__(self, target: Any = None, *predictions: Any, width: int = 520, height: int = 340):
        self.target = None if target is None else target_of(target)
        self.state = _state_with(self.target)
        self.plot = Plot(spectrum_view.SpectrumView(self.state), width, height)
        super().__init__([self.plot])
        if predictions:
            self.show(*predictions)

    @property
    def predictions(self) -> list[np.ndarray]:
        """The predicted mean spectra that are shown, each of shape (100,)."""
        return [shown.prediction for shown in self.state.compared if shown.prediction is not None]

    def show(self, *predictions: Any) -> None:
        """Compare with other predictions, given as for the class; several are shown with their mean and spread."""
        shown = tuple(predicted(item, number, self.target) for number, item in enumerate(predictions, start=1))
        self.state.param.update(shown=shown[0] if shown else None, compared=shown)
        self.plot.refresh()


class GuidedSampler(WithPlots):
    """Generate candidates and watch: controls, structure, spectrum and misfit.

    Parameters
    ----------
    target
        As for `SpectrumView`; None generates without guidance.
    models
        The networks; by default the shipped ones.
    options
        Any other field of `acgen.sampling.generate.Settings`: density, cell, xi, candidates, steps, restarts, seed …

    Raises
    ------
    AcgenError
        If the settings make no sense.
    """

    def __init__(self, target: Any = None, *, models: Models | None = None, **options: Any):
        self.settings = Settings(target=None if target is None else target_of(target), **options)
        self.runner = Runner(_generate, shared_models if models is None else lambda: models)
        self.state = _state_with(self.settings.target)
        self.structure = StructureView(width=360, height=360)
        self.plots = (
            Plot(spectrum_view.SpectrumView(self.state), 440, 230),
            Plot(MisfitView(self.state), 440, 150),
        )
        self.xi = ipywidgets.BoundedFloatText(
            self.settings.xi, min=0, max=1e6, step=10, description="ξ", layout=size(190)
        )
        self.buttons = {
            name: ipywidgets.Button(description=name, layout=size(90)) for name in ("Start", "Pause", "Stop")
        }
        self.text = ipywidgets.HTML()
        self._source: object = None
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

    def wait(self, seconds: float | None = None) -> list[Atoms]:
        """Start if nothing runs, wait until the run ends, and give its structures.

        Raises
        ------
        AcgenError
            If the run failed, with what to do; what else it failed by is a bug and is raised as it is.
        TimeoutError
            If it takes longer than `seconds`; it goes on.
        """
        if self.snapshot.status is Status.IDLE:
            self.start()
        end = None if seconds is None else time.monotonic() + seconds
        while self.snapshot.status.active:
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"the run is not finished after {seconds:g} s: {describe(self.snapshot)}")
            self.tick()
            time.sleep(TICK)
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
            self.text.value = html.escape(snapshot.error or describe(snapshot))
            self.buttons["Start"].disabled = active
            self.buttons["Pause"].disabled = self.buttons["Stop"].disabled = not active
            self.buttons["Pause"].description = "Resume" if snapshot.status is Status.PAUSED else "Pause"
        ended = not active and bool(snapshot.candidates)
        source: Any = snapshot.candidates[-1] if ended else snapshot.frame
        if source is not None and source is not self._source and (ended or self._due(now)):
            self._source = source
            self._display(snapshot, ended, now)

    async def _follow(self) -> None:
        """Look at the run until it ends."""
        while self.snapshot.status.active:
            self.tick()
            await asyncio.sleep(TICK)
        self.tick()

    def _due(self, now: float) -> bool:
        return self.structure.stream.free or now - self._plotted_at > PLOT_EVERY

    def _display(self, snapshot: Snapshot, ended: bool, now: float) -> None:
        if ended:
            shown = [show_candidate(item, str(item.index + 1)) for item in snapshot.candidates]
        else:
            shown = [show_frame(snapshot.frame, self.settings)]
        self.structure.display(shown[-1])
        if ended or now - self._plotted_at > PLOT_EVERY:
            self._plotted_at = now
            self.state.param.update(shown=shown[-1], compared=tuple(shown))
            for plot in self.plots:
                plot.refresh()

    def _pause(self) -> None:
        if self.snapshot.status is Status.PAUSED:
            self.runner.resume()
        else:
            self.runner.pause()


def _generate(settings: Settings, models: Models, strength: Strength) -> Iterator[FrameEvent | Candidate]:
    """The candidates of a run, with the threads that are free when it begins."""
    use_threads(settings.n_atoms)
    yield from generate(settings, models, strength)


def _state_with(target: Target | None) -> State:
    state = State()
    if target is None:
        state.target_name = NO_TARGET
    else:
        state.add_target(target)
    return state


def _told(action: Callable[[], None], text: ipywidgets.HTML) -> Callable[[Any], None]:
    """An action of a button whose refusal is said in the page."""

    def pressed(_event: Any) -> None:
        try:
            action()
        except AcgenError as error:
            text.value = html.escape(str(error))

    return pressed
