"""The dashboard's parts for a notebook: objects that display by themselves and give their results to Python.

Each is an ipywidget: the last line of a cell shows it, and any layout of ipywidgets can hold it. No server is needed
and nothing is loaded from another host. They take `ase.Atoms`, arrays, an `acgen` spectrum or target, the name of a
shipped target, or the path of a file.
"""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np
from ase import Atoms

from acgen.spectra.spectrum import Target
from app.notebook.inputs import atoms_of, predicted, target_of
from app.notebook.plot import Plot, WithPlots, legend, size
from app.session.shown import Shown
from app.session.state import NO_TARGET, State
from app.viewer.colouring import by_coordination
from app.viewer.ngl import FrameStream
from app.views import spectrum as spectrum_view


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
            shown.atoms.positions, shown.bonds, shown.atoms.cell.array, by_coordination(shown.coordination)
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
        `acgen.spectra.grid.ENERGY`. A measured target sees them through a fitted instrument, as a run would and as
        their misfits are; a box below takes it away.
    width, height
        Pixels.
    """

    def __init__(self, target: Any = None, *predictions: Any, width: int = 520, height: int = 340):
        self.target = None if target is None else target_of(target)
        self.state = state_with(self.target)
        self.plain = ipywidgets.Checkbox(False, description=self.state.param.plain.label, indent=False, layout=size(90))
        self._choose(predictions)
        self.plot = Plot(spectrum_view.SpectrumView(self.state), width, height)
        self.plain.observe(self._see, "value")
        super().__init__([self.plot, self.plain])

    @property
    def predictions(self) -> list[np.ndarray]:
        """The predicted mean spectra that are shown, each of shape (100,)."""
        return [shown.prediction for shown in self.state.compared if shown.prediction is not None]

    def show(self, *predictions: Any) -> None:
        """Compare with other predictions, given as for the class; several are shown with their mean and spread."""
        self._choose(predictions)
        self.plot.refresh()

    def _choose(self, predictions: tuple[Any, ...]) -> None:
        shown = tuple(predicted(item, number, self.target) for number, item in enumerate(predictions, start=1))
        self.state.param.update(shown=shown[0] if shown else None, compared=shown)
        fitted = any(one.instrument is not None and one.spectrum is not None for one in shown)
        self.plain.layout.display = None if fitted else "none"

    def _see(self, change: dict[str, Any]) -> None:
        self.state.plain = change["new"]
        self.plot.refresh()


def state_with(target: Target | None) -> State:
    """What views show before there is any prediction."""
    state = State()
    if target is None:
        state.target_name = NO_TARGET
    else:
        state.add_target(target)
    return state
