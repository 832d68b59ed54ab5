"""What the preparation panel computes, as functions of immutable inputs that may run in any thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from acgen.spectra.background import fit_background, without_background
from acgen.spectra.bootstrap import COPIES
from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.noise import noise_level
from acgen.spectra.normalise import divide, edge_step
from acgen.spectra.quick import Answers, quick_answers
from acgen.spectra.recipe import Choice, Recipe
from acgen.spectra.resample import resample
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target
from app.preparation.files import Source

__all__ = ["COPIES", "Answers", "Job", "Prepared", "prepare_job", "quick_answers"]

#: Points of a background that are drawn.
_DRAWN = 101


@dataclass(frozen=True, eq=False)
class Job:
    """Files and what to do with them; `sample` is to be chosen from, the others may be missing."""

    sample: Source
    recipe: Recipe
    i0: Source | None = None
    reference: Source | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What came of a job."""

    job: Job
    #: The curve before its background is subtracted: as read, divided by I0 if there is one; None if it cannot be read.
    measured: Spectrum | None = None
    #: None if there is none.
    target: Target | None = None
    #: Why there is none.
    problem: str = ""
    #: Height of the edge in units of the measurement, None if it cannot be told.
    step: float | None = None
    #: Noise of a measured point over that height.
    noise: float | None = None

    def recorded(self) -> Target:
        """The target with its recipe, so that results carry it."""
        return replace(self.target, recipe=json.dumps(self.job.recipe.to_dict()))

    @property
    def shift(self) -> float:
        """What was added to the energies, eV."""
        return 0.0 if self.target is None else self.target.calibration + self.target.shift

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Energies and intensities of the measured points themselves on the scale of the target, both of shape (M,)."""
        target, measured, background = self.target, self.measured, self._background()
        if target is None or measured is None or (background is None and self.job.recipe.pre_edge != "none"):
            return np.empty(0), np.empty(0)
        energy = measured.energy + self.shift
        values = measured.intensity if background is None else measured.intensity - background(energy)
        values = values / (1 + target.slope * (energy - PI_STAR))
        curve, mask = resample(energy, values)
        both = mask & target.mask
        scale = float(target.intensity[both] @ curve[both]) / float(curve[both] @ curve[both])
        inside = (energy >= ENERGY[0]) & (energy <= ENERGY[-1])
        return energy[inside], scale * values[inside]

    def pre_edge(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Energies as measured and the background there, both of shape (M,), None if none is subtracted."""
        measured, background = self.measured, self._background()
        if measured is None or background is None:
            return None
        points = np.linspace(measured.energy[0], measured.energy[-1], _DRAWN)
        return points, background(points + self.shift)

    def _background(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """What is subtracted, at energies after the shift; None if nothing is."""
        recipe, measured = self.job.recipe, self.measured
        if measured is None or recipe.pre_edge == "none":
            return None
        low, high = (PI_STAR + limit - self.shift for limit in recipe.pre_range)
        region = (measured.energy >= low) & (measured.energy <= high)
        if region.sum() < 3:
            return None
        # A power law is one of the energies after the shift.
        energy, intensity = measured.energy[region] + self.shift, measured.intensity[region]
        try:
            return fit_background(recipe.pre_edge, energy, intensity)
        except SpectrumError:
            return None


@dataclass(frozen=True)
class _Held(Choice):
    """A choice whose spectrum is at hand."""

    spectrum: Spectrum | None = None

    def read(self, source, name: str = "") -> Spectrum:
        return replace(self.spectrum, name=name or self.spectrum.name)


def prepare_job(job: Job) -> Prepared:
    """Make a target; what goes wrong is told in `Prepared.problem`."""
    recipe = job.recipe
    measured = None
    try:
        measured = job.sample.spectrum(recipe.sample)
        choices = {"sample": _Held(spectrum=measured)}
        given = {}
        for kind, source in (("i0", job.i0), ("reference", job.reference)):
            if source is not None:
                choices[kind] = _Held(spectrum=_spectrum(kind, source, getattr(recipe, kind)))
                given[kind] = source.contents
        if "i0" in choices:
            measured = divide(measured, choices["i0"].spectrum)
        target = replace(recipe, **choices).apply(job.sample.contents, name=job.name, **given)
    except SpectrumError as error:
        return Prepared(job, measured, problem=str(error))
    prepared = Prepared(job, measured, target)
    step = _step(prepared)
    noise = None if step is None else float(np.median(noise_level(measured.energy, measured.intensity))) / step
    return replace(prepared, step=step, noise=noise)


def _spectrum(kind: str, source: Source, choice: Choice) -> Spectrum:
    try:
        return source.spectrum(choice)
    except SpectrumError as error:
        raise SpectrumError(f"the {'I0' if kind == 'i0' else kind} file: {error}") from error


def _step(prepared: Prepared) -> float | None:
    """Height of the edge of what was measured, None if its ranges do not tell."""
    recipe, measured = prepared.job.recipe, prepared.measured
    energy, intensity = measured.energy + prepared.shift, measured.intensity
    degree = 1 if recipe.pre_edge == "linear" else 0
    try:
        if recipe.pre_edge == "powerlaw":
            intensity, _ = without_background(energy, intensity, "powerlaw", recipe.pre_range, [], [])
        found = edge_step(energy, intensity, recipe.pre_range, recipe.post_range, pre_degree=degree)
    except SpectrumError:
        return None
    return found.step


def named(target: Target, taken: list[str]) -> Target:
    """The target with a name that none of the built-in ones has."""
    return replace(target, name=f"{target.name} (measured)") if target.name in taken else target
