"""What a figure of the paper is here: the structures it needs, the answer made of them, and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.statistics import mean_and_spread
from acgen.structures.cell import edge_of

if TYPE_CHECKING:
    import matplotlib.figure

    from acgen.networks.models import Models

ATOMS = 216
"""Of a cell of the paper."""
QUICK_ATOMS = 56
"""Of a cell of a quick look."""
DENSITIES = (1.5, 2.0, 2.5, 3.0, 3.5)
"""Of the paper's cells, g/cm³."""
PAPER_XI = ATOMS**0.5
"""A strength of the paper's guide, whose loss is of every atom, is so many times that here, where it is of the mean."""


@dataclass(frozen=True)
class Case:
    """Structures of one kind that a figure needs.

    Parameters
    ----------
    name
        Of its files: letters, digits, dots and dashes.
    settings
        What to make; `settings.candidates` structures of seeds from `settings.seed`.
    score
        Shipped score weights that the paper trained for this figure alone; empty for the usual ones.
    """

    name: str
    settings: Settings
    score: str = ""


@dataclass(frozen=True, eq=False)
class Made:
    """A structure that was made.

    Parameters
    ----------
    candidate
        With spectra and misfits.
    passes
        The structure after the first pass, after each restart and after an anneal; the last is the candidate's.
    """

    candidate: Candidate
    passes: tuple[Atoms, ...]

    @property
    def atoms(self) -> Atoms:
        """The finished structure."""
        return self.passes[-1]


Structures = Mapping[str, Sequence[Made]]
"""What was made, by the names of cases."""


@dataclass(frozen=True, eq=False)
class Given:
    """What figures are made with, beside the shipped targets and reference cells.

    Parameters
    ----------
    models
        The networks.
    quick
        A look in seconds, with small cells and few of them, instead of the figure.
    data
        Folders or files with cells of molecular dynamics; the shipped reference cells if there are none.
    potential
        `C_2022_NEP4.txt`, where energies are wanted.
    """

    models: Models
    quick: bool = False
    data: tuple[Path, ...] = ()
    potential: Path | None = None

    @property
    def atoms(self) -> int:
        """Of a cell of the paper's usual size."""
        return QUICK_ATOMS if self.quick else ATOMS

    def count(self, full: int) -> int:
        """How many structures of a kind, where the figure has `full`."""
        return 2 if self.quick else full

    def settings(self, density: float, full: int, **others: Any) -> Settings:
        """Settings of `full` cells of the usual size at a density in g/cm³."""
        short = {"steps": 8, "restart_steps": 4, "restarts": 1} if self.quick else {}
        size = {"density": density, "cell": edge_of(self.atoms, density), "candidates": self.count(full)}
        return Settings(**{**size, **short, **others})


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Parameters
    ----------
    what
        The quantity.
    paper
        What the paper says of it, in words; empty where it says nothing.
    here
        The value found, or words.
    unit
        Of `here`.
    spread
        Standard deviation of `here` over structures or seeds, if it is one of several.
    note
        What else should be known.
    """

    what: str
    paper: str
    here: float | str
    unit: str = ""
    spread: float | None = None
    note: str = ""

    @property
    def words(self) -> str:
        """Value, spread and unit."""
        if isinstance(self.here, str):
            return self.here
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        return f"{self.here:.3g}{spread} {self.unit}".strip()


@dataclass(frozen=True, eq=False)
class Answer:
    """What a figure shows: rows of the table, and the arrays that are drawn."""

    rows: tuple[Row, ...]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    Parameters
    ----------
    id, title
        As `fig8`, and what it shows.
    cases
        What has to be made.
    answer
        Rows and arrays, of what was made.
    draw
        The plot of an answer.
    """

    id: str
    title: str
    cases: Callable[[Given], Sequence[Case]]
    answer: Callable[[Given, Structures], Answer]
    draw: Callable[[Answer], matplotlib.figure.Figure]


def figure_of(name: str) -> PaperFigure:
    """A figure by a name of `acgen.reproduction.IDS`."""
    return import_module(f"acgen.reproduction.{name}").FIGURE


def row_of(what: str, paper: str, values: Sequence[float] | np.ndarray, unit: str = "", note: str = "") -> Row:
    """A row of the mean of values and their standard deviation."""
    mean, spread = mean_and_spread(values)
    return Row(what, paper, float(mean), unit, float(spread), note)


def coordination(made: Sequence[Made]) -> np.ndarray:
    """Percentage of atoms with 0, 1, ..., 5 or more neighbours, of each structure; shape (structures, 6)."""
    return 100 * np.array([[*each.candidate.analysis.coordination.values()] for each in made])


def misfits(made: Sequence[Made], judge: bool = False) -> np.ndarray:
    """Distance of each structure to its target by the guiding model or the judge, shape (structures,)."""
    found = [each.candidate.judge_misfit if judge else each.candidate.misfit for each in made]
    return np.array(found, dtype=float)
