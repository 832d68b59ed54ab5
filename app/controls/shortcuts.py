"""Keys for the whole page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class Shortcuts(JSComponent):
    """Draws nothing; calls an action when its key is pressed and nothing else has a use for it.

    A key that writes, moves or presses what has the focus stays there, and so do all keys while a dialog is open.
    """

    keys = param.List(default=[], doc="Names of the keys, as in the browser; `undo` is Ctrl+Z.")

    _esm = Path(__file__).with_name("shortcuts.js")

    def __init__(self, actions: dict[str, Callable[[], Any]], **params):
        super().__init__(keys=list(actions), **params)
        self._actions = actions

    def _handle_msg(self, data: Any) -> None:
        action = self._actions.get(data) if isinstance(data, str) else None
        if action is not None:
            action()
