"""Sessions go on without a page, and pages go on with sessions: in memory, after a restart, in another tab."""

from __future__ import annotations

import functools

import pytest
from app_fakes import MODELS, TARGET, fake_generate, same
from waiting import LIMIT, until

from app.page import Dashboard
from app.session.runner import Runner
from app.session.shelf import IDLE, Shelf, name_of
from app.session.snapshot import Status
from app.session.state import State
from app.session.store import Store

pytestmark = [
    pytest.mark.filterwarnings("ignore:Both 'variant' and 'button_style':PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]


class Server:
    """Pages of one server, with a clock that is turned by hand and nobody who tends its sessions unasked."""

    def __init__(self, folder, unattended: float = 100.0):
        self.now = 0.0
        self.shelf = Shelf(unattended, Store(folder), clock=lambda: self.now)
        self.shelf._watch = lambda: None
        self.pages: list[Dashboard] = []

    def page(self, own: str = "", known: tuple[str, ...] = (), seconds: float = 0.0) -> Dashboard:
        """A page whose browser has these keys."""
        generate = functools.partial(fake_generate, seconds_per_step=seconds)
        page = Dashboard(generate, lambda: MODELS, shelf=self.shelf)
        self.pages.append(page)
        page.state.param.update(cell=7.0, steps=8, restarts=0, candidates=2)
        page.resume.kept.settle()
        page.resume.tab._handle_msg({"own": own, "known": [own, *known]})
        page.tick()
        return page

    def tend(self, later: float = 6.0) -> bool:
        self.now += later
        return self.shelf.tend()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    for page in server.pages:
        page.runner.stop()
        page.runner.join(LIMIT)


def key_of(page: Dashboard) -> str:
    return page.resume._key


def finish(page: Dashboard) -> None:
    page.transport.start.clicks += 1
    page.runner.join(LIMIT)
    page.tick()


def begin(page: Dashboard) -> None:
    """Start a long run."""
    page.state.candidates = 32
    page.transport.start.clicks += 1
    until(lambda: len(page.runner.snapshot.trajectory) > 3)
    page.tick()


def test_a_run_goes_on_without_a_page_and_the_page_comes_back_to_it(server):
    page = server.page(seconds=0.01)
    page.state.add_target(TARGET)
    page.state.xi = 900.0
    begin(page)
    page.close()  # the connection is lost
    step = len(page.runner.snapshot.trajectory)
    server.tend()
    until(lambda: len(page.runner.snapshot.trajectory) > step + 3)
    again = server.page(own=key_of(page))
    assert again.runner is page.runner
    assert again.runner.snapshot.status is Status.RUNNING
    assert (again.state.xi, again.state.target_name) == (900.0, TARGET.name)
    again.tick()
    assert again.state.snapshot.run == 1
    again.transport.stop.clicks += 1
    until(lambda: not again.runner.snapshot.status.active)


def test_a_run_ends_when_nobody_has_come_for_too_long_and_its_memory_goes_back(server):
    page = server.page(seconds=0.01)
    begin(page)
    runner = page.runner
    page.close()
    server.tend(99.0)
    assert runner.snapshot.status.active
    assert server.tend(2.0), "it is about to end"
    until(lambda: not runner.snapshot.status.active)
    server.tend()
    assert server.shelf.take(page.resume.kept.name, page, State()) is None
    assert runner.snapshot.trajectory == ()
    back = server.page(own=key_of(page))
    until(lambda: (back.tick(), back.runner.snapshot.run == 1)[1])
    assert back.runner.snapshot.status is Status.STOPPED
    assert "Stopped" in back.runner.snapshot.log[-1].text


def test_without_time_for_it_a_run_ends_with_its_page(tmp_path):
    server = Server(tmp_path, unattended=0.0)
    page = server.page(seconds=0.01)
    begin(page)
    page.close()
    server.tend(0.0)
    page.runner.join(LIMIT)
    server.tend(0.0)
    assert page.runner.snapshot.trajectory == ()


def test_what_is_done_is_on_disk_within_seconds_and_comes_back_from_another_server(server, tmp_path):
    page = server.page()
    page.state.add_target(TARGET)
    finish(page)
    server.tend()
    page.state.density = 2.5
    server.tend()
    restarted = Server(tmp_path)
    again = restarted.page(own=key_of(page))
    until(lambda: (again.tick(), again.runner.snapshot.run == 1)[1])
    assert same(
        [item.candidate for item in again.runner.snapshot.finished],
        [item.candidate for item in page.runner.snapshot.finished],
    )
    assert (again.state.density, again.state.target_name) == (2.5, TARGET.name)
    assert key_of(again) == key_of(page)
    finish(again)
    restarted.tend()
    third = Server(tmp_path).page(own=key_of(page))
    until(lambda: (third.tick(), third.runner.snapshot.run == 2)[1])
    assert [item.name for item in third.runner.snapshot.finished] == ["1.1", "1.2", "2.1", "2.2"]


def test_nothing_is_written_when_nothing_was_done_or_nothing_has_changed(server, tmp_path):
    page = server.page()
    server.tend()
    assert list(tmp_path.iterdir()) == []
    finish(page)
    server.tend()
    (folder,) = tmp_path.iterdir()
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    server.tend()
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_a_fresh_page_offers_the_last_session_and_a_click_brings_it(server):
    page = server.page()
    finish(page)
    fresh = server.page(known=("no such key", key_of(page)))
    assert fresh.resume.notice.visible
    assert "2 candidates, 1 run" in fresh.resume.text.object
    assert fresh.runner is not page.runner, "nothing happens unasked"
    fresh.resume.button.clicks += 1
    fresh.tick()
    assert fresh.runner is page.runner
    assert not fresh.resume.notice.visible
    assert page.resume.elsewhere
    own = server.page(own=key_of(page))
    assert own.runner is page.runner, "the first page comes back to it when it is loaded again"
    assert fresh.resume.elsewhere


def test_an_offer_ends_with_a_start_and_a_closed_page_leaves_what_another_one_has(server):
    page = server.page()
    finish(page)
    fresh = server.page(known=(key_of(page),))
    finish(fresh)
    assert not fresh.resume.notice.visible
    taken = server.page(own=key_of(page))
    page.close()
    server.tend(IDLE + 101.0)
    assert taken.runner.snapshot.finished, "it is open there"


WRONG = (None, [], {}, {"own": "../..", "known": ["../..", "", 7, None]}, {"known": "x" * 999})


@pytest.mark.parametrize("keys", WRONG)
def test_no_key_and_a_wrong_one_bring_nothing(server, tmp_path, keys):
    page = server.page()
    page.state.add_target(TARGET)
    finish(page)
    server.tend()
    name = page.resume.kept.name
    for told in (keys, {"own": name, "known": [name]}, {"own": key_of(page)[:-1], "known": [key_of(page).lower()]}):
        other = server.page()
        other.resume.tab._handle_msg(told)
        other.tick()
        assert not other.resume.notice.visible
        assert other.runner is not page.runner
        assert other.runner.snapshot.run == 0
        assert TARGET.name not in other.state.targets
    assert key_of(page) not in "".join(map(str, tmp_path.rglob("*"))), "a folder does not tell the key"


def test_keys_cannot_be_guessed_and_belong_to_a_user():
    pages = [Dashboard(fake_generate, lambda: MODELS) for _ in range(3)]
    assert len({key_of(page) for page in pages}) == 3
    assert all(len(key_of(page)) == 43 for page in pages), "32 random bytes"
    assert name_of("key", "one") != name_of("key", "other") != name_of("key")


def test_leaving_is_asked_about_while_there_is_work_that_no_file_has(server):
    page = server.page()
    assert not page.transport.unsaved
    finish(page)
    assert page.transport.unsaved
    assert page.resume.tab._told["unsaved"]


def test_a_session_that_cannot_be_written_goes_on_and_says_why(server, monkeypatch):
    page = server.page()
    monkeypatch.setattr(server.shelf.store, "write", lambda *_args: (_ for _ in ()).throw(OSError("no space left")))
    finish(page)
    server.tend()
    assert "no space left" in server.shelf.problem
    page.close()
    server.tend(200.0)
    assert server.shelf.take(page.resume.kept.name, page, State()) is None, "memory goes back all the same"


def test_a_runner_of_a_session_is_not_ended_by_a_page_that_has_lost_it():
    shelf = Shelf(50.0, clock=lambda: 0.0)
    runner, state = Runner(fake_generate, lambda: MODELS), State()
    kept = shelf.begin("0" * 64, runner, state, "one page")
    assert shelf.take("0" * 64, "another", State()) is kept
    shelf.leave(kept, "one page")
    assert kept.page == "another"
