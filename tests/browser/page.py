"""The dashboard in one browser window, as tests drive and look at it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from serving import SPINNER
from waiting import LIMIT, until

SIZE = {"width": 1440, "height": 900}


class Page:
    """The dashboard in one browser window; remembers every request and every error."""

    def __init__(self, browser, address: str, size: dict[str, int] = SIZE, before: str = ""):
        self.context = browser.new_context(viewport=size, accept_downloads=True)
        self.context.set_default_timeout(1000 * LIMIT)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        if before:
            self.page.goto(before)
        self.page.goto(address)
        self.page.locator(".acgen-card canvas").first.wait_for()
        self.page.locator(SPINNER).wait_for(state="hidden")

    @property
    def foreign(self) -> list[str]:
        """Requests to anything but this machine."""
        own = re.compile(r"(https?|wss?)://localhost:\d+/|data:|blob:")
        return [url for url in self.requests if not own.match(url)]

    def press(self, name: str) -> None:
        self.page.get_by_role("button").filter(has_text=name).first.click()

    def slide(self, label: str, *keys: str) -> None:
        """Set a slider by the keyboard, as anyone can who has no mouse."""
        slider = self.page.get_by_role("slider", name=label)
        slider.focus()
        for key in keys:
            slider.press(key)

    def upload(self, path: Path) -> None:
        self.page.locator(".acgen-spectrum-file input[type=file]").set_input_files(path)

    def wait_for_text(self, text: str) -> None:
        self.page.get_by_text(re.compile(text)).first.wait_for()

    def picture(self, title: str, style: str | None = None) -> np.ndarray:
        """What the part of the page with this heading looks like, with more style, shape (height, width, 3)."""
        card = self.page.locator(".acgen-card", has=self.page.get_by_text(title, exact=True)).last
        return np.asarray(Image.open(io.BytesIO(card.screenshot(style=style))).convert("RGB"), dtype=int)

    def atoms(self) -> np.ndarray:
        """The part of the picture of the structure where the canvas is, without the steps for newcomers over it."""
        return self.picture("Structure", ".steps { visibility: hidden }")[45:-5, 5:-5]

    def wait_for_change(self, look, before: np.ndarray) -> np.ndarray:
        """Wait until a picture differs from an earlier one."""
        seen = []

        def changed() -> bool:
            seen[:] = [look()]
            return seen[0].shape != before.shape or share(seen[0], before) > 0.002

        until(changed, "a change of the picture", every=0.2)
        return seen[0]

    def wait_for_atoms(self) -> None:
        """Wait until atoms are drawn on the canvas."""
        until(lambda: drawn(self.atoms()) > 0.02, "atoms on the canvas", every=0.2)

    def wait_for_rest(self, look) -> np.ndarray:
        """Wait until a picture stays as it is: four looks, and the time between them, in which it does not change."""
        seen = []

        def rests() -> bool:
            seen.append(look())
            return len(seen) > 3 and all(np.array_equal(seen[-1], one) for one in seen[-4:-1])

        until(rests, "the picture at rest", every=0.3)
        return seen[-1]


def share(one: np.ndarray, other: np.ndarray) -> float:
    """Fraction of the pixels that differ clearly."""
    return float((np.abs(one - other).max(axis=2) > 24).mean())


def drawn(picture: np.ndarray) -> float:
    """Fraction of the pixels that are not background."""
    return share(picture, np.broadcast_to(picture[2, 2], picture.shape))
