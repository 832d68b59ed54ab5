"""The worker of a run: pause, step, stop, errors, and what a slow reader sees."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime

import pytest
from app_fakes import MODELS, fake_generate
from waiting import LIMIT, until

from acgen.errors import AcgenError
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import Settings
from acgen.spectra.targets import builtin_targets
from app.session.runner import Runner
from app.session.snapshot import Snapshot, Status
from app.views.progress import describe
from app.workers.pace import Pace
from app.workers.slots import Slots

SMALL = Settings(density=2.0, cell=7.0, steps=20, restarts=0, candidates=2)


class Gate:
    """A generator that makes a frame whenever the test allows it, and remembers how it ended."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.made = 0
        self.closed = False

    def __call__(self, settings, models, strength):
        try:
            for event in fake_generate(settings, models, strength):
                assert self.allowed.acquire(timeout=LIMIT)
                self.made += 1
                yield event
        finally:
            self.closed = True


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def runner(gate):
    runner = Runner(gate, lambda: MODELS)
    yield runner
    runner.stop()
    gate.allowed.release(10_000)
    runner.join(LIMIT)
    assert not any(thread.name == "acgen-run" for thread in threading.enumerate())


def test_a_run_ends_with_every_candidate_and_all_progress():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(SMALL)
    runner.join(LIMIT)
    snapshot = runner.snapshot
    assert snapshot.status is Status.DONE
    assert [candidate.index for candidate in snapshot.candidates] == [0, 1]
    assert snapshot.progress == 1.0
    assert snapshot.remaining is None
    assert snapshot.weights == MODELS.sha256


def test_misfits_of_every_candidate_are_kept():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(Settings(cell=7.0, steps=20, restarts=0, candidates=2, target=builtin_targets()["sp2"]))
    runner.join(LIMIT)
    steps = runner.snapshot.frame.steps
    assert [len(misfits) for misfits in runner.snapshot.misfits] == [steps, steps]
    assert runner.snapshot.misfits[1][-1] == (steps, runner.snapshot.frame.misfit)


def side_by_side(settings, models, strength):
    """As the core makes two candidates at a time: a step of each, and both finished at the end."""
    seeds = settings.seed, settings.seed + 1
    one, other = (fake_generate(replace(settings, seed=seed, candidates=1), models, strength) for seed in seeds)
    for first, second in zip(one, other, strict=True):
        yield first
        yield replace(second, index=1) if isinstance(second, Candidate) else replace(second, candidate=1)


def test_of_candidates_at_a_time_one_is_shown_and_all_count():
    seen, allowed = [], threading.Semaphore(0)

    def held(*args):
        for event in side_by_side(*args):
            assert allowed.acquire(timeout=LIMIT)
            yield event
            seen.append(runner.snapshot)

    runner = Runner(held, lambda: MODELS)
    runner.start(replace(SMALL, target=builtin_targets()["sp2"]))
    steps = len(SMALL.plan)
    allowed.release(9)  # five steps of the first, four of the other
    until(lambda: runner.snapshot.made == 9)
    snapshot = runner.snapshot
    assert (snapshot.candidate, snapshot.frame.step, snapshot.at_work) == (0, 5, 2)
    assert [len(misfits) for misfits in snapshot.misfits] == [5, 4]
    assert snapshot.progress == pytest.approx(9 / (2 * steps))
    assert "Candidates 1-2 of 2" in describe(snapshot)
    assert [(event.candidate, event.frame.step) for event in snapshot.beside] == [(1, 4)]
    allowed.release(1000)
    runner.join(LIMIT)
    snapshot = runner.snapshot
    assert snapshot.progress == 1.0
    order = [(event.candidate, event.frame.step) for event in snapshot.trajectory]
    assert snapshot.beside == ()
    assert order == [(k, step) for k in (0, 1) for step in range(1, steps + 1)], "by candidate and step"
    assert [item.candidate.index for item in snapshot.finished] == [0, 1]
    lengths = [len(each.trajectory) for each in seen]
    assert lengths == sorted(lengths), "what was kept stays where it was"
    assert [len(misfits) for misfits in snapshot.misfits] == [steps, steps]


