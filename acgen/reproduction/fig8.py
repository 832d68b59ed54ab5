"""Fig. 8: atoms with one neighbour against cycles of restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from acgen.reproduction.figure import DENSITIES, Answer, Case, Given, PaperFigure, Row, Structures
from acgen.results.colours import OVERLAY_COLOURS
from acgen.results.figures import empty
from acgen.sampling.schedule import DEFAULT_EFFORT
from acgen.structures.analysis import coordination_fractions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CYCLES, CELLS = 10, 20
"""Most restarts of the figure, and cells of each density."""
PAPER_T = 0.3
"""Noise time of the paper's restarts."""


def cases(given: Given) -> list[Case]:
    """At each density: restarts from the paper's time, the usual annealed ones, and as many steps without restarts."""
    effort = DEFAULT_EFFORT
    cycles = 2 if given.quick else CYCLES
    paper = {"restarts": cycles, "restart_t": (PAPER_T, PAPER_T)}
    plain = {"restarts": 0, **({} if given.quick else {"steps": effort.total})}
    found = []
    for density in DENSITIES[1:3] if given.quick else DENSITIES:
        for name, options in (("restarts", paper), ("annealed", {}), ("steps", plain)):
            found.append(Case(f"fig8-{name}-{density}", given.settings(density, CELLS, **options)))
    return found


def answer(given: Given, made: Structures) -> Answer:
    """Share of atoms with one neighbour (or none) after each cycle, and of the plans at equal evaluations."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for name, found in made.items():
        shares = np.array([[lonely(atoms) for atoms in each.passes] for each in found])
        arrays[name.removeprefix("fig8-")] = shares
    densities = sorted({name.rpartition("-")[2] for name in arrays})
    last = 1 if given.quick else DEFAULT_EFFORT.restarts
    for density in densities:
        curve = arrays[f"restarts-{density}"]
        label = f"CN1 at {density} g/cm³"
        rows.append(_share(f"{label}, K = 0", "some", curve[:, 0]))
        rows.append(_share(f"{label}, K = {last}", "about 0 (6 to 10 cycles)", curve[:, last]))
        for name, words in (("annealed", "annealed restarts"), ("steps", "no restarts, as many steps")):
            rows.append(_share(f"{label}, {words}", "", arrays[f"{name}-{density}"][:, -1], _bound(made, density)))
    return Answer(tuple(rows), arrays)


def lonely(atoms: Atoms) -> float:
    """Percentage of atoms with one neighbour or none."""
    shares = coordination_fractions(atoms)
    return 100 * (shares[0] + shares[1])


def _share(what: str, paper: str, values: np.ndarray, note: str = "") -> Row:
    spread = float(values.std(ddof=1))
    return Row(what, paper, float(values.mean()), "%", spread, note)


def _bound(made: Structures, density: str) -> str:
    """How small a share can be seen."""
    atoms = sum(len(each.atoms) for each in made[f"fig8-annealed-{density}"])
    return f"{atoms} atoms: one is {100 / atoms:.2g} %"


def draw(found: Answer) -> Figure:
    """Share of atoms with one neighbour over cycles, mean and its standard error, for each density."""
    figure = empty()
    axes = figure.subplots()
    for name, colour in zip(
        (name for name in found.arrays if name.startswith("restarts-")), OVERLAY_COLOURS, strict=False
    ):
        curve = found.arrays[name]
        error = curve.std(axis=0, ddof=1) / np.sqrt(len(curve))
        label = f"{name.rpartition('-')[2]} g/cm³"
        axes.errorbar(
            range(curve.shape[1]), curve.mean(0), error, color=colour, capsize=3, marker="o", ms=4, lw=1.4, label=label
        )
    axes.set(xlabel="cycles of restart K", ylabel="atoms with one neighbour (%)", ylim=(0, None))
    axes.legend(frameon=False)
    return figure


FIGURE = PaperFigure("fig8", "Restarts remove atoms with one neighbour", cases, answer, draw)
