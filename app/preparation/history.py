"""The choices of a preparation as they were before each change, to go back to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.preparation.choices import Preparation

#: Changes that are remembered, and seconds within which several are one: a slider that is dragged.
MOST, TOGETHER = 50, 0.8


class History:
    """Follows a preparation; other files begin a new history.

    Parameters
    ----------
    preparation
        Whose choices.
    clock
        Seconds.
    """

    def __init__(self, preparation: Preparation, clock: Callable[[], float] = time.monotonic):
        self.preparation, self._clock = preparation, clock
        self._before: list[Any] = []
        self._now, self._files, self._at = preparation.choices(), self._sources(), float("-inf")
        self._own = False
        preparation.follow(self._changed)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to go back to."""
        return not self._before

    def back(self) -> None:
        """Choose what was chosen before the last change."""
        if self._before:
            self._own = True
            self.preparation.restore(self._before.pop())
            self._own = False
            self._now, self._at = self.preparation.choices(), float("-inf")

    def _sources(self) -> list[Any]:
        return [pick.source for pick in self.preparation.picks.values()]

    def _changed(self, *_events: Any) -> None:
        now, files, at = self.preparation.choices(), self._sources(), self._clock()
        if any(new is not old for new, old in zip(files, self._files, strict=True)):
            self._before = []
        elif self._own or _chosen(now) == _chosen(self._now):
            self._now = now
            return
        elif at - self._at > TOGETHER:
            self._before = [*self._before, self._now][-MOST:]
        self._now, self._files, self._at = now, files, at


def _chosen(choices: tuple[dict, dict]) -> tuple[dict, dict]:
    """What the user chose of choices: not the numbers that are found where they are automatic."""
    settings, columns = choices
    found = {name for name in ("shift", "slope") if settings[f"{name}_auto"]}
    return {name: value for name, value in settings.items() if name not in found}, columns