def test_pause_holds_the_run_and_a_step_makes_one_frame(runner, gate):
    runner.start(SMALL)
    gate.allowed.release()
    until(lambda: runner.snapshot.frame is not None)
    runner.pause()
    gate.allowed.release(100)
    until(lambda: runner.snapshot.status is Status.PAUSED)
    before = runner.snapshot.frame.step
    time.sleep(0.05)
    assert runner.snapshot.frame.step == before
    runner.step()
    until(lambda: runner.snapshot.frame.step == before + 1 and runner.snapshot.status is Status.PAUSED)
    time.sleep(0.05)
    assert runner.snapshot.frame.step == before + 1
    runner.resume()
    until(lambda: runner.snapshot.status is Status.DONE)


def test_stop_ends_within_one_step_and_closes_the_generator(runner, gate):
    runner.start(SMALL)
    gate.allowed.release(5)
    until(lambda: gate.made == 5)
    runner.stop()
    gate.allowed.release(100)
    until(lambda: runner.snapshot.status is Status.STOPPED)
    assert gate.made <= 6
    assert gate.closed


def test_stop_ends_a_paused_run(runner, gate):
    runner.start(SMALL)
    runner.pause()
    gate.allowed.release(100)
    until(lambda: runner.snapshot.status is Status.PAUSED)
    runner.stop()
    until(lambda: runner.snapshot.status is Status.STOPPED)
    assert gate.closed


def test_stop_keeps_what_is_finished():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(Settings(cell=7.0, steps=20, restarts=0, candidates=32))
    until(lambda: len(runner.snapshot.candidates) >= 1)
    runner.stop()
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.STOPPED
    assert 1 <= len(runner.snapshot.candidates) < 32


def test_a_slow_reader_sees_only_the_newest_frame(runner, gate):
    runner.start(SMALL)
    seen: list[Snapshot] = [runner.snapshot]
    for released in (3, 5, 7):
        gate.allowed.release(released)
        until(lambda: runner.snapshot.frame is not None and runner.snapshot.frame.step == gate.made)
        until(lambda total=released: gate.made - (seen[-1].frame.step if seen[-1].frame else 0) == total)
        until(lambda: runner.snapshot.frame.step == gate.made)
        seen.append(runner.snapshot)
    assert [snapshot.frame.step for snapshot in seen[1:]] == [3, 8, 15]
    assert seen[1].frame.step == 3, "a snapshot never changes after it was taken"


@pytest.mark.parametrize(
    ("error", "part"),
    [(AcgenError("lower xi"), "lower xi"), (RuntimeError("odd"), "RuntimeError: odd (broken")],
)
def test_an_error_is_text_in_the_snapshot_and_the_next_run_works(error, part):
    def broken(settings, models, strength):
        yield next(fake_generate(settings, models))
        raise error

    generate = [broken, fake_generate]
    runner = Runner(lambda *given: generate.pop(0)(*given), lambda: MODELS)
    runner.start(SMALL)
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.FAILED
    assert part in runner.snapshot.error
    runner.start(SMALL)
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.DONE
    assert runner.snapshot.error == ""


def test_networks_that_cannot_be_loaded_are_an_error_of_the_run():
    def missing():
        raise ValueError("the shipped file is missing: reinstall acgen")

    runner = Runner(fake_generate, missing)
    runner.start(SMALL)
    runner.join(LIMIT)
    assert runner.snapshot.status is Status.FAILED
    assert "reinstall" in runner.snapshot.error


def test_a_second_start_is_refused_while_a_run_is_active(runner, gate):
    runner.start(SMALL)
    with pytest.raises(AcgenError, match="stop it"):
        runner.start(SMALL)


def test_twenty_runs_leave_no_thread_behind():
    before = threading.active_count()
    for _ in range(20):
        runner = Runner(fake_generate, lambda: MODELS)
        runner.start(Settings(cell=7.0, steps=8, restarts=0, candidates=1))
        runner.join(LIMIT)
    assert threading.active_count() == before


