"""Fig. 7: from diamond to amorphous carbon, by the strength of the guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures, misfits, row_of
from acgen.reproduction.perturbed import DIAMOND
from acgen.results.colours import OVERLAY_COLOURS, TARGET_COLOUR
from acgen.results.figures import empty
from acgen.spectra.grid import ENERGY
from acgen.spectra.model_error import GUIDE_ERROR
from acgen.spectra.targets import load_target
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

XI = (0, 0.5, 1, 2, 5, 50, 250)
"""Strengths of the guide, in the paper's unit; the transition lies among the small ones."""
SHOWN = (0, 1, 5, 250)
"""Strengths whose curves are drawn."""


def cases(given: Given) -> list[Case]:
    """At each strength, from the same perturbed crystals."""
    strengths = (XI[0], XI[-1]) if given.quick else XI
    return [DIAMOND.case(given, xi) for xi in strengths]


def answer(given: Given, made: Structures) -> Answer:
    """Diamond-like atoms, misfits and curves at each strength, and where the transition is."""
    strengths = np.array([float(name.removeprefix(f"{DIAMOND.cases}-")) for name in made])
    ordered = np.array([[100 * DIAMOND.fraction(each.atoms) for each in found] for found in made.values()])
    misfit = np.array([misfits(found) for found in made.values()])
    judged = np.array([misfits(found, judge=True) for found in made.values()])
    rows = []
    for k, xi in enumerate(strengths):
        words = "diamond" if xi == 0 else "amorphous" if xi >= 180 else ""
        rows.append(row_of(f"atoms with diamond's rings, ξ = {xi:g}", words, ordered[k], "%"))
        words = "close to the target" if xi >= 180 else ""
        note = f"{judged[k].mean():.2f} by the judge"
        rows.append(row_of(f"misfit, ξ = {xi:g}", words, misfit[k], note=note))
    rows += _transition(strengths, ordered, misfit)
    arrays: dict[str, Any] = {"xi": strengths, "diamond-percent": ordered, "misfit": misfit, "judge-misfit": judged}
    for name, found in made.items():
        xi = name.removeprefix(f"{DIAMOND.cases}-")
        if float(xi) in SHOWN:
            arrays |= {f"{key}-{xi}": values for key, values in _curves([e.candidate.analysis for e in found]).items()}
            arrays[f"spectrum-{xi}"] = np.mean([each.candidate.spectrum for each in found], axis=0)
    return Answer(tuple(rows), arrays)


def _curves(analyses: Sequence[Analysis]) -> dict[str, np.ndarray]:
    """Mean angle distribution per degree and g(r), with their axes."""
    return {
        "angle": analyses[0].angles,
        "angles": np.mean([each.angle_distribution for each in analyses], axis=0),
        "r": analyses[0].rdf.r,
        "g": np.mean([each.rdf.g for each in analyses], axis=0),
    }


def _transition(strengths: np.ndarray, ordered: np.ndarray, misfit: np.ndarray) -> list[Row]:
    """Where half of the unguided order is lost, and where the misfit falls to the guide's own error, by seeds."""
    lost = [crossing(strengths, curve, curve[0] / 2) if curve[0] > 0 else None for curve in ordered.T]
    fitted = [crossing(strengths, curve, GUIDE_ERROR) for curve in misfit.T]
    what = f"ξ at which the misfit is {GUIDE_ERROR}, the guide's own error"
    return [
        _strength("ξ at which half of the diamond is left", "between 0 and 180", lost),
        _strength(what, "", fitted),
    ]


def _strength(what: str, paper: str, found: Sequence[float | None]) -> Row:
    """The row of a strength that was found for some of the seeds."""
    known = [each for each in found if each is not None]
    note = f"{len(known)} of {len(found)} perturbed crystals"
    return row_of(what, paper, known, note=note) if known else Row(what, paper, "not reached", note=note)


def crossing(strengths: np.ndarray, values: np.ndarray, level: float) -> float | None:
    """The first strength at which values have fallen to a level, linear between neighbours; None if they never do."""
    below = np.flatnonzero(values <= level)
    if not below.size:
        return None
    k = int(below[0])
    if k == 0:
        return float(strengths[0])
    part = (values[k - 1] - level) / (values[k - 1] - values[k])
    return float(strengths[k - 1] + part * (strengths[k] - strengths[k - 1]))


def draw(found: Answer) -> Figure:
    """Order and misfit over the strength; spectra, angles and g(r) of some."""
    figure = empty(7.4)
    places = figure.subplots(2, 2)
    above, spectra, angles, rdf = places.ravel()
    xi = found.arrays["xi"]
    style: dict[str, Any] = {"capsize": 3, "marker": "o", "ms": 4, "lw": 1.4}
    mean, spread = mean_and_spread(found.arrays["diamond-percent"].T)
    above.errorbar(xi, mean, spread, color=OVERLAY_COLOURS[0], **style)
    above.set(xlabel="guidance ξ (of the paper)", ylabel="atoms with diamond's rings (%)", ylim=(-5, 105))
    above.set_xscale("symlog", linthresh=1)
    beside = above.twinx()
    mean, spread = mean_and_spread(found.arrays["misfit"].T)
    beside.errorbar(xi, mean, spread, color=OVERLAY_COLOURS[2], ls="--", **style)
    beside.set(ylabel="misfit (dashed)", ylim=(0, None))
    spectra.plot(ENERGY, load_target(DIAMOND.amorphous).intensity, color=TARGET_COLOUR, lw=3, label="target")
    for strength, colour in zip(SHOWN, OVERLAY_COLOURS, strict=False):
        if f"spectrum-{strength}" in found.arrays:
            curve = {"color": colour, "lw": 1.4, "label": f"ξ = {strength}"}
            spectra.plot(ENERGY, found.arrays[f"spectrum-{strength}"], **curve)
            angles.plot(found.arrays[f"angle-{strength}"], 100 * found.arrays[f"angles-{strength}"], **curve)
            rdf.plot(found.arrays[f"r-{strength}"], found.arrays[f"g-{strength}"], **curve)
    spectra.set(xlabel="photon energy (eV)", ylabel="absorption (arb. units)", xlim=(ENERGY[0], ENERGY[-1]))
    spectra.legend(frameon=False, fontsize="small")
    angles.set(xlabel="bond angle (°)", ylabel="bond angles (% per °)", xlim=(60, 180))
    rdf.set(xlabel="distance r (Å)", ylabel="g(r)", xlim=(0.8, 6))
    return figure


FIGURE = PaperFigure("fig7", "From diamond to amorphous carbon by the guide's strength", cases, answer, draw)
