"""The dashboard's parts for a notebook: objects that display by themselves and give their results to Python.

Each is an ipywidget: the last line of a cell shows it, and any layout of ipywidgets can hold it. No server is needed
and nothing is loaded from another host. They take `ase.Atoms`, arrays, an `acgen` spectrum or target, the name of a
shipped target, or the path of a file.
"""

from __future__ import annotations

import asyncio
import functools
import html
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import holoviews as hv
import ipywidgets
import numpy as np
from ase import Atoms
from bokeh.resources import Resources
from IPython.display import publish_display_data
from jupyter_bokeh.widgets import BokehModel

from acgen.data.cells import load_cells
from acgen.ensemble import Candidate, Models, Settings, generate, load_models, predict_sites
from acgen.results import Run, write_zip
from acgen.settings import check_xi
from acgen.spectra.grid import N_POINTS
from acgen.spectra.prepare import prepare
from acgen.spectra.spectrum import Spectrum, Target
from acgen.spectra.targets import load_target
from acgen.structure import carbon, cell_matrix
from app import colours
from app.export import run_of
from app.frontend import in_notebook
from app.ngl import FrameStream
from app.runner import Runner
from app.snapshot import Snapshot, Status
from app.state import NO_TARGET, State
from app.structure import Shown, show_candidate, show_frame
from app.views import spectrum as spectrum_view
from app.views.plot import LivePlot, swatch
from app.views.progress import MisfitView, describe

#: Seconds between two looks at a run, and between two updates of the plots.
TICK, PLOT_EVERY = 0.1, 0.5

#: How legends look; in the dashboard the page's style sheet says it.
_STYLE = (
    "<style>.swatch{display:inline-block;width:14px;height:3px;margin:0 4px 2px 10px;background:var(--colour)}"
    ".swatch.dot{width:10px;height:10px;border-radius:5px;margin-bottom:-1px}.swatch.band{height:9px;opacity:.35}</style>"
)

shared_models = functools.cache(load_models)


def load_bokeh() -> None:
    """Bring BokehJS into the notebook's page, which the plots need; `bokeh.io.output_notebook` would ask other hosts
    for Panel's scripts too."""
    script = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    publish_display_data({"application/vnd.bokehjs_load.v0+json": script, "text/plain": ""})


if in_notebook():
    load_bokeh()


class _WithPlots(ipywidgets.VBox):
    """Loads BokehJS in the cell that displays it: JupyterLab does not run what other cells put out while unseen."""

    def _ipython_display_(self) -> None:
        load_bokeh()
        publish_display_data(self._repr_mimebundle_())


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
        picture = ipywidgets.Box([self.stream.widget], layout=_size(width, height))
        super().__init__([ipywidgets.HTML(_legend()), picture], layout=_size(width, height + 32))
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
        ValueError
            If it is not a periodic carbon structure.
        """
        self.display(Shown("", atoms_of(structure, cell), None))

    def display(self, shown: Shown) -> None:
        """Show what is analysed already."""
        self._shown = shown
        self.stream.show(shown.atoms.positions, shown.sticks, shown.coordination, shown.atoms.cell.array)

    def _again(self, _widget: Any, message: dict, _buffers: Any) -> None:
        """A view that opens later, or again, gets the newest frame too."""
        if message.get("type") == "acgen_ready" and self._shown is not None:
            self.display(self._shown)


class SpectrumView(_WithPlots):
    """A target and predicted spectra over photon energy.

    Parameters
    ----------
    target
        A target, a measured spectrum, the name of a shipped target, the path of a file, an array (M, 2) of energies in
        eV and intensities, or None.
    predictions
        What to compare it with: candidates, structures (their spectra are predicted), or arrays (100,) on
        `acgen.spectra.grid.ENERGY`.
    width, height
        Pixels.
    """

    def __init__(self, target: Any = None, *predictions: Any, width: int = 520, height: int = 340):
        self.target = None if target is None else target_of(target)
        self.state = _state_with(self.target)
        self.plot = _Plot(spectrum_view.SpectrumView(self.state), width, height)
        super().__init__([self.plot])
        if predictions:
            self.show(*predictions)

    @property
    def predictions(self) -> list[np.ndarray]:
        """The predicted mean spectra that are shown, each of shape (100,)."""
        return [shown.prediction for shown in self.state.compared if shown.prediction is not None]

    def show(self, *predictions: Any) -> None:
        """Compare with other predictions, given as for the class; several are shown with their mean and spread."""
        shown = tuple(_predicted(item, number) for number, item in enumerate(predictions, start=1))
        self.state.param.update(shown=shown[0] if shown else None, compared=shown)
        self.plot.refresh()


class GuidedSampler(_WithPlots):
    """Generate candidates and watch: controls, structure, spectrum and misfit.

    Parameters
    ----------
    target
        As for `SpectrumView`; None generates without guidance.
    models
        The networks; by default the shipped ones.
    options
        Any other field of `acgen.ensemble.Settings`: density, cell, xi, candidates, steps, restarts, seed …

    Raises
    ------
    ValueError
        If the settings make no sense.
    """

    def __init__(self, target: Any = None, *, models: Models | None = None, **options: Any):
        self.settings = Settings(target=None if target is None else target_of(target), **options)
        self.runner = Runner(generate, shared_models if models is None else lambda: models)
        self.state = _state_with(self.settings.target)
        self.structure = StructureView()
        self.plots = (
            _Plot(spectrum_view.SpectrumView(self.state), 500, 250),
            _Plot(MisfitView(self.state), 500, 150),
        )
        self.xi = ipywidgets.BoundedFloatText(
            self.settings.xi, min=0, max=1e6, step=10, description="ξ", layout=_size(190)
        )
        self.buttons = {
            name: ipywidgets.Button(description=name, layout=_size(90)) for name in ("Start", "Pause", "Stop")
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
        """Their predicted mean spectra, shape (candidates, 100), on `acgen.spectra.grid.ENERGY`."""
        return np.array([candidate.spectrum for candidate in self.snapshot.candidates]).reshape(-1, N_POINTS)

    @property
    def run(self) -> Run:
        """The run as `acgen.results` takes it."""
        return run_of(self.snapshot)

    def start(self) -> None:
        """Begin the run in the background and return at once.

        Raises
        ------
        RuntimeError
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
        ValueError
            If the run failed, with what to do.
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
        if self.snapshot.status is Status.FAILED:
            raise ValueError(self.snapshot.error)
        return self.candidates

    def save(self, file: str | Path) -> None:
        """Write everything as one zip file, see `acgen.results`."""
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
            shown = [show_frame(snapshot.frame, self.settings.box)]
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