def test_time_left_follows_the_pace_and_ignores_pauses(gate):
    now = [0.0]
    runner = Runner(gate, lambda: MODELS, clock=lambda: now[0])
    runner.start(SMALL)
    until(lambda: runner.snapshot.status is Status.RUNNING)
    steps = len(SMALL.plan)
    for made in range(1, 5):
        now[0] += 1.0
        if made == 4:
            runner.pause()
        gate.allowed.release()
        until(lambda made=made: runner.snapshot.frame is not None and runner.snapshot.frame.step == made)
    until(lambda: runner.snapshot.status is Status.PAUSED)
    assert runner.snapshot.remaining == pytest.approx(2 * steps - 4)
    now[0] += 1000.0
    runner.resume()
    until(lambda: runner.snapshot.status is Status.RUNNING)
    now[0] += 1.0
    gate.allowed.release()
    until(lambda: runner.snapshot.frame.step == 5)
    assert runner.snapshot.elapsed == pytest.approx(5.0)
    runner.stop()
    gate.allowed.release(1000)
    runner.join(LIMIT)


GUIDED = Settings(cell=7.0, steps=20, restarts=0, candidates=1, target=builtin_targets()["sp2"], xi=200.0)


def test_a_strength_set_on_the_way_is_in_the_frames_and_in_the_log(runner, gate):
    runner.start(GUIDED)
    gate.allowed.release(3)
    until(lambda: gate.made == 3)
    runner.steer(700.0)
    runner.steer(900.0)
    gate.allowed.release(100)
    runner.join(LIMIT)
    snapshot = runner.snapshot
    held = [event.xi for event in snapshot.trajectory]
    change = held.index(900.0)
    assert set(held[:change]) == {200.0}
    assert set(held[change:]) == {900.0}
    told = [entry.text for entry in snapshot.log if "ξ 200 → 900" in entry.text]
    assert told == [f"ξ 200 → 900 from step {change + 1} of candidate 1"]


def test_the_log_says_what_was_done_and_when(runner, gate):
    runner.start(GUIDED)
    gate.allowed.release()
    until(lambda: runner.snapshot.frame is not None)
    runner.pause()
    gate.allowed.release(1)
    until(lambda: runner.snapshot.status is Status.PAUSED)
    step = runner.snapshot.frame.step
    runner.resume()
    gate.allowed.release(100)
    runner.join(LIMIT)
    texts = [entry.text for entry in runner.snapshot.log]
    assert "target sp2, ξ 200" in texts[0]
    assert texts[1:3] == [f"Paused at step {step} of candidate 1", "Resumed"]
    assert texts[3] == f"Candidate 1 finished, misfit {runner.snapshot.candidates[0].misfit:.3f}"
    assert texts[4] == "Done with 1 of 1 candidates"
    assert all(datetime.fromisoformat(entry.when).tzinfo is not None for entry in runner.snapshot.log)


def test_every_frame_is_kept_until_there_are_too_many(monkeypatch):
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(SMALL)
    runner.join(LIMIT)
    steps = len(SMALL.plan)
    kept = runner.snapshot.trajectory
    assert [(event.candidate, event.frame.step) for event in kept] == [(c, s + 1) for c in (0, 1) for s in range(steps)]
    frame = kept[0].frame
    size = frame.positions.nbytes + frame.denoised.nbytes + frame.rng_state.nbytes
    monkeypatch.setattr("app.session.snapshot.KEPT_BYTES", 10 * size)
    runner.start(SMALL)
    runner.join(LIMIT)
    thinned = runner.snapshot.trajectory
    assert 5 <= len(thinned) <= 10
    assert thinned[-1].frame is runner.snapshot.frame


