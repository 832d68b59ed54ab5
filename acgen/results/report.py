"""A readable report of a run: one HTML page that needs nothing else, neither a network nor a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from acgen import __version__
from acgen.inference.check import Check, verdict
from acgen.results import figures
from acgen.results.check_files import check_figure
from acgen.results.describe import INSTRUMENT, describe, reference_of, shares_words, warnings_of
from acgen.results.run import LogEntry
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.spectra.model_error import UNSEEN_RANGE
from acgen.structures.analysis import HIGHEST_CN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CITATION = (
    "H. Kwon, T. Hsu et al., Spectroscopy-guided discovery of three-dimensional structures of disordered materials "
    "with diffusion models, arXiv:2312.05472 (2023); spectra: GitHub LLNL/graphite."
)

#: Titles and rows of a table whose cells beyond the first column are numbers.
Table = tuple[list[str], list[list[str]]]
_CAPTIONS = {
    "spectrum": "Predicted mean spectrum: mean and range over the candidates, target, and prediction minus target.",
    "spectrum_seen": "Predicted mean spectrum through the fitted instrument, which the misfits belong to: mean and "
    "range over the candidates, target, and prediction minus target.",
    "spectrum_plain": "The same predictions plain, as they are without the instrument.",
    "pdf": "Pair distribution: measured, mean and range over the candidates, and prediction minus measurement.",
    "coordination": "Coordination: mean and standard deviation over the candidates, and the reference.",
    "angles": "Bond angles: mean and range over the candidates, and the reference.",
    "rdf": "Radial distribution: mean and range over the candidates, and the reference.",
}


def report_html(
    settings: Settings,
    candidates: Sequence[Candidate],
    weights: Mapping[str, str],
    log: Sequence[LogEntry] = (),
    checks: Sequence[Check] = (),
) -> str:
    """The report of one or more candidates as the text of an HTML page.

    Parameters
    ----------
    weights
        SHA-256 of the networks' files.
    log
        What was done.
    checks
        What another code says of some of the candidates.
    """
    overview = describe(candidates)
    name = "no target" if settings.target is None else settings.target.name
    drawn = figures_of(settings, candidates)
    captions = _CAPTIONS | ({"spectrum": _CAPTIONS["spectrum_seen"]} if "spectrum_plain" in drawn else {})
    return _template().render(
        name=name,
        sentence=_sentence(settings, overview),
        warnings=warnings_of(settings, candidates),
        plots=[(captions[key], Markup(figures.svg(figure))) for key, figure in drawn.items()],  # drawn here, so trusted
        overview=_overview_table(overview),
        candidates=_candidates_table(candidates),
        instruments=_instrument_table(candidates),
        checks=[(f"{each.name}: {verdict(each)}", Markup(figures.svg(check_figure(each)))) for each in checks],
        settings=_settings_rows(settings),
        history=[line for each in (settings.target, settings.pdf) if each is not None for line in each.record],
        log=[entry.line for entry in log] + [f"Weights {each}: SHA-256 {digest}" for each, digest in weights.items()],
        citation=CITATION,
        version=__version__,
    )


@cache
def _template() -> Template:
    """The page; whatever is put into it is escaped."""
    loader = PackageLoader("acgen.results", ".")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("report.html.j2")


def figures_of(settings: Settings, candidates: Sequence[Candidate]) -> dict[str, Figure]:
    """The plots of a result by name: `spectrum`, `spectrum_plain` if an instrument was fitted, `coordination`,
    `angles`, `rdf`; `pdf` if a measured pair distribution guided."""
    analyses, reference = [candidate.analysis for candidate in candidates], reference_of(candidates)
    spectra = {"spectrum": figures.spectrum_figure(candidates, settings.target)}
    if any(candidate.instrument is not None for candidate in candidates):
        spectra["spectrum_plain"] = figures.spectrum_figure(candidates, settings.target, plain=True)
    if settings.pdf is not None and any(candidate.pdf is not None for candidate in candidates):
        spectra["pdf"] = figures.pdf_figure(candidates, settings.pdf)
    return spectra | {
        "coordination": figures.coordination_figure(
            [each.coordination for each in analyses], reference.coordination, settings.shares
        ),
        "angles": figures.angle_figure(analyses, reference),
        "rdf": figures.rdf_figure(analyses, reference),
    }


def _sentence(settings: Settings, overview: Mapping[str, Any]) -> str:
    count = overview["candidates"]
    text = f"{count} candidate{'s' if count > 1 else ''} of {settings.n_atoms} atoms at {settings.density:.3g} g/cm³"
    if settings.target is None:
        return f"{text}, not guided by any spectrum.{_beside(settings, overview)}"
    seen = ", the prediction seen through an instrument fitted along the way" if settings.instrument else ""
    low, high = UNSEEN_RANGE
    return (
        f"{text}, guided with ξ = {settings.xi:g}{seen}. The misfit to the target is {_spread(overview['misfit'], 3)}, "
        f"by the judge, a network that did not guide, {_spread(overview['judge_misfit'], 3)}; a whole spectrum has a "
        f"norm of {np.linalg.norm(settings.target.intensity):.1f}, and the forward model itself errs by {low:g} to "
        f"{high:g}.{_beside(settings, overview)}"
    )


def _beside(settings: Settings, overview: Mapping[str, Any]) -> str:
    """What guided beside a spectrum, a sentence each."""
    asked = f" {shares_words(settings)} were asked for, with ξ = {settings.xi_cn:g}." if settings.shares else ""
    if settings.pdf is None or "pdf_misfit" not in overview:
        return asked
    return (
        f"{asked} The pair distribution of {settings.pdf.name} guided with ξ = {settings.xi_pdf:g}; the misfit R_w to "
        f"it is {_spread(overview['pdf_misfit'], 3)}."
    )


def _spread(entry: Mapping[str, float], digits: int) -> str:
    return f"{entry['mean']:.{digits}f} ± {entry['std']:.{digits}f}"


def _overview_table(overview: Mapping[str, Any]) -> Table:
    units = {"percent": "%", "deg": "°", "A": "Å"}
    names = {"CN5": "CN≥5", "mean_angle": "mean bond angle", "first_peak": "first peak of g(r)"}
    rows = []
    for name, entry in overview.items():
        if name == "candidates" or entry["reference"] is None:
            continue
        label, _, unit = name.rpartition("_")
        digits = 2 if unit == "A" else 1
        known = f"{entry['reference']:.{digits}f}"
        rows.append([f"{names.get(label, label)} ({units[unit]})", _spread(entry, digits), known])
    return ["", "candidates", "reference"], rows


def _candidates_table(candidates: Sequence[Candidate]) -> Table:
    rows = []
    with_pdf = any(candidate.pdf_misfit is not None for candidate in candidates)
    for candidate in candidates:
        analysis = candidate.analysis
        shares = [f"{100 * analysis.coordination[cn]:.1f}" for cn in range(HIGHEST_CN + 1)]
        known = (candidate.misfit, candidate.judge_misfit, *([candidate.pdf_misfit] if with_pdf else []))
        misfits = ["" if m is None else f"{m:.3f}" for m in known]
        misfits.append("" if candidate.energy is None else f"{candidate.energy:.2f}")
        rest = [f"{analysis.mean_angle:.1f}", f"{analysis.mean_bond_length:.3f}", f"{candidate.wall_s:.1f}"]
        rows.append([str(candidate.index), str(candidate.seed), *misfits, *shares, *rest])
    shares = [f"CN{cn} %" for cn in range(HIGHEST_CN)] + ["CN≥5 %"]
    heads = ["no.", "seed", "misfit", "judge", *(["PDF R_w"] if with_pdf else []), "ΔE eV"]
    return [*heads, *shares, "angle °", "bond Å", "time s"], rows


def _instrument_table(candidates: Sequence[Candidate]) -> Table:
    """The fitted instruments; no rows if there are none."""
    rows = []
    for candidate in candidates:
        if candidate.instrument is not None:
            row = [str(candidate.index)]
            for name, (_, _, factor, digits) in INSTRUMENT.items():
                value = factor * getattr(candidate.instrument.instrument, name)
                error = factor * candidate.instrument.errors[name]
                bound = " (bound)" if name in candidate.instrument.at_bounds else ""
                row.append(f"{value:.{digits}f} ± {error:.{digits}f}{bound}" if np.isfinite(error) else f"{value:.3f}")
            rows.append(row)
    heads = ["no.", *(f"{label} {unit}".strip() for label, unit, _, _ in INSTRUMENT.values())]
    return heads, rows


def _settings_rows(settings: Settings) -> list[tuple[str, str]]:
    return [
        (name, f"{value['name']}" if name in ("target", "pdf") and value is not None else str(value))
        for name, value in settings.to_dict().items()
    ]
