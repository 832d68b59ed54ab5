"""Fig. 3: unguided structures against molecular dynamics, and whether they are copies of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from acgen.data.cells import load_cells
from acgen.data.public import LabelledCell, network_label
from acgen.errors import AcgenError
from acgen.reproduction.figure import DENSITIES, Answer, Case, Given, PaperFigure, Row, Structures, row_of
from acgen.results.colours import OVERLAY_COLOURS, PREDICTION_COLOUR, REFERENCE_COLOUR
from acgen.results.figures import empty
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import ANGLE_EDGES, radial_distribution, structure_factor
from acgen.structures.distances import DISTANCES, distance, features
from acgen.structures.elastic import bulk_modulus
from acgen.structures.environments import RARE, copied
from acgen.structures.reference import reference_cells
from acgen.structures.rings import RING_SIZES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EDGE, CELLS = 14.0, 6
"""Edge in Å of the paper's cells, and how many of them at each density: 30, where the paper has 29."""
SPLITS = 20
"""Ways in which molecular dynamics is split into two independent sets."""
POINTS = 200
"""Points of a set that are drawn of (q̄4, q̄6)."""
MADE = {"generated": {}, "refined": {"refine": 2.0, "refine_temperature": 2500.0}}
"""What is compared with molecular dynamics, and its settings: as denoised, and after an anneal."""
EDGES = {"angles": ANGLE_EDGES, "volumes": np.linspace(4, 20, 65), "energies": np.linspace(-4, 1, 61)}
"""Of the histograms that are drawn."""
PAPER = {
    "order": "roughly match",
    "angles": "resembles the training set",
    "rdf": "resembles the training set",
    "volumes": "resembles the training set",
    "energies": "largely matches",
}


def cases(given: Given) -> list[Case]:
    """Unguided cells of each density, as denoised and refined."""
    found = []
    for density in _densities(given):
        for kind, options in MADE.items():
            settings = given.settings(density, CELLS, **options)
            if given.quick:
                settings = replace(settings, refine=min(settings.refine, 0.05))
            else:
                settings = replace(settings, cell=EDGE)
            found.append(Case(_case(kind, density), settings))
    return found


def _case(kind: str, density: float) -> str:
    return f"fig3-{density}" if kind == "generated" else f"fig3-{kind}-{density}"


def _densities(given: Given) -> Sequence[float]:
    return DENSITIES[2:3] if given.quick else DENSITIES


def answer(given: Given, made: Structures) -> Answer:
    """Distances to molecular dynamics over those within it, copies, and what is drawn."""
    dynamics, others = _cells(given)
    ratios: dict[str, dict[str, dict[str, tuple[float, float, float]]]] = {kind: defaultdict(dict) for kind in MADE}
    foreign: dict[str, list[float]] = defaultdict(list)
    pools: dict[str, list[dict[str, np.ndarray]]] = {kind: [] for kind in (*MADE, "dynamics")}
    copies: dict[str, dict[str, float]] = {kind: {} for kind in MADE}
    moduli: dict[str, dict[str, np.ndarray]] = {}
    for density in map(str, _densities(given)):
        theirs = [atoms for atoms in dynamics if network_label(atoms) == density]
        if len(theirs) < 2:
            raise AcgenError(
                f"there are fewer than two cells of {density} g/cm³ to compare with: give more with --data"
            )
        there = [features(atoms, given.potential) for atoms in theirs]
        pools["dynamics"] += there
        more = [atoms for atoms in others if network_label(atoms) == density]
        public = [features(atoms, given.potential) for atoms in more]
        pairs = splits([atoms.info.get("quench_fs") for atoms in theirs], SPLITS)
        for what in there[0] if public else ():
            foreign[what].append(_over_floor(what, public, there, pairs)[0])
        cells = {kind: [each.atoms for each in made[_case(kind, float(density))]] for kind in MADE}
        for kind, mine in cells.items():
            here = [features(atoms, given.potential) for atoms in mine]
            pools[kind] += here
            for what in here[0]:
                ratios[kind][what][density] = _over_floor(what, here, there, pairs)
            copies[kind][density] = 100 * copied(mine, theirs, more)
        if given.potential is not None:
            both = {"generated": cells["generated"], "dynamics": theirs}
            moduli[density] = {
                kind: np.array([bulk_modulus(atoms, given.potential) for atoms in some]) for kind, some in both.items()
            }
    rows: list[Row] = []
    arrays: dict[str, Any] = {"density": np.array(_densities(given))}
    for kind in MADE:
        rows += [_worst(what, found, foreign[what], kind) for what, found in ratios[kind].items()]
        note = f"{100 * RARE:.0f} % says that nothing is copied; {_by_density(copies[kind], '%')}"
        what = f"atoms with copied surroundings{_named(kind)}, worst density"
        rows.append(Row(what, "no exact copies", max(copies[kind].values()), "%", note=note))
        for what, found in ratios[kind].items():
            arrays[f"distance-floor-ratio-{what}-{kind}"] = np.array([*found.values()])[:, [1, 2, 0]]
    rows += [_stiffness(density, found["generated"], found["dynamics"]) for density, found in moduli.items()]
    arrays |= {"r": radial_distribution(theirs[0]).r, "q": structure_factor(theirs[0]).q}
    for kind in ("generated", "dynamics") if moduli else ():
        arrays[f"modulus-{kind}"] = np.array([mean_and_spread(found[kind]) for found in moduli.values()])
    return Answer(tuple(rows), arrays | _drawn(pools))


