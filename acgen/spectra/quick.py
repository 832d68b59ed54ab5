"""What a target says without structures, with uncertainty: shares of sp, sp2 and sp3, and the area of its pi*."""

from __future__ import annotations

from dataclasses import dataclass

from acgen.spectra.bootstrap import COPIES, spread
from acgen.spectra.compare import PiStarContent, linear_combination, pi_star_content
from acgen.spectra.instrument_fit import Fit
from acgen.spectra.model_error import TRUSTED
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
        if self.misfit <= TRUSTED:
            return ""
        return (
            f"Do not trust these answers: the closest mixture of sp, sp2 and sp3 is {self.misfit:.2f} away, that of an "
            f"amorphous carbon at most {TRUSTED}"
        )


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
    if content is not None and content.corrected - pi_star_error > 1:
        problem = (
            f"the area of pi* would be that of {100 * content.corrected:.0f} ± {100 * pi_star_error:.0f} % sp2, which "
            "cannot be: sp sites, an oriented sample or the scale make it too large"
        )
        content, pi_star_error = None, 0.0
    return Answers(found.shares, errors, found.fit, found.misfit, content, pi_star_error, problem)
