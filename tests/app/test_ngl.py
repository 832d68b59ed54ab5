"""The stream of frames to nglview: never more than the browser draws, always the newest."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances as ALL_WIDGETS

from app.look import colours
from app.viewer.colouring import by_coordination
from app.viewer.ngl import PATIENCE, FrameStream

CELL = np.diag([4.0, 5.0, 6.0])


class Browser:
    """What the front end would do with the messages of a stream."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stream = FrameStream(clock=lambda: self.now)
        self.calls: list[tuple[str, list]] = []
        self.stream.widget.send = lambda message: self.calls.append((message["methodName"], message["args"]))

    def answer(self, **message) -> None:
        self.stream._receive(None, message, [])

    @property
    def frames(self) -> list[dict]:
        return [arguments[0] for method, arguments in self.calls if method == "acgenShow"]

    def show(self, x: float) -> None:
        positions = np.array([[x, 0.0, 0.0], [1.0, 1.0, 1.0]])
        bonds = np.array([[0, 1]]), np.array([[0, -1, 0]])
        self.stream.show(positions, bonds, CELL, by_coordination(np.array([1, 9])), marked=(1,))


@pytest.fixture
def browser():
    browser = Browser()
    yield browser
    browser.stream.close()


def test_the_script_is_installed_before_anything_is_shown(browser):
    browser.show(0.0)
    assert browser.calls == []
    browser.answer(type="request_loaded", data=True)
    assert [method for method, _ in browser.calls] == ["executeCode"]
    browser.answer(type="acgen_ready")
    assert [method for method, _ in browser.calls] == ["executeCode", "acgenBackground", "acgenLook", "acgenShow"]


def test_a_frame_holds_little_endian_numbers(browser):
    browser.answer(type="acgen_ready")
    browser.show(0.5)
    (frame,) = browser.frames
    numbers = {name: base64.b64decode(frame[name]) for name in ("positions", "bonds", "images", "colour")}
    assert np.frombuffer(numbers["positions"], "<f4").tolist() == [0.5, 0, 0, 1, 1, 1]
    assert np.frombuffer(numbers["bonds"], "<i4").tolist() == [0, 1]
    assert np.frombuffer(numbers["images"], "i1").tolist() == [0, -1, 0]
    assert np.frombuffer(numbers["colour"], "u1").tolist() == [1, 5], "five and more share a colour"
    assert frame["marked"] == [1]
    assert frame["cell"] == CELL.tolist()
    assert frame["palette"][3] == colours.CN[3]


def x_of(frame: dict) -> float:
    return float(np.frombuffer(base64.b64decode(frame["positions"]), "<f4")[0])


def test_frames_wait_for_the_answer_and_the_newest_wins(browser):
    browser.answer(type="acgen_ready")
    for x in range(10):
        browser.show(float(x))
    assert [x_of(frame) for frame in browser.frames] == [0.0, 1.0], "one that is drawn and one ahead"
    assert not browser.stream.free
    browser.answer(type="acgen_drawn", id=browser.frames[0]["id"])
    assert [x_of(frame) for frame in browser.frames] == [0.0, 1.0, 9.0]
    browser.answer(type="acgen_drawn", id=browser.frames[1]["id"])
    browser.answer(type="acgen_drawn", id=browser.frames[2]["id"])
    assert len(browser.frames) == 3, "nothing is drawn twice"
    assert browser.stream.free
    assert browser.stream.drawn == 3


def test_a_browser_that_does_not_answer_gets_another_frame_after_a_while(browser):
    browser.answer(type="acgen_ready")
    browser.show(1.0)
    browser.show(2.0)
    assert not browser.stream.free
    browser.now += PATIENCE + 0.1
    assert browser.stream.free
    browser.show(3.0)
    browser.show(4.0)
    assert len(browser.frames) == 4
    browser.answer(type="acgen_drawn", id=browser.frames[0]["id"])
    assert not browser.stream.free, "that was the answer to an early frame"
    browser.answer(type="acgen_drawn", id=browser.frames[3]["id"])
    assert browser.stream.free, "whoever draws a frame has no use for those before it"


def test_a_click_is_told(browser):
    told = []
    browser.stream.picked = lambda *picked: told.append(picked)
    browser.answer(type="acgen_picked", atom=3)
    browser.answer(type="acgen_picked", atom=4, more=True)
    browser.answer(type="acgen_picked", atom=None, more="nonsense")
    assert told == [(3, False), (4, True), (None, False)]


def test_how_to_look_is_told_again_to_a_view_that_opens_later(browser):
    browser.stream.look(repeat=[2, 2, 2])
    browser.stream.look(slab=[0.2, 0.5])
    assert browser.calls == []
    browser.answer(type="acgen_ready")
    assert ("acgenLook", [{"repeat": [2, 2, 2], "slab": [0.2, 0.5]}]) in browser.calls


def test_a_closed_stream_sends_nothing(browser):
    browser.answer(type="acgen_ready")
    browser.stream.close()
    browser.show(1.0)
    assert browser.frames == []
    assert browser.stream.widget not in ALL_WIDGETS.values(), "ipywidgets would keep it for the life of the server"
