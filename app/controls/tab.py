"""The browser's side of a session: its key, the connection, the address, and the question before leaving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from panel.custom import JSComponent

SCRIPT = (Path(__file__).parent / "tab.js").read_text(encoding="utf-8")
#: Seconds between two signs of life: a page that misses several of them says that it has lost the server.
BEAT_EVERY = 2.0
#: Keys that are taken from a browser, and letters of each.
MOST_KEYS, MOST_LETTERS = 9, 100


class Tab(JSComponent):
    """Draws nothing; keeps the key of the session for this tab (over reloads) and for this browser.

    The key travels through the page's socket alone, never in an address or a cookie, so that no other site can make the
    browser send it, no log or link holds it, and two tabs can hold two sessions.

    `greeted` is called once, with the key of this tab if it was loaded again (or ""), and the keys that this browser
    knows, the newest first.
    """

    _esm = SCRIPT

    def __init__(self, **params):
        super().__init__(**params)
        self.greeted: Callable[[str, list[str]], None] = lambda _own, _known: None
        self._told: dict[str, Any] = {}
        self._beat_at = float("-inf")

    def hold(self, key: str) -> None:
        """Let this tab have a session."""
        self._send_msg({"key": key})

    def remember(self, key: str) -> None:
        """Let the browser offer a session to a fresh page."""
        self._tell("remember", key)

    def ask_before_leaving(self, unsaved: bool) -> None:
        """Whether leaving the page is asked about."""
        self._tell("unsaved", unsaved)

    def address(self, query: str) -> None:
        """Show settings in the address of the page; *Back* still leads to the page before."""
        self._tell("address", query)

    def elsewhere(self) -> None:
        """Cover the page, whose session another one shows now."""
        self._tell("elsewhere", "This session goes on in another tab or window.", label="Go on here")

    def tick(self, now: float) -> None:
        """Give a sign of life, if it is time."""
        if now - self._beat_at >= BEAT_EVERY:
            self._beat_at = now
            self._send_msg({"beat": True})

    def _tell(self, what: str, value: Any, **more) -> None:
        if self._told.get(what) != value:
            self._told[what] = value
            self._send_msg({what: value} | more)

    def _handle_msg(self, data: Any) -> None:
        told = data if isinstance(data, dict) else {}
        own, known = told.get("own"), told.get("known")
        keys = [key for key in (known if isinstance(known, list) else [])[:MOST_KEYS] if _is_key(key)]
        self.greeted(own if _is_key(own) else "", list(dict.fromkeys(keys)))


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= MOST_LETTERS
