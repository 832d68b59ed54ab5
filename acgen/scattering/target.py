"""What a measured pair distribution is that guides the generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms

from acgen.checks import want
from acgen.errors import AcgenError
from acgen.scattering.pairs import REACH, number_density, reduced_pdf
from acgen.structures.cell import heights

PairKind = Literal["g", "G", "S"]
KINDS: dict[PairKind, str] = {"g": "g(r)", "G": "G(r) = 4πρr(g - 1)", "S": "S(Q)"}
"""What a file may hold, in words."""

STEP = 0.05
"""Distance of points in Å: half the narrowest window."""
R_RANGE = (1.0, 10.0)
"""Distances in Å that are compared, if the file and the cell have them: below are no atoms and much of a measurement's
error, above says little of amorphous carbon."""
SIGMA = 0.1
"""Narrowest window in Å. It hides that a cell has few atoms, and most ripples of a measurement that ends at 20 Å⁻¹."""
LEAST_R = 3.0
"""Distance in Å up to which there have to be points: the second neighbours."""
SCALE_RANGE = (0.5, 2.0)
"""Bounds of the scale that is fitted to a G(r)."""
FIRST_SHELL = 1.95
"""Distance in Å between first and second neighbours."""
NEIGHBOURS = (1.5, 4.8)
"""Neighbours that atoms of carbon have on average, with some room."""
OTHER_DENSITY = 0.25
"""Part by which a density may differ from that of the settings before it is said."""


class PairError(AcgenError):
    """A pair distribution that cannot be read or used; the message is one line that says why and what to do."""


@dataclass(frozen=True, eq=False)
class PairTarget:
    """A measured pair distribution as r (g(r) - 1), through the window that predictions have too.

    Raises
    ------
    PairError
        If an array is not finite or they do not fit, or the range is too short.
    """

    #: Distances in Å, shape (points,), `STEP` apart; read-only.
    r: np.ndarray
    #: G(r) in Å⁻² of a measured G(r) or S(Q); r (g - 1) in Å of a measured g(r); shape (points,), read-only.
    values: np.ndarray
    #: What was measured.
    kind: PairKind
    #: The window in Å, see `acgen.scattering.pairs`.
    sigma: float = SIGMA
    #: What to call it in tables and plots.
    name: str = ""
    #: How it came about, one sentence each.
    history: tuple[str, ...] = ()
    #: What the user should know before believing results, one sentence each.
    warnings: tuple[str, ...] = ()
    #: Density in g/cm³ by the slope -4πρr at small r, if the file has that; of a G(r) only as good as its scale.
    density: float | None = None
    #: SHA-256 of the file, in hexadecimal; empty if there is none.
    sha256: str = ""

    def __post_init__(self) -> None:
        r, values = (np.array(each, dtype=float) for each in (self.r, self.values))
        if r.ndim != 1 or r.shape != values.shape or not (np.isfinite(r).all() and np.isfinite(values).all()):
            raise PairError("a pair distribution has as many distances as values, all finite: prepare it again")
        low, high = R_RANGE
        if len(r) < 3 or not np.allclose(np.diff(r), STEP) or r[0] < low - 1e-6 or r[-1] > high + 1e-6:
            raise PairError(f"a pair distribution lies {STEP} Å apart between {low:g} and {high:g} Å: read it anew")
        if r[-1] < LEAST_R - 1e-6 or not values.any():
            raise PairError(f"a pair distribution has to reach {LEAST_R:g} Å and be something: give a longer one")
        numbers = (self.sigma, *(() if self.density is None else (self.density,)))
        want(all(isinstance(each, float) and np.isfinite(each) for each in numbers), "a window or density is no number")
        want(SIGMA <= self.sigma <= 1, f"a window of {self.sigma:g} Å is out of range: give {SIGMA} to 1 Å")
        want(self.kind in KINDS, f"a pair distribution of kind {self.kind!r:.20} is unknown: use {', '.join(KINDS)}")
        for name, array in (("r", r), ("values", values)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "history", tuple(self.history))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        words = (self.name, *self.history, *self.warnings, self.sha256)
        want(all(isinstance(word, str) for word in words), "name and history of a pair distribution are texts")

    @property
    def label(self) -> str:
        """What is drawn over r, with its unit."""
        return "g(r)" if self.kind == "g" else "G(r) (Å⁻²)"

    @property
    def record(self) -> tuple[str, ...]:
        """All that makes it reproducible, one sentence each."""
        return (*self.history, *((f"SHA-256 of the file: {self.sha256}.",) if self.sha256 else ()))

    def drawn(self, values: np.ndarray) -> np.ndarray:
        """What `label` says of values at the first points, shape (points,)."""
        return 1 + values / self.r[: len(values)] if self.kind == "g" else values

    def points(self, cell: np.ndarray) -> int:
        """How many of its points are compared in a cell (3, 3) in Å: those whose peaks end at half its lowest height.

        Beyond, an atom sees its own images, and an amorphous structure has none.

        Raises
        ------
        PairError
            If that is less than the second neighbours.
        """
        end = float(heights(np.asarray(cell)).min()) / 2 - REACH * self.sigma
        if end < LEAST_R - 1e-6:
            least = 2 * (LEAST_R + REACH * self.sigma)
            raise PairError(
                f"the cell tells distances up to {max(end, 0):.1f} Å, and a pair distribution needs {LEAST_R:g}: give "
                f"one of {least:.1f} Å or more between its closest faces"
            )
        return int(np.count_nonzero(self.r <= end + 1e-6))

    def unit(self, density: float) -> float:
        """What G(r) in Å⁻² of a structure of so many atoms per Å³ is multiplied with to be as `values`."""
        return 1 / (4 * np.pi * density) if self.kind == "g" else 1.0

    def scale(self, prediction: np.ndarray) -> float:
        """What a prediction, in that unit, is multiplied with: 1, but for a G(r) the best, within bounds.

        g(r) and S(Q) go to 1 and so have a scale; G(r) goes to 0, and that of ad hoc corrections (PDFgetX3) is free.
        """
        if self.kind != "G":
            return 1.0
        here, power = self.values[: len(prediction)], float(prediction @ prediction)
        return float(np.clip(float(here @ prediction) / power, *SCALE_RANGE)) if power else 1.0

    def norm(self, points: int) -> float:
        """Root of the sum of squares of the first points."""
        return float(np.linalg.norm(self.values[:points]))

    def compare(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        """Misfit of a structure, and its prediction (points,) as `values`, scaled.

        The misfit is R_w = ‖measured - predicted‖ / ‖measured‖ of r (g - 1), as PDFgui has it, over the points of
        `points`: 0 is equal, and 1 what no structure at all (g = 1) has.
        """
        points = self.points(atoms.cell.array)
        reduced = reduced_pdf(atoms, self.r[:points], self.sigma)
        prediction = self.unit(len(atoms) / atoms.get_volume()) * reduced
        prediction = self.scale(prediction) * prediction
        return float(np.linalg.norm(self.values[:points] - prediction)) / self.norm(points), prediction

    def neighbours(self, density: float) -> float:
        """Neighbours under the first peak at a density in g/cm³."""
        rho = number_density(density)
        r = self.r[self.r <= FIRST_SHELL]
        reduced = self.values[: len(r)] * (4 * np.pi * rho if self.kind == "g" else 1)
        return float(np.trapezoid(r * (reduced + 4 * np.pi * rho * r), r))

    def doubts(self, density: float) -> tuple[str, ...]:
        """What speaks against it at a density in g/cm³, one sentence each; empty if nothing."""
        found = []
        count, (low, high) = self.neighbours(density), NEIGHBOURS
        if not low <= count <= high:
            found.append(
                f"Under the first peak of {self.name} lie {count:.1f} neighbours at {density:g} g/cm³, carbon has 2 to "
                "4: check density, scale and element."
            )
        if self.density is not None and abs(self.density / density - 1) > OTHER_DENSITY:
            known = " if its scale is right" if self.kind == "G" else ""
            found.append(
                f"The slope of {self.name} at small r is that of {self.density:.2f} g/cm³{known}, not of {density:g}: "
                "check the density."
            )
        return tuple(found)