def test_candidates_and_logs_of_earlier_runs_stay():
    runner = Runner(fake_generate, lambda: MODELS)
    runner.start(SMALL)
    runner.join(LIMIT)
    first = runner.snapshot
    runner.start(replace(SMALL, resume=first.trajectory[9].frame, candidates=1), "step 10 of candidate 1.1")
    runner.join(LIMIT)
    branch = runner.snapshot
    assert [item.name for item in branch.finished] == ["1.1", "1.2", "2.1"]
    assert len(branch.candidates) == 1
    assert [run.log for run in branch.runs] == [first.log, branch.log]
    assert "Run 2 started from step 10 of candidate 1.1" in branch.log[0].text
    assert branch.trajectory[0].frame.step == 11
    runner.start(SMALL)
    runner.join(LIMIT)
    runs = runner.snapshot.runs
    assert [run.log[0].text.split(":")[0].split(" from")[0] for run in runs] == [f"Run {n} started" for n in (1, 2, 3)]
    assert [run.settings.resume is None for run in runs] == [True, False, True]


def test_the_time_of_a_run_is_learned_and_scales_with_atoms_and_steps():
    pace = Pace()
    pace.learn(SMALL, 10, 3.4)
    assert pace.seconds(SMALL) == pytest.approx(0.34 * 2 * len(SMALL.plan))
    assert pace.seconds(replace(SMALL, cell=14.0)) == pytest.approx(
        pace.seconds(SMALL) * replace(SMALL, cell=14.0).n_atoms / SMALL.n_atoms
    )
    assert pace.seconds(GUIDED) == Pace().seconds(GUIDED), "guided steps are another matter"


class TestQueue:
    """Two runners and one place."""

    @pytest.fixture
    def two(self):
        slots, gates = Slots(1), (Gate(), Gate())
        runners = [Runner(gate, lambda: MODELS, slots) for gate in gates]
        yield runners, gates
        for runner, gate in zip(runners, gates, strict=True):
            runner.stop()
            gate.allowed.release(10_000)
        for runner in runners:
            runner.join(LIMIT)

    def start(self, two):
        (first, second), (gate, _) = two
        first.start(SMALL)
        gate.allowed.release()
        until(lambda: first.snapshot.frame is not None)
        second.start(SMALL)
        until(lambda: second.snapshot.status is Status.QUEUED)

    def test_the_second_waits_knows_its_place_and_follows(self, two):
        (first, second), (gate, other) = two
        self.start(two)
        assert second.snapshot.place == 1
        assert second.snapshot.status.active
        other.allowed.release(100)
        time.sleep(0.05)
        assert other.made == 0
        gate.allowed.release(100)
        first.join(LIMIT)
        second.join(LIMIT)
        assert second.snapshot.status is Status.DONE

    def test_a_paused_run_lets_the_other_work(self, two):
        (first, second), (gate, other) = two
        self.start(two)
        first.pause()
        gate.allowed.release()
        until(lambda: first.snapshot.status is Status.PAUSED)
        other.allowed.release()
        until(lambda: second.snapshot.frame is not None)
        first.resume()
        until(lambda: first.snapshot.status is Status.QUEUED)
        other.allowed.release(100)
        second.join(LIMIT)
        gate.allowed.release(100)
        first.join(LIMIT)
        assert first.snapshot.status is Status.DONE

    def test_one_who_waits_can_stop(self, two):
        (first, second), (gate, other) = two
        self.start(two)
        second.stop()
        second.join(LIMIT)
        assert second.snapshot.status is Status.STOPPED
        gate.allowed.release(100)
        first.join(LIMIT)
        assert first.snapshot.status is Status.DONE
        assert other.made == 0

    def test_a_run_that_fails_gives_its_place_back(self):
        slots = Slots(1)

        def missing():
            raise ValueError("gone")

        broken, works = Runner(fake_generate, missing, slots), Runner(fake_generate, lambda: MODELS, slots)
        broken.start(SMALL)
        broken.join(LIMIT)
        works.start(SMALL)
        works.join(LIMIT)
        assert works.snapshot.status is Status.DONE

    def test_room_for_nobody_is_refused(self):
        with pytest.raises(ValueError, match="at least 1"):
            Slots(0)
