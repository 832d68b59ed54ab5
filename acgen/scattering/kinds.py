"""Whether a measured curve can be the pair distribution it is said to be, of carbon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from acgen.scattering.pairs import reduced_of
from acgen.scattering.target import KINDS, LEAST_R, PairError, PairKind

FIRST_PEAK = (1.2, 1.65)
"""Where the first peak of carbon may lie, in Å; it lies at 1.42 to 1.55."""
LATEST_START = 1.2
"""Distance in Å below which a file has to begin, for the first peak to be in it."""
COARSEST = {"r": 0.12, "Q": 0.2}
"""Largest distance of points, in Å and 1/Å."""
LEAST_Q = 8.0
"""A measurement that ends at a lower Q, in 1/Å, cannot tell bonds apart."""
_PEAK = 0.3
"""Part of the height of a curve that its first peak has at least: of a crystal later ones are up to twice as high."""
_LIMIT = 0.12
"""How far from its limit a curve may end, and how far below 0 a g(r) may lie, as a part of its height."""


def check_kind(x: np.ndarray, y: np.ndarray, kind: PairKind) -> None:
    """Raise PairError if a curve (points,) over r in Å or Q in 1/Å cannot be of a kind and of carbon.

    The message names another kind that it may be.
    """
    problem = _PROBLEMS[kind](x, y)
    if problem:
        others = [other for other in KINDS if other != kind and not _PROBLEMS[other](x, y)]
        hint = ""
        if others:
            hint = f"; it looks like {KINDS[others[0]]}: say so, with --pdf-kind {others[0]} or the ending of its name"
        raise PairError(f"this is no {KINDS[kind]} of carbon: {problem}{hint}")


def kinds_of(x: np.ndarray, y: np.ndarray) -> list[PairKind]:
    """The kinds that a curve may be."""
    return [kind for kind, problem in _PROBLEMS.items() if not problem(x, y)]


def first_peak(x: np.ndarray, y: np.ndarray) -> float:
    """Where the highest point of the first stretch above `_PEAK` of a curve's height lies; NaN where nothing is."""
    high = y > _PEAK * y.max()
    if not y.max() > 0:
        return float("nan")
    begin = int(np.argmax(high))
    low = np.flatnonzero(~high[begin:])
    end = begin + int(low[0]) if low.size else len(y)
    return float(x[begin + int(np.argmax(y[begin:end]))])


def _of_distances(r: np.ndarray, y: np.ndarray) -> str:
    """What speaks against a curve over distances, whatever it is."""
    peak = first_peak(r, y)
    for unit, factor, action in (("nm", 0.1, "multiply them by 10"), ("pm", 100.0, "divide them by 100")):
        low, high = (factor * end for end in FIRST_PEAK)
        if low <= peak <= high:
            return f"its first peak lies at {peak:.3g}, so that its distances are in {unit}: {action}, for Å"
    if r[0] > LATEST_START:
        return f"it begins at {r[0]:.3g} Å, beyond {LATEST_START} Å, and the first peak would be cut: give all of it"
    if r[-1] < LEAST_R + 0.3:
        return f"it ends at {r[-1]:.3g} Å, and the second neighbours lie up to {LEAST_R:g} Å: give a longer range"
    widest = float(np.diff(r[r < 2 * LEAST_R]).max())
    if widest > COARSEST["r"]:
        return f"its points lie up to {widest:.2g} Å apart: give at most {COARSEST['r']} Å"
    low, high = FIRST_PEAK
    if not low <= peak <= high:
        return (
            f"its first peak lies at {peak:.2f} Å, that of carbon at 1.42 to 1.55: it is of another element, or no "
            "pair distribution"
        )
    return ""


def _of_g(r: np.ndarray, y: np.ndarray) -> str:
    tail, height = _tail(y), float(np.abs(y).max())
    if abs(tail - 1) > _LIMIT:
        return f"g(r) ends at 1, and this at {tail:.2f}"
    if y.min() < -_LIMIT * height:
        return f"g(r) is not negative, and this falls to {y.min():.2f}"
    return _of_distances(r, y)


def _of_reduced(r: np.ndarray, y: np.ndarray) -> str:
    tail, height = _tail(y), float(np.abs(y).max())
    if abs(tail) > _LIMIT * height:
        return f"G(r) ends about 0, and this at {tail:.2f}"
    found = _of_distances(r, y)
    if found:
        return found
    if y.min() > -_LIMIT * height:
        return "G(r) is negative between the first two peaks, and this is not"
    inside = (r > 0.3) & (r < 1.1)
    if inside.sum() > 3 and y[inside].mean() > 0:
        return "G(r) falls as -4πρr at small r, and this does not"
    return ""


def _of_s(q: np.ndarray, y: np.ndarray) -> str:
    if q[-1] < LEAST_Q:
        return f"it ends at {q[-1]:.3g}, and S(Q) has to reach Q = {LEAST_Q:g} 1/Å (in 1/nm divide by 10)"
    widest = float(np.diff(q).max())
    if widest > COARSEST["Q"]:
        return f"its points lie up to {widest:.2g} 1/Å apart: give at most {COARSEST['Q']}"
    tail = _tail(y)
    if abs(tail - 1) > _LIMIT:
        return f"S(Q) ends at 1, and this at {tail:.2f}"
    if q[0] > 3:
        return f"it begins at {q[0]:.2g} 1/Å: give it from the first peak on, at about 2"
    r = np.arange(0.5, 6, 0.02)
    peak = first_peak(r, reduced_of(q, y, r, max(0.1, 2.1 / q[-1])))
    low, high = FIRST_PEAK
    if not low <= peak <= high:
        return f"its transform has the first peak at {peak:.2f} Å, carbon at 1.42 to 1.55"
    return ""


def _tail(y: np.ndarray) -> float:
    """Mean of the last quarter."""
    return float(y[-max(1, len(y) // 4) :].mean())


_PROBLEMS: dict[PairKind, Callable[[np.ndarray, np.ndarray], str]] = {"g": _of_g, "G": _of_reduced, "S": _of_s}
