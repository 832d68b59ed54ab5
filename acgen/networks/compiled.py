"""Machine code of small loops."""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile to machine code, kept on disk where there is a place for it.

    Without `fastmath`, which gains nothing here (5.0 against 5.0 ms for the score of 217 atoms): with it a process that
    compiles has other last digits than one that finds the machine code on disk.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(**options)(function)
