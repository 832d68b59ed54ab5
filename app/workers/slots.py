"""At most a few samplers at once on one server: the others wait in line."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from acgen.errors import AcgenError


class Slots:
    """Places for work; first come, first served.

    Parameters
    ----------
    limit
        How many may work at once.

    Raises
    ------
    AcgenError
        If that is less than one.
    """

    def __init__(self, limit: int):
        if limit < 1:
            raise AcgenError(f"got room for {limit} runs at once; give at least 1")
        self.limit = limit
        self._changed = threading.Condition()
        self._working = 0
        self._line: list[Turn] = []

    def turn(self) -> Turn:
        """Something that can work when it is its turn."""
        return Turn(self)

    def wake(self) -> None:
        """Let those who wait look whether they still want to."""
        with self._changed:
            self._changed.notify_all()


class Turn:
    """One worker's claim on a place."""

    def __init__(self, slots: Slots):
        self._slots = slots
        self._working = False

    def take(self, given_up: Callable[[], bool], tell: Callable[[int], None]) -> bool:
        """Wait for a place.

        Parameters
        ----------
        given_up
            Asked whenever something changes: whether to wait no longer.
        tell
            Called with the place in the line, from 1, whenever that changes.

        Returns
        -------
        bool
            Whether there is a place, which `give` has to give back; False if given up.
        """
        slots = self._slots
        told = 0
        with slots._changed:
            slots._line.append(self)
            try:
                while not given_up():
                    place = slots._line.index(self) + 1
                    if place <= slots.limit - slots._working:
                        slots._working += 1
                        self._working = True
                        return True
                    if place != told:
                        tell(place)
                        told = place
                    slots._changed.wait()
                return False
            finally:
                slots._line.remove(self)
                slots._changed.notify_all()

    def give(self) -> None:
        """Give the place back, if there is one."""
        with self._slots._changed:
            if self._working:
                self._working = False
                self._slots._working -= 1
                self._slots._changed.notify_all()


@functools.cache
def server_slots(limit: int) -> Slots:
    """The places that all sessions of this server share."""
    return Slots(limit)
