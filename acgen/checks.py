"""Checks that constructors share, for what may come from a file of anyone."""

from __future__ import annotations

from typing import Any

import numpy as np

from acgen.errors import AcgenError


def want(holds: bool, problem: str) -> None:
    """Raise AcgenError with the problem unless something holds."""
    if not holds:
        raise AcgenError(problem)


def is_count(value: Any, least: int = 0) -> bool:
    """Whether a value is a whole number, no bool, and not less than `least`."""
    return type(value) is int and value >= least


def is_number(value: Any) -> bool:
    """Whether a value is a plain number."""
    return isinstance(value, (int, float))


def is_array(value: Any, *shape: int) -> bool:
    """Whether a value is an array of this shape without NaN and infinity."""
    return isinstance(value, np.ndarray) and value.shape == shape and bool(np.isfinite(value).all())


def is_curve(value: Any) -> bool:
    """Whether a value is an array (points,) of at least one point, without NaN and infinity."""
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.size > 0 and is_array(value, value.size)


def all_of(values: Any, kind: type) -> bool:
    """Whether a value is a tuple of one kind."""
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)
