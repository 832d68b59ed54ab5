"""Fig. 2: large cells by networks that learned from small ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from acgen.reproduction import fig3
from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, coordination
from acgen.results.colours import OVERLAY_COLOURS
from acgen.results.figures import empty
from acgen.statistics import mean_and_spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EDGE, QUICK_EDGE = 36.0, 12.0
"""Edge of the cells in Å, and for a quick look."""
HUGE_DENSITY, HUGE_EDGE = "2.0", 103.4
"""Density in g/cm³ and edge in Å of one cell beyond the paper's, of 110,857 atoms."""
PAPER = {("1.5", 2): "sp and sp²", ("1.5", 3): "sp and sp²", ("3.5", 3): "sp² and sp³", ("3.5", 4): "sp² and sp³"}
"""What the paper says prevails, by density and coordination number."""


def cases(given: Given) -> list[Case]:
    """A large cell at each density, one that is huge, and the small ones of Fig. 3."""
    edge = QUICK_EDGE if given.quick else EDGE
    small = [case for case in fig3.cases(given) if not case.settings.refine]
    huge = [] if given.quick else [case for case in small if case.name == f"fig3-{HUGE_DENSITY}"]
    return [*small, *(_large(case, edge) for case in small), *(_large(case, HUGE_EDGE, "-huge") for case in huge)]


def _large(case: Case, edge: float, ending: str = "") -> Case:
    settings = replace(case.settings, cell=edge, candidates=1)
    return Case(case.name.replace("fig3", "fig2") + ending, settings)


def answer(given: Given, made: Structures) -> Answer:
    """Coordination, bond angle and g(r) of large and small cells."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for name in (name for name in made if name.startswith("fig2-")):
        density, _, huge = name.removeprefix("fig2-").partition("-")
        large, small = made[name][0].candidate.analysis, made[f"fig3-{density}"]
        where = f"{density} g/cm³, {large.n_atoms:,} atoms"
        mean, spread = mean_and_spread(coordination(small))
        for cn in (2, 3, 4):
            here = 100 * large.coordination[cn]
            note = f"{mean[cn]:.1f} ± {spread[cn]:.1f} % in small cells"
            rows.append(Row(f"CN{cn} at {where}", PAPER.get((density, cn), ""), here, "%", note=note))
        angle, error = mean_and_spread([each.candidate.analysis.mean_angle for each in small])
        note = f"{angle:.2f} ± {error:.2f}° in small cells"
        rows.append(Row(f"mean bond angle at {where}", "", large.mean_angle, "°", note=note))
        g = np.mean([each.candidate.analysis.rdf.g for each in small], axis=0)
        apart = float(np.sqrt(((large.rdf.g - g) ** 2).mean()))
        rows.append(Row(f"g(r) at {where}, root mean square difference from small cells", "", apart))
        if huge:
            arrays |= {f"g-huge-{density}": large.rdf.g, f"angles-huge-{density}": large.angle_distribution}
            continue
        arrays |= {"r": large.rdf.r, f"g-large-{density}": large.rdf.g, f"g-small-{density}": g}
        arrays |= {"angle": large.angles, f"angles-large-{density}": large.angle_distribution}
        arrays[f"angles-small-{density}"] = np.mean([e.candidate.analysis.angle_distribution for e in small], axis=0)
    return Answer(tuple(rows), arrays)


def draw(found: Answer) -> Figure:
    """g(r) and bond angles of large cells (lines; the huge one is broad and pale) and small ones (dots)."""
    figure = empty(6.4)
    rdf, angles = figure.subplots(2)
    densities = [name.removeprefix("g-large-") for name in found.arrays if name.startswith("g-large-")]
    for density, colour in zip(densities, OVERLAY_COLOURS, strict=False):
        for axes, x, key, scale in ((rdf, "r", "g", 1), (angles, "angle", "angles", 100)):
            line = scale * found.arrays[f"{key}-large-{density}"]
            axes.plot(found.arrays[x], line, color=colour, lw=1.4, label=f"{density} g/cm³")
            axes.plot(found.arrays[x], scale * found.arrays[f"{key}-small-{density}"], "o", ms=2, color=colour)
            if f"{key}-huge-{density}" in found.arrays:
                huge = scale * found.arrays[f"{key}-huge-{density}"]
                axes.plot(found.arrays[x], huge, color=colour, lw=2.8, alpha=0.3, label=f"{density} g/cm³, huge cell")
    rdf.set(xlabel="distance r (Å)", ylabel="g(r), large (line) and small", xlim=(0.8, 6))
    rdf.legend(frameon=False, fontsize="small")
    angles.set(xlabel="bond angle (°)", ylabel="bond angles (% per °)", xlim=(40, 180))
    return figure


FIGURE = PaperFigure("fig2", "Large cells by networks that learned from small ones", cases, answer, draw)
