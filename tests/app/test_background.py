"""Jobs of a session in threads: the newest wins, errors are told, and nothing ends the service."""

from __future__ import annotations

import threading
import time

import pytest
from ase.build import bulk
from waiting import LIMIT, until

from acgen.networks.models import load_models
from app.session.shown import Shown
from app.session.state import State
from app.viewer.selection import SiteSpectra
from app.workers.background import Background

DIAMOND = bulk("C", cubic=True)


def rests(background: Background, kind: str = "any") -> bool:
    """Whether a kind of job is done, after one more tick."""
    background.tick()
    return not background.busy(kind)


def test_the_newest_job_of_a_kind_replaces_the_one_that_waits():
    background, go, seen, threads = Background(), threading.Event(), [], []

    def work(number: int):
        def run() -> int:
            threads.append(threading.current_thread())
            assert go.wait(LIMIT)
            return number

        return run

    for number in range(4):
        background.do("prepare", work(number), lambda found, error: seen.append((found, error)))
    background.do("other", lambda: "beside", lambda found, error: seen.append((found, error)))
    until(lambda: (background.tick(), seen == [("beside", None)])[1], "the other kind")
    assert background.busy("prepare")
    go.set()
    until(lambda: rests(background, "prepare"), "both jobs")
    assert seen[1:] == [(0, None), (3, None)]
    assert threading.current_thread() not in threads


def test_an_error_is_handed_over_and_the_next_job_works():
    background, seen = Background(), []

    def broken():
        raise ValueError("shapes differ")

    for work in (broken, lambda: 3):
        background.do("any", work, lambda found, error: seen.append(found if error is None else str(error)))
        until(lambda: rests(background), "the job")
    assert seen == ["shapes differ", 3]


def test_who_takes_a_result_may_ask_again_or_fail_without_losing_the_rest():
    background, seen = Background(), []

    def again(found, _error):
        seen.append(found)
        background.do("any", lambda: found + 1, lambda more, _error: seen.append(more))
        raise RuntimeError("of the page")

    background.do("any", lambda: 1, again)
    with pytest.raises(RuntimeError, match="of the page"):
        until(lambda: rests(background), "the job")
    until(lambda: rests(background), "the job")
    assert seen == [1, 2]


def test_closed_it_hands_nothing_over():
    background, seen = Background(), []
    background.do("any", lambda: 1, lambda found, _error: seen.append(found))
    background.close()
    time.sleep(0.05)
    background.tick()
    assert seen == []


def test_without_a_tick_it_works_at_once():
    seen = []
    Background(pool=None).do("any", lambda: 2, lambda found, error: seen.append((found, error)))
    assert seen == [(2, None)]


def test_site_spectra_that_cannot_be_predicted_are_told_and_the_next_structure_has_them():
    state, told, models = State(), [], load_models()
    answers = [RuntimeError("out of memory"), models]

    def load():
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    background = Background()
    sites = SiteSpectra(state, load, background, told.append)

    def tick() -> None:
        background.tick()
        sites.tick()

    first, second = (Shown(name, DIAMOND, None) for name in ("first", "second"))
    state.param.update(shown=first, compared=(first,), atom=2)
    until(lambda: (tick(), told)[1], "the error")
    for _ in range(20):
        tick()
        time.sleep(0.005)
    assert len(told) == 1, "it is not tried again and again"
    assert "RuntimeError: out of memory" in told[0]
    state.param.update(shown=second, compared=(second,))
    until(lambda: (tick(), state.shown.site_spectra is not None)[1], "the spectra")
    assert state.shown.site_spectra.shape == (8, 100)
