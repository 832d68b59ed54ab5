"""A readable report of a run: one HTML page that needs nothing else, neither a network nor a script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen import __version__
from acgen.results import figures
from acgen.results.describe import INSTRUMENT, describe, reference_of, warnings_of
from acgen.results.run import LogEntry
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.structures.analysis import HIGHEST_CN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CITATION = (
    "H. Kwon, T. Hsu et al., Spectroscopy-guided discovery of three-dimensional structures of disordered materials "
    "with diffusion models, arXiv:2312.05472 (2023); spectra: GitHub LLNL/graphite."
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d232a; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .7rem; border-bottom: 1px solid #d5dbe1; }
th { text-align: left; font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0; } .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } figcaption { color: #4f5b66; font-size: .9rem; }
.warning { border-left: 4px solid #e69f00; background: #fdf6e7; padding: .5rem .8rem; margin: .4rem 0; }
code { overflow-wrap: anywhere; font-size: .85rem; } .scroll { overflow-x: auto; }
"""
_CAPTIONS = {
    "spectrum": "Predicted mean spectrum: mean and range over the candidates, target, and prediction minus target.",
    "coordination": "Coordination: mean and standard deviation over the candidates, and the reference.",
    "angles": "Bond angles: mean and range over the candidates, and the reference.",
    "rdf": "Radial distribution: mean and range over the candidates, and the reference.",
}


def report_html(
    settings: Settings, candidates: Sequence[Candidate], weights: Mapping[str, str], log: Sequence[LogEntry] = ()
) -> str:
    """The report of one or more candidates as the text of an HTML page.

    Parameters
    ----------
    weights
        SHA-256 of the networks' files.
    log
        What was done.
    """
    overview = describe(candidates)
    name = "no target" if settings.target is None else settings.target.name
    drawn = "".join(
        f"<figure>{figures.svg(figure)}<figcaption>{_text(_CAPTIONS[key])}</figcaption></figure>"
        for key, figure in figures_of(settings, candidates).items()
    )
    history = () if settings.target is None else settings.target.record
    made_with = [f"Weights {name}: SHA-256 {digest}" for name, digest in weights.items()]
    parts = [
        f"<h1>Candidate structures: {_text(name)}</h1>",
        f"<p>{_text(_sentence(settings, overview))}</p>",
        *(f'<p class="warning">{_text(warning)}</p>' for warning in warnings_of(settings, candidates)),
        f'<div class="plots">{drawn}</div>',
        "<h2>Against the reference</h2>",
        _overview_table(overview),
        "<h2>Candidates</h2>",
        _candidates_table(candidates),
        *_instrument_part(candidates),
        "<h2>Settings</h2>",
        _pairs(_settings_rows(settings)),
        *(["<h2>How the target was made</h2>", _list(history)] if history else []),
        "<h2>What was done</h2>",
        _list([*(entry.line for entry in log), *made_with]),
        "<h2>How to cite</h2>",
        f"<p>{_text(CITATION)} Made with acgen {_text(__version__)}.</p>",
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>acgen: {_text(name)}</title>'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def figures_of(settings: Settings, candidates: Sequence[Candidate]) -> dict[str, Figure]:
    """The plots of a result by name: `spectrum`, `coordination`, `angles`, `rdf`."""
    analyses, reference = [candidate.analysis for candidate in candidates], reference_of(candidates)
    return {
        "spectrum": figures.spectrum_figure(candidates, settings.target),
        "coordination": figures.coordination_figure(analyses, reference),
        "angles": figures.angle_figure(analyses, reference),
        "rdf": figures.rdf_figure(analyses, reference),
    }


def _sentence(settings: Settings, overview: Mapping[str, Any]) -> str:
    count = overview["candidates"]
    text = f"{count} candidate{'s' if count > 1 else ''} of {settings.n_atoms} atoms at {settings.density:.3g} g/cm³"
    if settings.target is None:
        return text + ", not guided by any spectrum."
    seen = ", the prediction seen through an instrument fitted along the way" if settings.instrument else ""
    return (
        f"{text}, guided with ξ = {settings.xi:g}{seen}. The misfit to the target is {_spread(overview['misfit'], 3)}, "
        f"by the judge, a network that did not guide, {_spread(overview['judge_misfit'], 3)}; a whole spectrum has a "
        f"norm of {np.linalg.norm(settings.target.intensity):.1f}, and the forward model itself errs by 0.1 to 0.2."
    )


def _spread(entry: Mapping[str, float], digits: int) -> str:
    return f"{entry['mean']:.{digits}f} ± {entry['std']:.{digits}f}"


def _overview_table(overview: Mapping[str, Any]) -> str:
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
    return _table(["", "candidates", "reference"], rows)


def _candidates_table(candidates: Sequence[Candidate]) -> str:
    rows = []
    for candidate in candidates:
        analysis = candidate.analysis
        shares = [f"{100 * analysis.coordination[cn]:.1f}" for cn in range(HIGHEST_CN + 1)]
        misfits = ["" if m is None else f"{m:.3f}" for m in (candidate.misfit, candidate.judge_misfit)]
        rest = [f"{analysis.mean_angle:.1f}", f"{analysis.mean_bond_length:.3f}", f"{candidate.wall_s:.1f}"]
        rows.append([str(candidate.index), str(candidate.seed), *misfits, *shares, *rest])
    shares = [f"CN{cn} %" for cn in range(HIGHEST_CN)] + ["CN≥5 %"]
    return _table(["no.", "seed", "misfit", "judge", *shares, "angle °", "bond Å", "time s"], rows)


def _instrument_part(candidates: Sequence[Candidate]) -> list[str]:
    """Heading and table of the fitted instruments; nothing if there are none."""
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
    return ["<h2>Instrument fitted to the target</h2>", _table(heads, rows)] if rows else []


def _settings_rows(settings: Settings) -> list[tuple[str, str]]:
    return [
        (name, f"{value['name']}" if name == "target" and value is not None else str(value))
        for name, value in settings.to_dict().items()
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells beyond the first column are numbers."""
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="number">{_text(cell)}</td>' if k else f"<td>{_text(cell)}</td>" for k, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    titles = "".join(f"<th>{_text(title)}</th>" for title in head)
    return f'<div class="scroll"><table><tr>{titles}</tr>{body}</table></div>'


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows)
    return f'<div class="scroll"><table>{body}</table></div>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li><code>{_text(line)}</code></li>" for line in lines) + "</ul>"


def _text(words: str) -> str:
    return html.escape(str(words))
