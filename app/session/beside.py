"""Candidates that are worked on at the same time as the one on display."""

from __future__ import annotations

from acgen.sampling.generate import FrameEvent


class Beside:
    """Their frames, kept until it is their turn to be shown."""

    def __init__(self) -> None:
        self._shown = 0
        self._held: dict[int, list[FrameEvent]] = {}

    def holds(self, event: FrameEvent) -> bool:
        """Keep a frame, unless it is of the candidate on display."""
        if event.candidate == self._shown:
            return False
        self._held.setdefault(event.candidate, []).append(event)
        return True

    @property
    def newest(self) -> tuple[FrameEvent, ...]:
        """The last frame of each of these candidates."""
        return tuple(frames[-1] for frames in self._held.values())

    def next(self, candidate: int) -> list[FrameEvent]:
        """Put another candidate on display; its frames so far."""
        self._shown = candidate
        return self._held.pop(candidate, [])
