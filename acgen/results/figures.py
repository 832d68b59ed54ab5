"""The plots of a result, drawn with matplotlib without touching its global state."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.inference.scan_answer import ScanAnswer
from acgen.inference.series import Member
from acgen.results.colours import CN_COLOURS, CN_LABELS, PREDICTION_COLOUR, REFERENCE_COLOUR, TARGET_COLOUR
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import HYBRIDS
from acgen.scattering.target import PairTarget
from acgen.spectra.grid import ENERGY
from acgen.spectra.model_error import TRUSTED
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import HIGHEST_CN, Analysis
from acgen.structures.reference import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.2, 3.6)

def spectrum_figure(candidates: Sequence[Candidate], target: Target | None, plain: bool = False) -> Figure:
    """Predicted spectra over photon energy: mean and range over the candidates, the target, and the residual.

    Where an instrument was fitted, the predictions are those behind it, which the misfits belong to; `plain` ones are
    those before it.
    """
    figure = empty()
    spectra = np.stack([candidate.spectrum if plain else candidate.seen for candidate in candidates])
    if target is None:
        axes = figure.subplots()
    else:
        axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        measured = np.where(target.mask, target.intensity, np.nan)
        axes.plot(ENERGY, measured, color=TARGET_COLOUR, lw=3, label="target")
        _band(below, ENERGY, spectra - measured, PREDICTION_COLOUR)
        below.axhline(0, color=TARGET_COLOUR, lw=1)
        below.set_ylabel("residual")
    fitted = any(candidate.instrument is not None for candidate in candidates)
    label = "prediction" if not fitted else "plain prediction" if plain else "prediction through the instrument"
    _band(axes, ENERGY, spectra, PREDICTION_COLOUR, label)
    axes.set_ylabel("absorption (arb. units)")
    axes.legend(frameon=False)
    figure.axes[-1].set_xlabel("photon energy (eV)")
    axes.set_xlim(ENERGY[0], ENERGY[-1])
    return figure


def coordination_figure(
    shares: Sequence[Mapping[int, float]], reference: Mapping[int, float], asked: Mapping[int, float] | None = None
) -> Figure:
    """Percentage of the atoms by coordination number, mean and standard deviation, beside the reference.

    Parameters
    ----------
    shares, reference, asked
        Fraction of the atoms by coordination number, of each structure, of the reference, and as it was asked for.
    """
    from matplotlib.patches import Patch

    figure = empty()
    axes = figure.subplots()
    numbers = range(HIGHEST_CN + 1)
    if shares:
        mean, spread = mean_and_spread([[100 * each[cn] for cn in numbers] for each in shares])
        axes.bar(
            [cn - 0.18 for cn in numbers],
            mean,
            0.36,
            yerr=spread if len(shares) > 1 else None,
            capsize=3,
            color=[CN_COLOURS[cn] for cn in numbers],
        )
    known = [100 * reference[cn] for cn in numbers]
    style: dict[str, Any] = {"fill": False, "edgecolor": REFERENCE_COLOUR, "hatch": "//"}
    axes.bar([cn + 0.18 for cn in numbers], known, 0.36, **style)
    entries: list[Any] = [Patch(color="#555555", label="candidates"), Patch(label="reference", **style)]
    if asked:
        heights = [100 * share for share in asked.values()]
        mark: dict[str, Any] = {"color": TARGET_COLOUR, "marker": "D", "ls": "", "ms": 6, "label": "asked"}
        entries += axes.plot([cn - 0.18 for cn in asked], heights, **mark)
    axes.set_xticks(list(numbers), [CN_LABELS[cn] for cn in numbers])
    axes.set(xlabel="coordination number", ylabel="atoms (%)")
    axes.legend(handles=entries, frameon=False)
    return figure


def angle_figure(analyses: Sequence[Analysis], reference: Figures) -> Figure:
    """Bond-angle distribution, mean and range over the candidates, and the reference."""
    figure = empty()
    axes = figure.subplots()
    axes.plot(reference.angles, 100 * reference.angle_distribution, color=REFERENCE_COLOUR, lw=3, label="reference")
    values = np.stack([100 * analysis.angle_distribution for analysis in analyses])
    _band(axes, analyses[0].angles, values, PREDICTION_COLOUR, "candidates")
    axes.set(xlabel="bond angle (°)", ylabel="bond angles (% per °)", xlim=(40, 180))
    axes.legend(frameon=False)
    return figure


def rdf_figure(analyses: Sequence[Analysis], reference: Figures) -> Figure:
    """g(r), mean and range over the candidates, and the reference."""
    figure = empty()
    axes = figure.subplots()
    axes.plot(reference.rdf.r, reference.rdf.g, color=REFERENCE_COLOUR, lw=3, label="reference")
    _band(axes, analyses[0].rdf.r, np.stack([a.rdf.g for a in analyses]), PREDICTION_COLOUR, "candidates")
    axes.set(xlabel="distance r (Å)", ylabel="g(r)", xlim=(0.8, 6))
    axes.legend(frameon=False)
    return figure


def pdf_figure(candidates: Sequence[Candidate], target: PairTarget) -> Figure:
    """The measured pair distribution, mean and range of the predicted ones, and the residual."""
    figure = empty()
    axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    axes.plot(target.r, target.drawn(target.values), color=TARGET_COLOUR, lw=3, label="measured")
    curves = np.stack([target.drawn(candidate.pdf) for candidate in candidates if candidate.pdf is not None])
    r = target.r[: curves.shape[1]]
    _band(axes, r, curves, PREDICTION_COLOUR, "candidates")
    _band(below, r, curves - target.drawn(target.values[: len(r)]), PREDICTION_COLOUR)
    below.axhline(0, color=TARGET_COLOUR, lw=1)
    axes.set_ylabel(target.label)
    below.set(xlabel="distance r (Å)", ylabel="residual", xlim=(target.r[0], r[-1]))
    axes.legend(frameon=False)
    return figure


def density_scan_figure(answer: ScanAnswer) -> Figure:
    """Misfit by the guide and by the judge, and coordination, over density: means and standard deviations over the
    candidates, the answer as a band, and the plain estimate with its error at the foot."""
    figure = empty(5.2)
    above, below = figure.subplots(2, sharex=True)
    style: dict[str, Any] = {"capsize": 3, "marker": "o", "ms": 4, "lw": 1.4}
    for values, spread, colour, label in (
        (answer.judge_misfit, answer.judge_spread, PREDICTION_COLOUR, "judge"),
        (answer.misfit, answer.misfit_spread, CN_COLOURS[3], "guide"),
    ):
        above.errorbar(answer.densities, values, yerr=spread, color=colour, label=label, **style)
    top = max(np.add(answer.judge_misfit, answer.judge_spread).max(), np.add(answer.misfit, answer.misfit_spread).max())
    above.set(ylabel="misfit", ylim=(0, 1.05 * top))
    for cn in (2, 3, 4):
        shares, spreads = ([100 * each[str(cn)] for each in rows] for rows in (answer.cn, answer.cn_spread))
        below.errorbar(answer.densities, shares, yerr=spreads, color=CN_COLOURS[cn], label=CN_LABELS[cn], **style)
    below.set(xlabel="density (g/cm³)", ylabel="atoms (%)")
    low, high = answer.density - answer.density_error, answer.density + answer.density_error
    for axes in (above, below):
        axes.axvspan(low, high, color=TARGET_COLOUR, alpha=0.3, lw=0, label="answer" if axes is above else None)
    if answer.plain is not None:
        foot = above.get_xaxis_transform()
        style = {"color": "#555555", "capsize": 3, "marker": "s", "ms": 4, "ls": "", "label": "unguided estimate"}
        above.errorbar(answer.plain, 0.06, xerr=answer.plain_error, transform=foot, **style)
    for axes in (above, below):
        axes.legend(frameon=False, fontsize="small", ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def series_figure(members: Sequence[Member], label: str) -> Figure:
    """Density, coordination and distance of a series of spectra, with errors; hollow where the answer is not trusted.

    Parameters
    ----------
    members
        In the order of their values.
    label
        What the values are, with their unit; empty where the members are named instead.
    """
    figure = empty(6.4)
    above, middle, below = figure.subplots(3, sharex=True)
    at = [member.value for member in members]
    rows = [member.to_dict() for member in members]
    doubtful = [not member.estimate.trusted for member in members]

    def draw(axes: Axes, name: str, error: str | None, colour: str, told: str | None = None) -> None:
        values = [row[name] for row in rows]
        errors = None if error is None else [row[error] for row in rows]
        axes.errorbar(at, values, yerr=errors, color=colour, capsize=3, marker="o", ms=5, lw=1.4, label=told)
        hollow = [(x, y) for x, y, doubt in zip(at, values, doubtful, strict=True) if doubt]
        if hollow:
            axes.plot(*zip(*hollow, strict=True), "o", ms=5, mfc="white", color=colour, zorder=3)

    draw(above, "density_g_cm3", "density_error_g_cm3", PREDICTION_COLOUR)
    above.set(ylabel="density (g/cm³)")
    for cn, hybrid in HYBRIDS.items():
        draw(middle, f"{hybrid}_percent", f"{hybrid}_error", CN_COLOURS[cn], CN_LABELS[cn])
    middle.set(ylabel="atoms (%)")
    middle.legend(frameon=False, fontsize="small", ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    draw(below, "distance", None, REFERENCE_COLOUR)
    below.axhline(TRUSTED, color=TARGET_COLOUR, lw=1, ls="--", label="above: do not trust (hollow)")
    below.set(ylabel="distance of the\nnearest structure", ylim=(0, None), xlabel=label or "spectrum")
    below.legend(frameon=False, fontsize="small")
    if not label:
        below.set_xticks(at, [member.name for member in members], rotation=30, ha="right")
    return figure


def empty(height: float = SIZE[1]) -> Figure:
    """A figure of a height in inches, without a window."""
    from matplotlib.figure import Figure  # when something is drawn: the page needs the colours at once

    return Figure(figsize=(SIZE[0], height), layout="constrained")


def svg(figure: Figure) -> str:
    """An `<svg>` element that stands in an HTML page by itself; it names no other host."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Creator": None, "Date": None, "Format": None, "Type": None})
    text = file.getvalue()
    return re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)


def png(figure: Figure, dpi: int = 150) -> bytes:
    """The figure as a picture."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()


def _band(axes: Axes, x: np.ndarray, curves: np.ndarray, colour: str, label: str | None = None) -> Any:
    """Mean of curves (n, points) and, of several, their range."""
    axes.plot(x, curves.mean(0), color=colour, lw=1.6, label=label)
    if len(curves) > 1:
        axes.fill_between(x, curves.min(0), curves.max(0), color=colour, alpha=0.25, lw=0)
