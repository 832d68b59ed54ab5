"""What a target says without structures, with uncertainty: shares of sp, sp2 and sp3, and the area of its pi*."""

from __future__ import annotations

from dataclasses import dataclass

from acgen.spectra.bootstrap import COPIES, spread
from acgen.spectra.compare import PiStarContent, linear_combination, pi_star_content
from acgen.spectra.instrument_fit import Fit
from acgen.spectra.spectrum import SpectrumError, Target

_PI_STAR = "pi*"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a target says without structures.

    Attributes
    ----------
    shares, errors
        Of sp, sp2 and sp3 from 0 to 1, and their standard deviations by noise and model error.
    fit, misfit
        Of the linear combination.
    pi_star, pi_star_error
        sp2 content from pi* and the standard deviation of `corrected`; None if there is none.
    problem
        Why there is none.
    """

    shares: dict[str, float]
    errors: dict[str, float]
    fit: Fit
    misfit: float
    pi_star: PiStarContent | None
    pi_star_error: float
    problem: str = ""


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
    return Answers(found.shares, errors, found.fit, found.misfit, content, pi_star_error, problem)
