"""Figures of a run and warnings about them, for summary, report and command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from acgen.errors import AcgenError
from acgen.inference.flags import COPIED, NEAR, density_flags, prediction_flags, structure_flags
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import HYBRIDS, OPTIONS, Settings
from acgen.spectra.instrument_fit import Beamline, Fit
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import HIGHEST_CN
from acgen.structures.cell import density as density_of
from acgen.structures.reference import Figures, reference_at

#: Label, unit, factor and digits of the parameters of an instrument.
INSTRUMENT = {
    "shift": ("shift", "eV", 1, 2),
    "scale": ("scale", "", 1, 3),
    "slope": ("slope", "%/eV", 100, 2),
    "sigma": ("broadening", "eV", 1, 2),
}


MISSED_SHARE = 5.0
"""Points by which a share may miss what was asked before it is said: twice what 216 atoms scatter by."""


def reference_of(candidates: Sequence[Candidate]) -> Figures:
    """The reference of the density that the structures have, which is not quite the one asked for: atoms are whole."""
    return reference_at(density_of(candidates[0].atoms))


def describe(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Mean and standard deviation over the candidates of what is compared with the reference, JSON-ready.

    Returns
    -------
    dict
        `candidates` and, by quantity, `mean`, `std` (`acgen.statistics.mean_and_spread`) and, where there is one,
        `reference`: `CN0_percent` to `CN5_percent` (5 and more), `mean_angle_deg`, `first_peak_A`, `misfit`,
        `judge_misfit`, `pdf_misfit`, `energy_above_reference_eV`, and, if an instrument was fitted, `instrument_shift`,
        `_scale`, `_slope` and `_sigma`.
    """
    analyses, reference = [candidate.analysis for candidate in candidates], reference_of(candidates)
    rows: dict[str, tuple[list[float | None], float | None]] = {
        f"CN{cn}_percent": ([100 * a.coordination[cn] for a in analyses], 100 * reference.coordination[cn])
        for cn in range(HIGHEST_CN + 1)
    }
    rows["mean_angle_deg"] = [a.mean_angle for a in analyses], reference.mean_angle
    rows["first_peak_A"] = [a.rdf.first_peak for a in analyses], reference.rdf.first_peak
    rows["misfit"] = [candidate.misfit for candidate in candidates], None
    rows["judge_misfit"] = [candidate.judge_misfit for candidate in candidates], None
    rows["pdf_misfit"] = [candidate.pdf_misfit for candidate in candidates], None
    rows["energy_above_reference_eV"] = [candidate.energy for candidate in candidates], None
    fitted = [candidate.instrument.instrument for candidate in candidates if candidate.instrument is not None]
    for name in INSTRUMENT if fitted else ():
        rows[f"instrument_{name}"] = [getattr(instrument, name) for instrument in fitted], None
    result: dict[str, Any] = {"candidates": len(candidates)}
    for name, (values, known) in rows.items():
        numbers = [value for value in values if value is not None and np.isfinite(value)]
        if numbers:
            mean, std = mean_and_spread(numbers)
            result[name] = {"mean": float(mean), "std": float(std), "reference": known}
    return result


def misfits_of_mean(settings: Settings, candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Distances to the target of the mean spectrum of all candidates and of the judge's, through one instrument."""
    target = settings.target
    if target is None:
        raise AcgenError("there is no target to compare the mean with; give one")
    mean = np.mean([candidate.spectrum for candidate in candidates], axis=0)
    by_judge = np.mean([candidate.judge_spectrum for candidate in candidates], axis=0)
    fit = Beamline(target, settings.instrument).fit(mean)
    if fit is None:
        return target.misfit(mean), target.misfit(by_judge)
    return target.misfit(fit.prediction), target.misfit(fit.instrument.apply(by_judge))


def fit_words(fit: Fit) -> str:
    """The instrument that was fitted, with the error of each parameter, or that it ended at its bound."""
    parts = []
    for name, (label, unit, factor, digits) in INSTRUMENT.items():
        value, error = factor * getattr(fit.instrument, name), factor * fit.errors[name]
        known = f" ± {error:.{digits}f}" if np.isfinite(error) else " ± ?"
        doubt = " (at its bound)" if name in fit.at_bounds else known
        sign = "+" if name in ("shift", "slope") else ""
        parts.append(f"{label} {value:{sign}.{digits}f}{doubt}{' ' if unit else ''}{unit}")
    return " · ".join(parts)


def flags_of(candidate: Candidate) -> tuple[str, ...]:
    """What to know before believing a candidate, one sentence each."""
    flags = prediction_flags(candidate.spectrum, candidate.judge_spectrum)
    flags += structure_flags(candidate.atoms, candidate.energy)
    if candidate.copied is not None and candidate.copied > COPIED:
        flags += (
            f"{100 * candidate.copied:.0f} % of its atoms have the surroundings of atoms in cells that the networks "
            f"learned from (in other cells up to 5 %): it is in part a copy.",
        )
    if candidate.unrefined:
        flags = (f"It was not refined: {candidate.unrefined}.", *flags)
    if candidate.unfinished is not None:
        flags = (f"It is unfinished: it was kept after step {candidate.unfinished} of its run.", *flags)
    fit = candidate.instrument
    if fit is None or not fit.at_bounds:
        return flags
    names = ", ".join(INSTRUMENT[name][0] for name in fit.at_bounds)
    bound = (
        f"In its fit {names} of the instrument reached a bound; the misfit may be the instrument's doing: check "
        "how the target was prepared."
    )
    return (*flags, bound)


def shares_words(settings: Settings) -> str:
    """The shares that were asked for; empty text if none was."""
    return ", ".join(f"{100 * share:g} % {hybrid(number)}" for number, share in settings.shares.items())


def hybrid(number: int) -> str:
    """What atoms of a coordination number are called, as sp² of 3."""
    return OPTIONS[HYBRIDS[number]].label


def missed_shares(settings: Settings, candidates: Sequence[Candidate]) -> list[str]:
    """A sentence for each share of atoms that the candidates miss by more than `MISSED_SHARE`."""
    found = []
    for number, share in settings.shares.items():
        asked, mean = 100 * share, 100 * float(np.mean([each.analysis.coordination[number] for each in candidates]))
        if abs(mean - asked) > MISSED_SHARE:
            found.append(
                f"{mean:.0f} % of the atoms are {hybrid(number)}, not the {asked:g} % that were asked for: refine, "
                "give a larger ξ of the shares, or another density."
            )
    return found


def warnings_of(settings: Settings, candidates: Sequence[Candidate]) -> list[str]:
    """What a reader has to know before believing the result, one sentence each."""
    found = [] if settings.target is None else list(settings.target.warnings)
    found += missed_shares(settings, candidates)
    if settings.pdf is not None:
        found += [*settings.pdf.warnings, *settings.pdf.doubts(settings.density)]
    found += density_flags(density_of(candidates[0].atoms))
    for candidate in candidates:
        found += [f"Candidate {candidate.index}: {flag}" for flag in flags_of(candidate)]
    best = min((c.misfit for c in candidates if c.misfit is not None), default=0.0)
    if best > NEAR:
        found.append(
            f"No candidate comes closer than {best:.2f} to the target, far beyond the forward model's own error: "
            "another density may fit better, or no such carbon has this spectrum."
        )
    return found