class _Plot(ipywidgets.VBox):
    """A live plot of the dashboard with its heading and legend."""

    def __init__(self, plot: LivePlot, width: int, height: int):
        self._plot = plot
        self._text = ipywidgets.HTML()
        figure = hv.renderer("bokeh").get_plot(plot.plot.object).state
        figure.update(sizing_mode="fixed", width=width, height=height)
        super().__init__([self._text, BokehModel(figure, combine_events=True)], layout=_size(width + 10))
        self._describe()

    def refresh(self) -> None:
        """Draw what is new."""
        if self._plot.refresh():
            self._describe()

    def _describe(self) -> None:
        self._text.value = f"<b>{self._plot.title}</b> &emsp; {_STYLE}{self._plot.legend() or self._plot.empty()}"


def atoms_of(structure: Any, cell: Any = None) -> Atoms:
    """A structure of any kind that `StructureView` takes, as periodic carbon wrapped into its cell.

    Raises
    ------
    ValueError
        If it is none, with what would do.
    """
    if isinstance(structure, Candidate):
        structure = structure.atoms
    if isinstance(structure, (str, Path)):
        structure = load_cells(structure)[-1].atoms
    if isinstance(structure, Atoms):
        if set(structure.get_chemical_symbols()) != {"C"} or structure.cell.rank < 3:
            raise ValueError(f"got {structure.get_chemical_formula() or 'no atoms'}: give carbon in a periodic cell")
        return carbon(structure.positions, structure.cell.array)
    positions = np.asarray(structure, dtype=float)
    if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
        raise ValueError(f"got positions of shape {positions.shape}: give finite ones of shape (N, 3) in Å")
    if cell is None:
        raise ValueError("positions need a cell: give one edge, three edges or three vectors in Å")
    return carbon(positions, cell_matrix(cell))


def target_of(source: Any) -> Target:
    """A target of any kind that `SpectrumView` takes.

    Raises
    ------
    ValueError
        If it is none, with what would do.
    """
    if isinstance(source, Target):
        return source
    if isinstance(source, (str, Path)):
        return load_target(source)
    if not isinstance(source, Spectrum):
        table = np.asarray(source, dtype=float)
        if table.ndim != 2 or 2 not in table.shape:
            raise ValueError(f"got an array of shape {table.shape}: give energies in eV and intensities, shape (M, 2)")
        energy, intensity = table.T if table.shape[1] == 2 else table
        source = Spectrum(energy, intensity, "spectrum")
    return prepare(source)


def _predicted(item: Any, number: int) -> Shown:
    if isinstance(item, Candidate):
        return show_candidate(item, str(item.index + 1))
    if isinstance(item, (Atoms, str, Path)):
        atoms = atoms_of(item)
        sites = predict_sites(shared_models().forward, atoms)
        return Shown(str(number), atoms, sites.mean(0), sites)
    values = np.asarray(item, dtype=float)
    if values.shape != (N_POINTS,):
        raise ValueError(f"got a prediction of shape {values.shape}: give ({N_POINTS},), on acgen.spectra.grid.ENERGY")
    return Shown(str(number), Atoms(), values)


def _state_with(target: Target | None) -> State:
    state = State()
    if target is None:
        state.target_name = NO_TARGET
    else:
        state.add_target(target)
    return state


def _legend() -> str:
    entries = (swatch(colours.CN[cn], name, "dot") for cn, name in colours.CN_NAMES.items())
    return f"{_STYLE}CN {' '.join(entries)}"


def _size(width: int, height: int | None = None) -> ipywidgets.Layout:
    """Pixels that nothing shrinks."""
    tall = {} if height is None else {"height": f"{height}px"}
    return ipywidgets.Layout(width=f"{width}px", flex="0 0 auto", overflow="hidden", **tall)


def _told(action: Callable[[], None], text: ipywidgets.HTML) -> Callable[[Any], None]:
    """An action of a button whose refusal is said in the page."""

    def pressed(_event: Any) -> None:
        try:
            action()
        except (ValueError, RuntimeError) as error:
            text.value = html.escape(str(error))

    return pressed
