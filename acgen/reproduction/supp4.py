"""Supp. Fig. 4: noisy diamond, refined by the spectrum of diamond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, row_of
from acgen.reproduction.perturbed import DIAMOND, displacement, perturbed
from acgen.results.colours import OVERLAY_COLOURS
from acgen.results.figures import empty
from acgen.statistics import mean_and_spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TIMES = (0.3, 0.5, 0.7)
"""Noise times of the start: 0.24 to 0.56 Å along each axis."""
XI, SEEDS = 250, 3
"""Strength of the guide in the paper's unit, and perturbed crystals of each kind."""
NETWORKS = {DIAMOND.cases: DIAMOND.score, DIAMOND.usual_cases: ""}


def cases(given: Given) -> list[Case]:
    """Unguided and guided, from several noise times, by the network of two cells and by the usual one."""
    return [
        Case(f"supp4-{name}-{t}-{xi}", perturbed(given, DIAMOND, DIAMOND.name, xi, SEEDS, start_t=t), score)
        for name, score in NETWORKS.items()
        for t in (TIMES[1:2] if given.quick else TIMES)
        for xi in (0, XI)
    ]


def answer(given: Given, made: Structures) -> Answer:
    """Diamond-like atoms and distance from the lattice, of each network, noise time and strength."""
    crystal = DIAMOND.perfect(given)
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for name, found in made.items():
        network, t, xi = name.removeprefix("supp4-").rsplit("-", 2)
        order = [100 * DIAMOND.fraction(each.atoms) for each in found]
        away = [displacement(each.atoms.positions, crystal.positions, crystal.cell.array) for each in found]
        arrays[f"diamond-percent-{network}-{t}-{xi}"] = np.array(order)
        arrays[f"displacement-{network}-{t}-{xi}"] = np.array(away)
        words = "guided" if int(xi) else "unguided"
        model = "network of two cells" if network == DIAMOND.cases else "usual"
        kind = f"{words}, noise {0.8 * float(t):.2g} Å, {model}"
        paper = "close to diamond" if int(xi) else "diamond-like"
        rows.append(row_of(f"atoms with {DIAMOND.rings}, {kind}", paper, order, "%"))
        rows.append(row_of(f"distance from the lattice (rms), {kind}", "", away, "Å"))
    return Answer(tuple(rows), arrays)


def draw(found: Answer) -> Figure:
    """Diamond-like atoms and distance from the lattice over the noise of the start."""
    figure = empty(5.6)
    places = figure.subplots(2, sharex=True)
    style: dict[str, Any] = {"capsize": 3, "marker": "o", "ms": 4, "lw": 1.4}
    for axes, key in zip(places, ("diamond-percent", "displacement"), strict=True):
        for network, colour in zip(NETWORKS, OVERLAY_COLOURS, strict=False):
            for xi, dashes in ((0, "-"), (XI, "--")):
                curves = {name: values for name, values in found.arrays.items() if name.startswith(f"{key}-{network}-")}
                curves = {name: values for name, values in curves.items() if name.endswith(f"-{xi}")}
                noise = [0.8 * float(name.rsplit("-", 2)[1]) for name in curves]
                means, spreads = zip(*(mean_and_spread(values) for values in curves.values()), strict=True)
                words = f"{network.replace('-', ' ')}, {'guided' if xi else 'unguided'}"
                axes.errorbar(noise, means, spreads, color=colour, ls=dashes, label=words, **style)
    places[0].set(ylabel="atoms with diamond's rings (%)", ylim=(-5, 105))
    places[1].set(xlabel="noise of the start (Å)", ylabel="distance from the lattice (Å)", ylim=(0, None))
    places[0].legend(frameon=False, fontsize="small")
    return figure


FIGURE = PaperFigure("supp4", "Noisy diamond, refined by diamond's spectrum", cases, answer, draw)
