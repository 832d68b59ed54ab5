"""Fig. 5: two class spectra guide at one density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from acgen.reproduction.figure import (
    Answer,
    Case,
    Given,
    Made,
    PaperFigure,
    Row,
    Structures,
    coordination,
    misfits,
    row_of,
)
from acgen.results.colours import CN_LABELS, OVERLAY_COLOURS, TARGET_COLOUR
from acgen.results.figures import empty
from acgen.sampling.settings import DEFAULT_XI
from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import load_target
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import voronoi_volumes
from acgen.structures.potential import energy_per_atom

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DENSITY, CELLS = 2.0, 16
"""Of the figure: g/cm³, and structures of each target."""
TARGETS = {"sp": 2, "sp3": 4}
"""The class spectra that guide, and the coordination number that each should raise."""
FREE = "unguided"
VOLUMES = np.linspace(4.0, 20.0, 65)
"""Edges of the histogram of Voronoi volumes, Å³."""


def cases(given: Given) -> list[Case]:
    """Unguided, and guided by each target: of the mean over atoms, and of every atom as in the paper."""
    found = [Case(f"fig5-{FREE}", given.settings(DENSITY, CELLS))]
    for name in TARGETS:
        for guide in DEFAULT_XI:
            settings = given.settings(DENSITY, CELLS, target=load_target(name), guide=guide)
            found.append(Case(f"fig5-{name}-{guide}", settings))
    return found


def answer(given: Given, made: Structures) -> Answer:
    """Coordination with spread, misfits by guide and judge, energy, and the means that are drawn."""
    shares = {name.removeprefix("fig5-"): coordination(found) for name, found in made.items()}
    rows = [row_of(f"CN{cn}, unguided", "mostly sp²", shares[FREE][:, cn], "%") for cn in (2, 3, 4)]
    for name, raised in TARGETS.items():
        for guide in DEFAULT_XI:
            here = shares[f"{name}-{guide}"]
            for cn in (2, 3, 4):
                words = "raised" if cn == raised else "prevalent" if cn == 3 else ""
                rows.append(row_of(f"CN{cn}, target {name}, guide {guide}", words, here[:, cn], "%"))
    rows += [_effect(shares, guide) for guide in DEFAULT_XI]
    arrays: dict[str, np.ndarray] = {}
    for label, found in ((name.removeprefix("fig5-"), found) for name, found in made.items()):
        volumes = np.concatenate([voronoi_volumes(each.atoms) for each in found])
        arrays[f"cn-{label}"] = shares[label]
        arrays[f"volumes-{label}"] = np.histogram(volumes, VOLUMES, density=True)[0]
        arrays[f"spectrum-{label}"] = np.mean([each.candidate.spectrum for each in found], axis=0)
        rows += _fits(label, found)
        if given.potential is not None:
            arrays[f"energy-{label}"] = np.array([energy_per_atom(each.atoms, given.potential) for each in found])
    if given.potential is not None:
        free = arrays[f"energy-{FREE}"].mean()
        for label in shares:
            if label != FREE:
                over = arrays[f"energy-{label}"] - free
                rows.append(row_of(f"energy above unguided, {label}", "", over, "eV/atom", "not relaxed"))
    return Answer(tuple(rows), arrays)


def _effect(shares: dict[str, np.ndarray], guide: str) -> Row:
    """How far the means of unguided and both targets are apart over their largest spread, least of the classes."""
    kinds = [shares[FREE], *(shares[f"{name}-{guide}"] for name in TARGETS)]
    ratio = {}
    for cn in (2, 3, 4):
        means, spreads = zip(*(mean_and_spread(each[:, cn]) for each in kinds), strict=True)
        ratio[cn] = float(np.ptp(means) / max(*spreads, 1e-9))
    note = "range of the means of unguided and both targets over their largest spread: "
    note += ", ".join(f"CN{cn} {value:.1f}" for cn, value in ratio.items())
    return Row(f"effect over spread, guide {guide}, least of the classes", "above 1", min(ratio.values()), note=note)


def _fits(label: str, found: Sequence[Made]) -> list[Row]:
    """Misfits of guided structures."""
    if label == FREE:
        return []
    return [
        row_of(f"misfit, {label}", "", misfits(found)),
        row_of(f"misfit by the judge, {label}", "", misfits(found, judge=True)),
    ]


def draw(found: Answer) -> Figure:
    """Targets and predictions, coordination with standard deviations, and Voronoi volumes."""
    figure = empty(7.4)
    above, middle, below = figure.subplots(3)
    labels = [FREE, *(f"{name}-{guide}" for name in TARGETS for guide in DEFAULT_XI)]
    numbers, width = np.array([1, 2, 3, 4]), 0.16
    for k, (label, colour) in enumerate(zip(labels, OVERLAY_COLOURS, strict=False)):
        words = label.replace("-", ", guide ")
        above.plot(ENERGY, found.arrays[f"spectrum-{label}"], color=colour, lw=1.4)
        mean, spread = mean_and_spread(found.arrays[f"cn-{label}"][:, numbers])
        middle.bar(numbers + (k - 2) * width, mean, width, yerr=spread, capsize=2, color=colour, label=words)
        centres = (VOLUMES[1:] + VOLUMES[:-1]) / 2
        below.plot(centres, found.arrays[f"volumes-{label}"], color=colour, lw=1.4)
    for name, style in zip(TARGETS, ("-", "--"), strict=True):
        above.plot(ENERGY, load_target(name).intensity, style, color=TARGET_COLOUR, lw=2.5, alpha=0.6, label=name)
    above.set(xlabel="photon energy (eV)", ylabel="absorption (arb. units)", xlim=(ENERGY[0], ENERGY[-1]))
    above.legend(frameon=False, title="target")
    middle.set(xlabel="coordination number", ylabel="atoms (%)")
    middle.set_xticks(numbers, [CN_LABELS[cn] for cn in numbers])
    middle.legend(frameon=False, fontsize="small")
    below.set(xlabel="Voronoi volume (Å³)", ylabel="atoms (per Å³)", xlim=(VOLUMES[0], VOLUMES[-1]))
    return figure


FIGURE = PaperFigure("fig5", "Two targets guide at 2.0 g/cm³", cases, answer, draw)
