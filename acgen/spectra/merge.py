"""Several scans of one sample as one target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from acgen.spectra.io.read import MIN_POINTS
from acgen.spectra.model_error import UNSEEN_ERROR
from acgen.spectra.spectrum import SpectrumError, Target
from acgen.statistics import mean_and_spread


def merge(targets: Sequence[Target], name: str = "") -> Target:
    """The mean of prepared scans where all of them were measured; their spread is its noise.

    Parameters
    ----------
    targets
        Two or more, each prepared on its own.
    name
        Of the result; by default that of the first with the number of scans.

    Returns
    -------
    Target
        The noise of each point is the standard deviation over the scans by the root of their number. The history has
        that of each scan, `sources` their files and recipes, and a warning says if one is far from the mean.

    Raises
    ------
    SpectrumError
        If there are fewer than two, or they have too few points in common.
    """
    count = len(targets)
    if count < 2:
        raise SpectrumError(f"it takes two scans or more to merge, got {count}")
    mask = np.logical_and.reduce([target.mask for target in targets])
    if mask.sum() < MIN_POINTS:
        raise SpectrumError(f"the scans have {mask.sum()} points in common: at least {MIN_POINTS} are needed")
    mean, spread = mean_and_spread([target.intensity for target in targets])
    names = ", ".join(target.name or "a scan" for target in targets)
    history = [f"Mean of {count} scans: {names}. Their standard deviation over √{count} is the noise."]
    history += [f"{target.name or 'A scan'}: {step}" for target in targets for step in target.history]
    far = {target.name: float(np.linalg.norm((target.intensity - mean)[mask])) for target in targets}
    apart = [f"{name} by {distance:.2f}" for name, distance in far.items() if distance > UNSEEN_ERROR]
    warnings = [warning for target in targets for warning in target.warnings]
    if apart:
        warnings.append(
            f"The scans differ from their mean, {', '.join(apart)}: make sure that they are of one sample, prepared "
            "alike."
        )
    return Target(
        mean,
        mask,
        name or f"{targets[0].name} (mean of {count})",
        tuple(history),
        tuple(dict.fromkeys(warnings)),
        spread / np.sqrt(count),
        measured=any(target.measured for target in targets),
        calibration=_common([target.calibration for target in targets]),
        shift=_common([target.shift for target in targets]),
        slope=_common([target.slope for target in targets]),
        sources=tuple(f"{target.name or 'A scan'}: {detail}" for target in targets for detail in target.details),
    )


def _common(values: list[float]) -> float:
    """What all have, or 0; the history says what each had."""
    return values[0] if len(set(values)) == 1 else 0.0
