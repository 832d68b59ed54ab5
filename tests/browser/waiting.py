"""Waiting for what another thread, another process or the page does."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

#: Seconds of the longest wait. Nothing needs them: they end a test that hangs, on a machine however busy.
LIMIT = 300.0


def until(condition: Callable[[], object], what: str = "what the test waits for", every: float = 0.01) -> None:
    """Ask again and again until a condition holds; fail if it does not come true.

    Parameters
    ----------
    condition
        Asked without arguments.
    what
        Names the event where the test fails.
    every
        Seconds between two questions.
    """
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {LIMIT:g} s")
        time.sleep(every)