def _named(kind: str) -> str:
    """What a row's name says of the kind of structures."""
    return "" if kind == "generated" else f", {kind}"


def _cells(given: Given) -> tuple[list[Atoms], list[Atoms]]:
    """Cells of molecular dynamics of one kind, and the public ones, which another potential made."""
    if not given.data:
        return reference_cells(), []
    cells: list[LabelledCell] = load_cells(given.data)
    plain = [cell.atoms for cell in cells if cell.spectra is None]
    return plain, [cell.atoms for cell in cells if cell.spectra is not None and cell.network[0].isdigit()]


def splits(kinds: Sequence[Any], count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ways to split structures into two sets of one size, in which each kind is about as frequent.

    Parameters
    ----------
    kinds
        Of each structure, such as its quench time.
    count
        Number of ways; the indices of both sets are drawn at random in each.
    """
    rng = np.random.default_rng(seed)
    names = sorted(set(kinds), key=str)
    half = len(kinds) // 2
    found = []
    for _ in range(count):
        order = np.concatenate([rng.permutation([k for k, kind in enumerate(kinds) if kind == name]) for name in names])
        first, second = order[0::2][:half], order[1::2][:half]
        found.append((first, second) if rng.random() < 0.5 else (second, first))
    return found


def _over_floor(
    what: str,
    here: Sequence[dict[str, np.ndarray]],
    there: Sequence[dict[str, np.ndarray]],
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[float, float, float]:
    """Ratio of the distance to that within molecular dynamics, and both, means over splits of sets of one size."""
    rng = np.random.default_rng(0)
    apart, floor = [], []
    for first, second in pairs:
        chosen = rng.permutation(len(here))[: len(second)]
        known = [there[k][what] for k in second]
        apart.append(distance(what, [here[k][what] for k in chosen], known))
        floor.append(distance(what, [there[k][what] for k in first], known))
    return float(np.mean(apart) / np.mean(floor)), float(np.mean(apart)), float(np.mean(floor))


def _worst(what: str, found: dict[str, tuple[float, float, float]], foreign: Sequence[float], kind: str) -> Row:
    """The row of a distance: the largest ratio, and in the note that of each density."""
    ratios = {density: values[0] for density, values in found.items()}
    note = _by_density(ratios)
    if foreign:
        note += f"; public networks, of another potential, {min(foreign):.1f} to {max(foreign):.1f}"
    return Row(
        f"{DISTANCES[what]}{_named(kind)}: over that within dynamics, worst density",
        PAPER.get(what, ""),
        max(ratios.values()),
        note=note,
    )


def _stiffness(density: str, here: np.ndarray, there: np.ndarray) -> Row:
    """The row of a density's bulk moduli in GPa."""
    mean, spread = mean_and_spread(there)
    note = f"molecular dynamics {mean:.0f} ± {spread:.0f} GPa; by the potential, atoms relaxed"
    return row_of(f"bulk modulus, {density} g/cm³", "", here, "GPa", note)


def _by_density(values: dict[str, float], unit: str = "") -> str:
    return ", ".join(f"{density}: {value:.1f} {unit}".strip() for density, value in values.items())


def _drawn(pools: dict[str, list[dict[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """Arrays of the plot: points, histograms and curves of both kinds, in which every structure counts as much."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for kind, found in pools.items():
        each = -(-POINTS // len(found))
        points = [one["order"][rng.permutation(len(one["order"]))[:each]] for one in found]
        arrays[f"order-{kind}"] = np.concatenate(points)
        arrays[f"rdf-{kind}"] = np.mean([one["rdf"] for one in found], axis=0)
        arrays[f"sq-{kind}"] = np.ma.masked_invalid([one["sq"] for one in found]).mean(axis=0).filled(np.nan)
        arrays[f"rings-{kind}"] = np.mean([one["rings"] for one in found], axis=0)
        for what, edges in EDGES.items():
            if what in found[0]:
                shares = [np.histogram(one[what], edges, density=True)[0] for one in found]
                arrays[f"{what}-{kind}"] = np.mean(shares, axis=0)
    return arrays


def draw(found: Answer) -> Figure:
    """Points of order, angles, g(r), S(q), Voronoi volumes, rings, and the ratios to the noise floor; with a potential
    energies and bulk moduli, too."""
    energies = "energies-dynamics" in found.arrays
    figure = empty(10.5 if energies else 8.5)
    panels = figure.subplots(5 if energies else 4, 2)
    (order, angles), (rdf, scattering), (volumes, ring), (ratios, energy), *rest = panels
    colours = {"dynamics": REFERENCE_COLOUR, "generated": PREDICTION_COLOUR, "refined": OVERLAY_COLOURS[0]}
    drawn = [(angles, "angles"), (volumes, "volumes"), *([(energy, "energies")] if energies else [])]
    for kind, colour in colours.items():
        order.plot(*found.arrays[f"order-{kind}"].T, "o", ms=2, alpha=0.5, color=colour, label=kind)
        rdf.plot(found.arrays["r"], found.arrays[f"rdf-{kind}"], color=colour)
        scattering.plot(found.arrays["q"], found.arrays[f"sq-{kind}"], color=colour)
        ring.plot(RING_SIZES, found.arrays[f"rings-{kind}"], "o-", color=colour)
        for axes, what in drawn:
            axes.plot((EDGES[what][1:] + EDGES[what][:-1]) / 2, found.arrays[f"{what}-{kind}"], color=colour)
    order.set(xlabel="q̄4", ylabel="q̄6")
    order.legend(frameon=False, fontsize="small")
    angles.set(xlabel="bond angle (°)", ylabel="bond angles (per °)", xlim=(40, 180))
    rdf.set(xlabel="distance r (Å)", ylabel="g(r)", xlim=(0.8, 6))
    scattering.set(xlabel="momentum transfer q (Å⁻¹)", ylabel="S(q)")
    volumes.set(xlabel="Voronoi volume (Å³)", ylabel="atoms (per Å³)")
    ring.set(xlabel="atoms of a ring", ylabel="rings per atom")
    for (what, colour), (kind, style) in product(
        zip(DISTANCES, OVERLAY_COLOURS, strict=False), zip(MADE, ("o-", "o--"), strict=True)
    ):
        if f"distance-floor-ratio-{what}-{kind}" in found.arrays:
            ratio = found.arrays[f"distance-floor-ratio-{what}-{kind}"][:, 2]
            label = what if kind == "generated" else None
            ratios.plot(found.arrays["density"], ratio, style, color=colour, ms=4, lw=1.2, label=label)
    ratios.axhline(1, color=REFERENCE_COLOUR, lw=1, ls="--")
    ratios.set(xlabel="density (g/cm³); dashed: refined", ylabel="distance over floor", ylim=(0, None))
    ratios.legend(frameon=False, fontsize="x-small", ncols=2)
    energy.set_visible(energies)
    energy.set(xlabel="energy of an atom (eV)", ylabel="atoms (per eV)")
    for stiff, empty_axes in rest:
        empty_axes.set_visible(False)
        for kind in ("dynamics", "generated"):
            mean, spread = found.arrays[f"modulus-{kind}"].T
            stiff.errorbar(found.arrays["density"], mean, spread, fmt="o-", ms=4, capsize=2, color=colours[kind])
        stiff.set(xlabel="density (g/cm³)", ylabel="bulk modulus (GPa)", ylim=(0, None))
    return figure


FIGURE = PaperFigure("fig3", "Unguided structures and molecular dynamics", cases, answer, draw)
