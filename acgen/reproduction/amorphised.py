"""Fig. 6 and Supp. Fig. 3: a perturbed crystal returns by itself, and becomes amorphous where a spectrum guides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, coordination, misfits, row_of
from acgen.reproduction.perturbed import Crystal
from acgen.results.colours import OVERLAY_COLOURS, REFERENCE_COLOUR, TARGET_COLOUR
from acgen.results.figures import empty
from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import load_target
from acgen.structures.reference import reference_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

XI = 250
"""Strength of the guide, in the paper's unit."""
POINTS = 300
"""Points of a kind that are drawn of (q̄4, q̄6)."""


@dataclass(frozen=True)
class Amorphised:
    """The figure of a crystal.

    Parameters
    ----------
    crystal
        What is perturbed.
    cn
        The coordination number that is told.
    """

    crystal: Crystal
    cn: int

    def figure(self, name: str, title: str) -> PaperFigure:
        """The figure of the paper by this name."""
        return PaperFigure(name, title, self.cases, self.answer, self.draw)

    def cases(self, given: Given) -> list[Case]:
        """Unguided and guided, by the network of two cells and by the usual one."""
        crystal = self.crystal
        return [make(given, xi) for make in (crystal.case, crystal.usual_case) for xi in (0, XI)]

    def answer(self, given: Given, made: Structures) -> Answer:
        """Atoms like the crystal's, fit and structure of each kind, and the same figures of amorphous carbon."""
        rows: list[Row] = []
        arrays: dict[str, np.ndarray] = {}
        known = reference_at(self.crystal.density)
        for name, words, paper, close in self._kinds():
            found = made[name]
            analyses = [each.candidate.analysis for each in found]
            order = [100 * self.crystal.fraction(each.atoms) for each in found]
            rows.append(row_of(f"atoms with {self.crystal.rings}, {words}", paper, order, "%"))
            note = f"{misfits(found, judge=True).mean():.2f} by the judge"
            rows.append(row_of(f"misfit to amorphous carbon, {words}", close, misfits(found), note=note))
            rows.append(row_of(f"CN{self.cn}, {words}", "", coordination(found)[:, self.cn], "%"))
            rows.append(row_of(f"mean bond angle, {words}", "", [each.mean_angle for each in analyses], "°"))
            points = np.concatenate([np.column_stack([each.q4, each.q6]) for each in analyses])
            chosen = np.random.default_rng(0).permutation(len(points))[:POINTS]
            arrays |= {
                f"spectrum-{name}": np.mean([each.candidate.spectrum for each in found], axis=0),
                f"angles-{name}": np.mean([each.angle_distribution for each in analyses], axis=0),
                f"g-{name}": np.mean([each.rdf.g for each in analyses], axis=0),
                f"order-{name}": points[chosen],
            }
        source = "molecular dynamics and public network"
        rows.append(Row(f"CN{self.cn}, {source}", "", 100 * known.coordination[self.cn], "%"))
        rows.append(Row(f"mean bond angle, {source}", "", known.mean_angle, "°"))
        return Answer(tuple(rows), arrays)

    def draw(self, found: Answer) -> Figure:
        """Spectra, g(r), bond angles and order parameters of each kind, with amorphous carbon."""
        figure = empty(7.0)
        (spectra, rdf), (angles, order) = figure.subplots(2, 2)
        known, target = reference_at(self.crystal.density), load_target(self.crystal.amorphous)
        spectra.plot(ENERGY, target.intensity, color=TARGET_COLOUR, lw=3, label="target")
        rdf.plot(known.rdf.r, known.rdf.g, color=REFERENCE_COLOUR, lw=3, label="amorphous reference")
        angles.plot(known.angles, 100 * known.angle_distribution, color=REFERENCE_COLOUR, lw=3)
        for (name, words, _paper, _close), colour in zip(self._kinds(), OVERLAY_COLOURS, strict=False):
            style: dict[str, Any] = {"color": colour, "lw": 1.2}
            spectra.plot(ENERGY, found.arrays[f"spectrum-{name}"], label=words, **style)
            rdf.plot(known.rdf.r, found.arrays[f"g-{name}"], **style)
            angles.plot(known.angles, 100 * found.arrays[f"angles-{name}"], **style)
            order.plot(*found.arrays[f"order-{name}"].T, "o", ms=2, alpha=0.5, color=colour)
        spectra.set(xlabel="photon energy (eV)", ylabel="absorption (arb. units)", xlim=(ENERGY[0], ENERGY[-1]))
        spectra.legend(frameon=False, fontsize="x-small")
        rdf.set(xlabel="distance r (Å)", ylabel="g(r)", xlim=(0.8, 6), ylim=(0, 12))
        rdf.legend(frameon=False, fontsize="x-small")
        angles.set(xlabel="bond angle (°)", ylabel="bond angles (% per °)", xlim=(60, 180), ylim=(0, 8))
        order.set(xlabel="q̄4", ylabel="q̄6")
        return figure

    def _kinds(self) -> Iterator[tuple[str, str, str, str]]:
        """Of each case its name, what it is called, and what the paper shows of the crystal and of the misfit."""
        crystal = self.crystal
        yield f"{crystal.cases}-0", "unguided", crystal.name, ""
        yield f"{crystal.cases}-{XI}", "guided", "amorphous", "close to the target"
        yield f"{crystal.usual_cases}-0", "unguided, usual network", "", ""
        yield f"{crystal.usual_cases}-{XI}", "guided, usual network", "", ""
