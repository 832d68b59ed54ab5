"""What a target says without structures, with uncertainty: shares of sp, sp2 and sp3, and the area of its pi*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acgen.spectra.bootstrap import COPIES, spread
from acgen.spectra.compare import METHOD_ERROR, PiStarContent, linear_combination, pi_star_content
from acgen.spectra.instrument_fit import Fit
from acgen.spectra.match import ODD_SLOPE
from acgen.spectra.model_error import TRUSTED
from acgen.spectra.spectrum import SpectrumError, Target

_PI_STAR = "pi*"
#: Share of sp beyond which no amorphous carbon is known: structures of the prior have 0.35-0.51 at 1.25 g/cm³, the
#: lowest density, and 0.25-0.32 at 1.5.
MOST_SP = 0.5


@dataclass(frozen=True, eq=False)
class Answers:
    """What a target says without structures.

    Attributes
    ----------
    shares, errors
        Of sp, sp2 and sp3 from 0 to 1, and their standard deviations by noise, model error and the method itself.
    fit, misfit
        Of the linear combination.
    pi_star, pi_star_error
        sp2 content from pi* and the standard deviation of `corrected`; None if there is none.
    problem
        Why there is none: it was not measured, or would be more than all atoms.
    """

    shares: dict[str, float]
    errors: dict[str, float]
    fit: Fit
    misfit: float
    pi_star: PiStarContent | None
    pi_star_error: float
    problem: str = ""

    @property
    def doubt(self) -> str:
        """Why none of this is to be trusted, in one sentence; empty if it may be.

        Mixtures come within 0.20 of the shipped amorphous spectra, and to 0.93 and more of graphite and diamond.
        """
        reasons, seen = [], self.fit.instrument
        if self.misfit > TRUSTED:
            reasons.append(f"is {self.misfit:.2f} away, that of an amorphous carbon at most {TRUSTED}")
        if self.shares["sp"] > MOST_SP:
            reasons.append(f"has {100 * self.shares['sp']:.0f} % sp, an amorphous carbon at most {100 * MOST_SP:.0f} %")
        if abs(seen.slope) > ODD_SLOPE:
            reasons.append(f"fits after a slope of {100 * seen.slope:+.1f} %/eV, more than detectors have")
        elif self.fit.at_bounds:
            reasons.append(f"fits at the limit of {' and '.join(self.fit.at_bounds)}")
        if not reasons:
            return ""
        return f"Do not trust an answer here: the closest mixture of sp, sp2 and sp3 {'; it '.join(reasons)}"


def quick_answers(target: Target, copies: int = COPIES, *, model: bool = True) -> Answers:
    """Linear combination of sp, sp2 and sp3 and the pi* area, repeated on copies of a target.

    Parameters
    ----------
    target
        What was measured.
    copies, model
        As for `acgen.spectra.bootstrap.spread`.
    """
    found = linear_combination(target)
    content, problem = None, ""
    try:
        content = pi_star_content(target, found.fit.instrument)
    except SpectrumError as error:
        problem = str(error)

    def again(copy: Target) -> dict[str, float]:
        mixture = linear_combination(copy)
        if content is None:
            return mixture.shares
        return mixture.shares | {_PI_STAR: pi_star_content(copy, mixture.fit.instrument).corrected}

    errors = spread(target, again, copies, model=model)
    pi_star_error = errors.pop(_PI_STAR, 0.0)
    if model:
        errors = {name: float(np.hypot(error, METHOD_ERROR)) for name, error in errors.items()}
    if content is not None and content.corrected - pi_star_error > 1:
        problem = (
            f"the area of pi* would be that of {100 * content.corrected:.0f} ± {100 * pi_star_error:.0f} % sp2, which "
            "cannot be: sp sites, an oriented sample or the scale make it too large"
        )
        content, pi_star_error = None, 0.0
    return Answers(found.shares, errors, found.fit, found.misfit, content, pi_star_error, problem)
