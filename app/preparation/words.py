"""What the preparation panel says about a target, as HTML; everything that comes from a file is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

from acgen.inference.density import DensityEstimate
from acgen.spectra.compare import METHOD_ERROR
from acgen.spectra.grid import ENERGY
from app.preparation.jobs import Answers, Prepared

WARNING = '<span class="warning">⚠</span> '
NAMES = {"sp": "sp", "sp2": "sp²", "sp3": "sp³"}


def detected(prepared: Prepared | None, problem: str) -> str:
    """What is odd, or why there is no target, and what was done."""
    target = None if prepared is None else prepared.target
    warnings = () if target is None else target.warnings
    odd = [f"<li>{WARNING}{html.escape(text)}</li>" for text in (problem, *warnings) if text]
    if target is None:
        return f"<ul>{''.join(odd)}</ul>"
    nothing = "" if odd else "<li>Nothing odd was found.</li>"
    steps = [f"<li>{html.escape(step)}</li>" for step in target.history]
    return f'<ul>{"".join(odd)}{nothing}</ul><ul class="quiet">{"".join(steps)}</ul>'


def numbers(prepared: Prepared | None) -> str:
    """Edge step, noise, sensitivity and range."""
    if prepared is None or prepared.target is None:
        return ""
    target = prepared.target
    covered = ENERGY[target.mask]
    other = "area" if prepared.job.recipe.normalisation == "edge" else "edge step"
    rows = [
        ("Edge step", "–" if prepared.step is None else f"{prepared.step:.3g}", ""),
        ("Noise, of the step", "–" if prepared.noise is None else f"{100 * prepared.noise:.1f} %", ""),
        (f"If scaled by {other}", "–" if target.sensitivity is None else f"{100 * target.sensitivity:+.0f} %", ""),
        ("Energy shift", f"{prepared.shift:+.2f} eV", ""),
        ("Slope", f"{100 * target.slope:+.1f} %/eV", ""),
        ("Grid points", f"{target.mask.sum()} of {ENERGY.size}", ""),
        ("Range", f"{covered[0]:.1f}–{covered[-1]:.1f} eV", ""),
    ]
    return _table(rows)


def quick(prepared: Prepared | None, answers: Answers | None, unanswered: str = "") -> str:
    """Shares of the linear combination and what the fit needed; if they cannot be true, why there are none."""
    if prepared is None or prepared.target is None:
        return ""
    if answers is None:
        return f'<span class="quiet">{html.escape(unanswered) or "…"}</span>'
    seen = answers.fit.instrument
    limits = f"; at its limit: {', '.join(answers.fit.at_bounds)}" if answers.fit.at_bounds else ""
    fit = f"shift {seen.shift:+.2f} eV, slope {100 * seen.slope:+.1f} %/eV, σ {seen.sigma:.2f} eV{limits}"
    left_over = ("Left over", f"{answers.misfit:.2f}", fit)
    if answers.doubt:
        return f"{WARNING}{html.escape(answers.doubt)}.<br>{_table([left_over])}"
    rows = [
        (NAMES[name], f"{100 * share:.0f} ± {100 * answers.errors[name]:.0f} %", "linear combination")
        for name, share in answers.shares.items()
    ]
    caution = f"± is noise, model error and the {100 * METHOD_ERROR:.0f} points of the method."
    return _table([*rows, left_over]) + f'<span class="quiet">{caution}</span>'


def density(estimate: DensityEstimate | None, reason: str) -> str:
    """The density and what comes with it, or why there is none."""
    if estimate is None:
        return html.escape(reason)
    doubtful = not estimate.trusted or estimate.at_the_edge
    return f"{WARNING if doubtful else ''}{html.escape(estimate.words[:1].upper() + estimate.words[1:])}."


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [
        f'<tr><td class="{"number" if note else ""}">{html.escape(what)}</td>'
        f'<td class="number"><b>{html.escape(value)}</b></td>'
        + (f'<td class="quiet">{html.escape(note)}</td></tr>' if note else "</tr>")
        for what, value, note in rows
    ]
    return f"<table>{''.join(lines)}</table>"
