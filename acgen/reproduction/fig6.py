"""Fig. 6: perturbed diamond returns to diamond by itself, and becomes amorphous where a spectrum guides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, coordination, misfits, row_of
from acgen.reproduction.perturbed import AMORPHOUS, SEEDS, from_diamond, two_cells
from acgen.results.colours import OVERLAY_COLOURS, REFERENCE_COLOUR, TARGET_COLOUR
from acgen.results.figures import empty
from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import load_target
from acgen.structures.reference import reference_at
from acgen.structures.rings import diamond_fraction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

XI = 250
"""Strength of the guide, in the paper's unit."""
DENSITY = 3.5
"""Of the amorphous reference, g/cm³."""
POINTS = 300
"""Points of a kind that are drawn of (q̄4, q̄6)."""
KINDS = {
    "two-cells-0": "unguided",
    f"two-cells-{XI}": "guided",
    "usual-0": "unguided, usual network",
    f"usual-{XI}": "guided, usual network",
}
"""Cases, and what they are called."""
PAPER = {"two-cells-0": "diamond", f"two-cells-{XI}": "amorphous"}


def cases(given: Given) -> list[Case]:
    """Unguided and guided, by the network of two cells and by the usual one."""
    usual = [Case(f"usual-{xi}", from_diamond(given, AMORPHOUS, xi, SEEDS)) for xi in (0, XI)]
    return [two_cells(given, 0), two_cells(given, XI), *usual]


def answer(given: Given, made: Structures) -> Answer:
    """Diamond-like atoms, fit and structure of each kind, and the same figures of amorphous carbon."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    known = reference_at(DENSITY)
    for name, words in KINDS.items():
        found = made[name]
        analyses = [each.candidate.analysis for each in found]
        order = [100 * diamond_fraction(each.atoms) for each in found]
        rows.append(row_of(f"atoms with diamond's rings, {words}", PAPER.get(name, ""), order, "%"))
        close = "close to the target" if name == f"two-cells-{XI}" else ""
        note = f"{misfits(found, judge=True).mean():.2f} by the judge"
        rows.append(row_of(f"misfit to amorphous carbon, {words}", close, misfits(found), note=note))
        rows.append(row_of(f"CN4, {words}", "", coordination(found)[:, 4], "%"))
        rows.append(row_of(f"mean bond angle, {words}", "", [each.mean_angle for each in analyses], "°"))
        points = np.concatenate([np.column_stack([each.q4, each.q6]) for each in analyses])
        chosen = np.random.default_rng(0).permutation(len(points))[:POINTS]
        arrays |= {
            f"spectrum-{name}": np.mean([each.candidate.spectrum for each in found], axis=0),
            f"angles-{name}": np.mean([each.angle_distribution for each in analyses], axis=0),
            f"g-{name}": np.mean([each.rdf.g for each in analyses], axis=0),
            f"order-{name}": points[chosen],
        }
    rows.append(Row("CN4, molecular dynamics and public network", "", 100 * known.coordination[4], "%"))
    rows.append(Row("mean bond angle, molecular dynamics and public network", "", known.mean_angle, "°"))
    return Answer(tuple(rows), arrays)


def draw(found: Answer) -> Figure:
    """Spectra, g(r), bond angles and order parameters of each kind, with amorphous carbon."""
    figure = empty(7.0)
    (spectra, rdf), (angles, order) = figure.subplots(2, 2)
    known = reference_at(DENSITY)
    spectra.plot(ENERGY, load_target(AMORPHOUS).intensity, color=TARGET_COLOUR, lw=3, label="target")
    rdf.plot(known.rdf.r, known.rdf.g, color=REFERENCE_COLOUR, lw=3, label="amorphous reference")
    angles.plot(known.angles, 100 * known.angle_distribution, color=REFERENCE_COLOUR, lw=3)
    for (name, words), colour in zip(KINDS.items(), OVERLAY_COLOURS, strict=False):
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


FIGURE = PaperFigure("fig6", "Perturbed diamond, unguided and guided to amorphous carbon", cases, answer, draw)
