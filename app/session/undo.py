"""The settings as they were before each change, to go back to."""

from __future__ import annotations

from typing import Any

from app.session.presets import LINKED
from app.session.state import State

#: Settings that can be taken back, and how many changes are remembered.
KEPT, MOST = (*LINKED, "start", "start_t", "pdf"), 50


class Undo:
    """Remembers what settings were, one entry for all that changes at once."""

    def __init__(self, state: State):
        self.state = state
        self._before: list[dict[str, Any]] = []
        self._now = self._values()
        self._own = False
        state.param.watch(self._changed, list(KEPT))

    def back(self) -> bool:
        """Set what was set before the last change; False if there is none, or a run holds the settings."""
        if not self._before or self.state.snapshot.status.active:
            return False
        values = self._before.pop()
        if values["target_name"] not in self.state.targets:  # it is gone
            values = values | {"target_name": self.state.target_name}
        self._own = True
        # The target first: the instrument follows it.
        for name in KEPT:
            setattr(self.state, name, values[name])
        self._own = False
        self._now = self._values()
        return True

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self.state, name) for name in KEPT}

    def _changed(self, *_events: Any) -> None:
        now = self._values()
        if self._own or all(now[name] is self._now[name] or now[name] == self._now[name] for name in KEPT):
            return
        self._before = [*self._before, self._now][-MOST:]
        self._now = now
