"""What a measured film says, on one page: target, density and hybridisation, candidates, a check, and a verdict.

A folder gets `NAME.md` (Markdown that the documentation can hold), `NAME.png`, `NAME.svg` and `NAME.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.inference.check import Check, verdict
from acgen.inference.density import DensityEstimate
from acgen.inference.flags import target_flags
from acgen.results.check_files import CHECK_COLOUR
from acgen.results.colours import CN_COLOURS, PREDICTION_COLOUR, REFERENCE_COLOUR, TARGET_COLOUR
from acgen.results.describe import describe, fit_words, flags_of
from acgen.results.figures import empty, png, svg
from acgen.sampling.generate import Candidate
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import instrument_matrix
from acgen.spectra.model_error import TRUSTED
from acgen.spectra.spectrum import Target
from acgen.structures.cell import density as density_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Film:
    """All that was found about one measured spectrum."""

    target: Target
    #: Without guided candidates.
    estimate: DensityEstimate
    #: At that density; at least one.
    candidates: tuple[Candidate, ...]
    #: Of `best`.
    check: Check | None = None
    #: What is known of the sample from elsewhere, with its source.
    known: str = ""

    @property
    def best(self) -> Candidate:
        """The candidate that the judge, which did not guide, finds nearest to the target."""
        return min(self.candidates, key=_judged)

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about the target, one sentence each, none twice."""
        return tuple(dict.fromkeys((*self.target.warnings, *target_flags(self.target))))

    @property
    def answered(self) -> bool:
        """Whether structures explain the spectrum: by the prior, or by the best candidate and the judge."""
        return self.estimate.trusted and _judged(self.best) <= TRUSTED

    @property
    def verdict(self) -> str:
        """The answer, or why there is none, in a few sentences."""
        best = self.best
        found = (
            f"The nearest structure without guidance is {self.estimate.best_misfit:.2f} away, the best of "
            f"{len(self.candidates)} guided candidates {best.misfit:.2f}, by the judge {best.judge_misfit:.2f}; those "
            f"of an amorphous carbon that the networks have not seen are at most {TRUSTED} away."
        )
        if self.answered:
            return f"An answer: {self.estimate.words}. {found}"
        return (
            f"No answer that should be trusted. {found} What is left is measurement or chemistry that the model does "
            "not know, and structures bent to fit it would say nothing."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        best = self.best
        return {
            "name": self.target.name,
            "answered": self.answered,
            "verdict": self.verdict,
            "flags": list(self.flags),
            "known": self.known,
            "estimate": self.estimate.to_dict(),
            "density_of_candidates_g_cm3": density_of(best.atoms),
            "candidates": describe(self.candidates),
            "best": best.to_dict() | {"flags": list(flags_of(best))},
            "check": None if self.check is None else self.check.to_dict(),
            "record": list(self.target.record),
        }


def write_film(directory: Path, film: Film) -> Path:
    """Write page, figure and numbers; returns the page."""
    stem = re.sub(r"[^\w.-]+", "_", film.target.name).strip("_") or "film"
    figure = film_figure(film)
    (directory / f"{stem}.png").write_bytes(png(figure))
    (directory / f"{stem}.svg").write_text(svg(figure), encoding="utf-8")
    (directory / f"{stem}.json").write_text(json.dumps(film.to_dict(), indent=1) + "\n", encoding="utf-8")
    page = directory / f"{stem}.md"
    page.write_text(film_page(film, f"{stem}.png"), encoding="utf-8")
    return page


def film_page(film: Film, picture: str) -> str:
    """The page as Markdown; `picture` is the name of the figure's file."""
    parts = [
        f"# {_plain(film.target.name)}",
        f"**{_plain(film.verdict)}**",
        f"![Target, candidates and what is left over; density]({picture})",
        "## What it was made of",
        _points(film.target.history),
        "## What is odd about it",
        _points(film.flags) or "Nothing was found.",
        "## Density and hybridisation",
        f"{_plain(film.estimate.words)}.",
        "## Candidates",
        _candidates(film.candidates),
        _points(f"Candidate {film.best.index}: {flag}" for flag in flags_of(film.best)),
    ]
    if film.best.instrument is not None:
        parts.append(f"Through the instrument of candidate {film.best.index}: {fit_words(film.best.instrument)}.")
    if film.check is not None:
        parts += [f"## FEFF check of candidate {film.best.index}", _plain(verdict(film.check))]
    if film.known:
        parts += ["## Known from elsewhere", _plain(film.known)]
    return "\n\n".join(part for part in parts if part) + "\n"


def film_figure(film: Film) -> Figure:
    """Target with the candidates as the instrument sees them, what they leave over, and the density that it speaks
    for."""
    figure = empty(6.4)
    above, middle, below = figure.subplots(3, height_ratios=(3, 1, 1.4))
    measured = np.where(film.target.mask, film.target.intensity, np.nan)
    above.plot(ENERGY, measured, color=TARGET_COLOUR, lw=3, label="target")
    for candidate in film.candidates:
        chosen = candidate is film.best
        label = f"candidate {candidate.index}, best by the judge" if chosen else None
        width, alpha = (1.8, 1.0) if chosen else (0.8, 0.4)
        style: dict[str, Any] = {"color": PREDICTION_COLOUR, "lw": width, "alpha": alpha}
        above.plot(ENERGY, candidate.seen, label=label, **style)
        middle.plot(ENERGY, candidate.seen - measured, **style)
    if film.check is not None:
        checked = film.check.corrected.through(instrument_matrix(film.check.instrument))
        above.plot(ENERGY, checked.mean, color=CHECK_COLOUR, lw=1.4, label="FEFF check of it ± error")
        band: dict[str, Any] = {"color": CHECK_COLOUR, "alpha": 0.25, "lw": 0}
        above.fill_between(ENERGY, checked.mean - checked.error, checked.mean + checked.error, **band)
    middle.axhline(0, color=TARGET_COLOUR, lw=1)
    above.set(ylabel="absorption (arb. units)", xlim=(ENERGY[0], ENERGY[-1]))
    middle.set(ylabel="left over", xlabel="photon energy (eV)", xlim=(ENERGY[0], ENERGY[-1]))
    above.legend(frameon=False, fontsize="small")
    densities = np.array(film.estimate.densities)
    below.bar(densities, film.estimate.probability, 0.8 * np.diff(densities).min(), color=REFERENCE_COLOUR)
    below.set(xlabel="density (g/cm³)", ylabel="probability")
    distance = below.twinx()
    distance.errorbar(densities, film.estimate.misfit, film.estimate.misfit_spread, color=CN_COLOURS[3], lw=1.2)
    distance.axhline(TRUSTED, color=TARGET_COLOUR, lw=1, ls="--")
    distance.set(ylabel="distance of structures\n(above dashes: do not trust)", ylim=(0, None))
    return figure


def _candidates(candidates: Sequence[Candidate]) -> str:
    """A table of the candidates."""
    head = ("no.", "g/cm³", "misfit", "judge", "sp %", "sp² %", "sp³ %")
    rows = [head, ("---",) * len(head)]
    for each in candidates:
        shares = (f"{100 * each.analysis.coordination[cn]:.0f}" for cn in (2, 3, 4))
        fits = (f"{each.misfit:.2f}", f"{each.judge_misfit:.2f}")
        rows.append((str(each.index), f"{density_of(each.atoms):.2f}", *fits, *shares))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _points(lines: Any) -> str:
    """A list of sentences."""
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _plain(text: str) -> str:
    """Text of a file's name, columns or labels as Markdown that is nothing but text."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", " ".join(text.split()))


def _judged(candidate: Candidate) -> float:
    return float("inf") if candidate.judge_misfit is None else candidate.judge_misfit
