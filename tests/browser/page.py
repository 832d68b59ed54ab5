"""The dashboard in one browser window, as tests drive and look at it."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import SPINNER

SIZE = {"width": 1440, "height": 900}


class Page:
    """The dashboard in one browser window; remembers every request and every error."""

    def __init__(self, browser, address: str, size: dict[str, int] = SIZE):
        self.context = browser.new_context(viewport=size, accept_downloads=True)
        self.context.set_default_timeout(120_000)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
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

    def wait_for_text(self, text: str, seconds: float = 120.0) -> None:
        self.page.get_by_text(re.compile(text)).first.wait_for(timeout=1000 * seconds)

    def picture(self, title: str) -> np.ndarray:
        """What the part of the page with this heading looks like, shape (height, width, 3)."""
        card = self.page.locator(".acgen-card", has=self.page.get_by_text(title, exact=True)).last
        return np.asarray(Image.open(io.BytesIO(card.screenshot())).convert("RGB"), dtype=int)

    def atoms(self) -> np.ndarray:
        """The part of the picture of the structure where the canvas is."""
        return self.picture("Structure")[45:-5, 5:-5]

    def wait_for_change(self, look, before: np.ndarray, seconds: float = 120.0) -> np.ndarray:
        """Wait until a picture differs from an earlier one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = look()
            if now.shape != before.shape or share(now, before) > 0.002:
                return now
            time.sleep(0.2)
        pytest.fail("the picture does not change")

    def wait_for_atoms(self, seconds: float = 120.0) -> None:
        """Wait until atoms are drawn on the canvas."""
        end = time.monotonic() + seconds
        while drawn(self.atoms()) < 0.02:
            if time.monotonic() > end:
                pytest.fail("no atoms are drawn")
            time.sleep(0.2)

    def wait_for_rest(self, look, seconds: float = 120.0) -> np.ndarray:
        """Wait until a picture stays as it is."""
        end = time.monotonic() + seconds
        before = look()
        while time.monotonic() < end:
            time.sleep(2.0)
            now = look()
            if np.array_equal(now, before):
                return now
            before = now
        pytest.fail("the picture does not come to rest")


def share(one: np.ndarray, other: np.ndarray) -> float:
    """Fraction of the pixels that differ clearly."""
    return float((np.abs(one - other).max(axis=2) > 24).mean())


def drawn(picture: np.ndarray) -> float:
    """Fraction of the pixels that are not background."""
    return share(picture, np.broadcast_to(picture[2, 2], picture.shape))
