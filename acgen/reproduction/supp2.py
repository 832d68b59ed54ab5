"""Supp. Fig. 2: structures of one density with different spectra, and the coordination that guidance finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from acgen.networks.models import predict_sites
from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, coordination
from acgen.results.colours import CN_COLOURS, CN_LABELS, REFERENCE_COLOUR
from acgen.results.figures import empty
from acgen.spectra.grid import N_POINTS
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.analysis import coordination_fractions
from acgen.structures.reference import COMPARED, DENSITIES, coordination_error, public_coordination, reference_cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELLS = 3
"""Structures of each case."""
SHOWN = "1.5"
"""Density of the paper's figure, g/cm³."""


def cases(given: Given) -> list[Case]:
    """At each density: unguided, guided by the public network's spectrum, and by those of cells of two quench times."""
    found = []
    for density in _densities(given):
        targets = {"free": None, "public": load_target(f"a-C-{density}")}
        targets |= {name: seen(given, name, atoms) for name, atoms in _cells(density).items()}
        for name, target in targets.items():
            settings = given.settings(float(density), CELLS, target=target)
            found.append(Case(f"supp2-{density}-{name}", settings))
    return found


def _densities(given: Given) -> tuple[str, ...]:
    return (SHOWN,) if given.quick else DENSITIES


def _cells(density: str) -> dict[str, Atoms]:
    """The shipped cells of a density, by their quench times."""
    cells = [atoms for atoms in reference_cells() if f"{atoms.info['density']:.1f}" == density]
    return {f"{atoms.info['quench_fs']:.0f}fs": atoms for atoms in cells}


def seen(given: Given, name: str, atoms: Atoms) -> Target:
    """The spectrum of a cell by the judge: a network that has no part in guiding."""
    spectrum = predict_sites(given.models.judge, atoms).mean(0)
    return Target(spectrum, np.ones(N_POINTS, bool), name, ("Mean spectrum of a cell by the judge.",))


def answer(given: Given, made: Structures) -> Answer:
    """Coordination of each case beside the truth, and how much smaller guidance makes the error."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    errors = []
    for density in _densities(given):
        truth = {"public": public_coordination(density)}
        truth |= {name: coordination_fractions(atoms) for name, atoms in _cells(density).items()}
        free = coordination(made[f"supp2-{density}-free"])
        for name, shares in truth.items():
            known, found = 100 * np.array([*shares.values()]), coordination(made[f"supp2-{density}-{name}"])
            pair = [coordination_error(each.mean(0) / 100, known / 100) for each in (found, free)]
            errors.append(pair)
            kind = "public network" if name == "public" else f"cell quenched in {name.removesuffix('fs')} fs"
            note = f"{pair[1]:.1f} unguided; CN2/3/4 {_shares(found.mean(0))} % guided, {_shares(known)} % true"
            paper = "closely aligned" if density == SHOWN else ""
            rows.append(Row(f"error of coordination, {density} g/cm³, {kind}", paper, pair[0], "points", note=note))
            if density == SHOWN:
                arrays |= {f"guided-{name}": found, f"true-{name}": known}
        if density == SHOWN:
            arrays["free"] = free
    guided, free = np.array(errors).T
    arrays |= {"error-guided": guided, "error-free": free}
    what = "error of coordination, guided over unguided"
    note = f"{guided.mean():.1f} and {free.mean():.1f} points, means over {len(errors)} cases"
    return Answer((Row(what, "", float(guided.mean() / free.mean()), note=note), *rows), arrays)


def _shares(percent: np.ndarray) -> str:
    return "/".join(f"{percent[cn]:.0f}" for cn in COMPARED)


def draw(found: Answer) -> Figure:
    """Coordination at 1.5 g/cm³, guided with standard deviation against truth (lines), and errors of all cases."""
    figure = empty(6.4)
    above, below = figure.subplots(2)
    names = [name.removeprefix("true-") for name in found.arrays if name.startswith("true-")]
    for k, name in enumerate(names):
        shares = found.arrays[f"guided-{name}"]
        for cn in COMPARED:
            at, spread = cn + 0.26 * (k - 1), shares[:, cn].std(ddof=1)
            above.bar(at, shares[:, cn].mean(), 0.24, yerr=spread, capsize=3, color=CN_COLOURS[cn], alpha=1 - 0.25 * k)
            truth = found.arrays[f"true-{name}"][cn]
            above.plot([at - 0.12, at + 0.12], [truth, truth], "--", color="black", lw=1.4)
            above.annotate(name, (at, 1), ha="center", fontsize="xx-small", rotation=90)
    above.set(xlabel="coordination number", ylabel="atoms (%)")
    above.set_xticks(list(COMPARED), [CN_LABELS[cn] for cn in COMPARED])
    guided, free = found.arrays["error-guided"], found.arrays["error-free"]
    top = 1.1 * max(guided.max(), free.max())
    below.plot(free, guided, "o", color=CN_COLOURS[3])
    below.plot([0, top], [0, top], color=REFERENCE_COLOUR, lw=1, label="no gain")
    below.plot([0, top], [0, top / 2], color=REFERENCE_COLOUR, lw=1, ls="--", label="half")
    below.set(xlabel="error unguided (points)", ylabel="error guided (points)", xlim=(0, top), ylim=(0, top))
    below.legend(frameon=False, fontsize="small")
    return figure


FIGURE = PaperFigure("supp2", "Coordination found by spectra of one density", cases, answer, draw)
