"""Real sessions on a real server, over websockets: they share nothing, and end with their page."""

from __future__ import annotations

import gc
import socket
import threading
import weakref
from functools import partial

import panel as pn
import pytest
from app_fakes import MODELS, fake_generate
from bokeh.client.session import ClientSession
from bokeh.events import DocumentReady
from waiting import until

from app.page import Dashboard
from app.session.snapshot import Status

pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]


def workers() -> int:
    """Number of runs that are going on."""
    return sum(thread.name == "acgen-run" for thread in threading.enumerate())


def threads() -> int:
    """Number of threads, without the pools that event loops and all sessions keep."""
    return sum(not thread.name.startswith(("asyncio_", "acgen-work")) for thread in threading.enumerate())


@pytest.fixture
def served():
    """Address of a server, and every dashboard that it made."""
    made: list[Dashboard] = []

    def page():
        dashboard = Dashboard(partial(fake_generate, seconds_per_step=0.02), lambda: MODELS)
        made.append(dashboard)
        dashboard.state.param.update(cell=7.0, candidates=32, seed=len(made))
        document = pn.state.curdoc
        document.add_next_tick_callback(lambda: document.callbacks.trigger_event(DocumentReady()))  # as a browser does
        return dashboard.page()

    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = pn.serve(
        page,
        port=port,
        threaded=True,
        show=False,
        check_unused_sessions_milliseconds=200,
        unused_session_lifetime_milliseconds=200,
    )
    until(lambda: server.is_alive() and _answers(port))
    yield f"ws://localhost:{port}/ws", made
    server.stop()


def connect(url: str) -> ClientSession:
    """Open a page as a browser does."""
    session = ClientSession(websocket_url=url)
    session.connect()
    return session


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("localhost", port)) == 0


@pytest.mark.parametrize("pages", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_pages_come_and_go_and_leave_neither_runs_nor_memory(served, pages):
    url, made = served
    before = threads()
    held: list[weakref.ref] = []  # what takes memory: frames and analysed structures
    for _ in range(pages):
        session = connect(url)
        page = made[-1]
        page.transport.start.clicks += 1
        until(lambda page=page: page.state.shown is not None and len(page.runner.snapshot.trajectory) > 5)
        held += [weakref.ref(event.frame) for event in page.runner.snapshot.trajectory]
        held.append(weakref.ref(page.state.shown))
        session.close()
        until(lambda: workers() == 0)
    until(lambda: (gc.collect(), sum(ref() is not None for ref in held))[1] == 0)
    assert len(made) == pages
    until(lambda: threads() == before)


def test_two_pages_at_once_do_not_mix(served):
    url, made = served
    sessions = [connect(url) for _ in range(2)]
    one, other = made
    one.state.xi = 900.0
    one.transport.start.clicks += 1
    until(lambda: one.state.shown is not None)
    assert other.state.xi != 900.0
    assert other.state.snapshot.status is Status.IDLE
    assert other.state.shown is None
    other.transport.start.clicks += 1
    until(lambda: other.state.shown is not None)
    seeds = [page.runner.snapshot.settings.seed for page in (one, other)]
    assert seeds == [1, 2]
    sessions[0].close()
    until(lambda: not one.runner.snapshot.status.active)
    assert other.runner.snapshot.status.active
    sessions[1].close()
    until(lambda: workers() == 0)
