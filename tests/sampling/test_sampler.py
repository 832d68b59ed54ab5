"""Solvers, plans and the generator, on scores that are known exactly."""

import numpy as np
import pytest
import torch

from acgen.networks.noise import NoiseSchedule
from acgen.sampling.guidance import Evaluation
from acgen.sampling.sampler import SamplingError, euler_maruyama, sample
from acgen.sampling.schedule import ANNEALED, PLANS, make_plan, placed_times, restart_times

SCHEDULE = NoiseSchedule(0.8)
SPREAD = 0.15


def gaussian_score(x, t):
    """Score of data ~ N(0, SPREAD²), for which every solver's result is known."""
    variance = SPREAD**2 + SCHEDULE.sigma(t) ** 2
    score = -x / variance
    return Evaluation(score, x + SCHEDULE.sigma(t) ** 2 * score)


def run(plan, *, seed=0, score=gaussian_score, atoms=4000, **options):
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(atoms, 3, generator=generator, dtype=torch.float64) * (SPREAD**2 + 0.64) ** 0.5
    return list(sample(score, start, plan, SCHEDULE, generator, **options))


def test_the_solver_reaches_the_distribution_of_a_gaussian():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20000, generator=generator, dtype=torch.float64) * (SPREAD**2 + 0.8**2) ** 0.5
    times = placed_times(400)
    for t, t_next in zip(times[:-1], times[1:], strict=True):
        noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = euler_maruyama(x, gaussian_score(x, t).score, t, t_next, noise, SCHEDULE)
    assert abs(float(x.std()) / SPREAD - 1) < 0.03


def test_more_steps_come_closer():
    errors = []
    for steps in (10, 80):
        frames = run(make_plan(steps, 0), atoms=20000)
        errors.append(abs(frames[-2].positions.std() - SPREAD))
    assert errors[1] < errors[0] / 3


def test_restarts_keep_a_distribution_that_is_already_right():
    frames = run(make_plan(200, 3, 100, restart_t=(0.3, 0.3), end_t=0.001))
    before_jump = [k for k, frame in enumerate(frames) if frame.phase == "final"]
    spreads = [frames[k - 1].positions.std() for k in before_jump]
    assert np.allclose(spreads, SPREAD, rtol=0.1)


def test_the_last_step_adds_no_noise():
    last = run(make_plan(20, 1))[-1]
    assert last.phase == "final"
    assert last.t == last.sigma == 0
    assert np.array_equal(last.positions, last.denoised)


def test_seeds_reproduce_bit_by_bit_and_differ():
    plan = make_plan(10, 2, 5)
    one, two, other = run(plan, seed=1), run(plan, seed=1), run(plan, seed=2)
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[-1].positions, other[-1].positions)


def test_resuming_from_a_frame_gives_the_same_bits():
    plan = make_plan(10, 2, 5)
    whole = run(plan, atoms=30)
    frame = whole[11]
    generator = torch.Generator()
    generator.set_state(frame.rng_state)
    rest = list(
        sample(gaussian_score, torch.tensor(frame.positions), plan, SCHEDULE, generator, first=frame.step)
    )
    assert [f.step for f in rest] == list(range(13, len(plan) + 1))
    assert np.array_equal(rest[-1].positions, whole[-1].positions)


def test_the_start_is_not_changed_and_frames_are_copies():
    start = torch.zeros(5, 3)
    frames = list(sample(gaussian_score, start, make_plan(5, 0), SCHEDULE, torch.Generator().manual_seed(0)))
    assert torch.equal(start, torch.zeros(5, 3))
    assert not np.array_equal(frames[0].positions, frames[1].positions)
    with pytest.raises(AttributeError):
        frames[0].t = 1.0


def test_the_consumer_keeps_its_grad_mode():
    stream = sample(gaussian_score, torch.zeros(2, 3), make_plan(5, 0), SCHEDULE, torch.Generator())
    next(stream)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(("factor", "message"), [(float("nan"), "NaN"), (1e4, "explodes")])
def test_bad_scores_end_the_run_with_advice(factor, message):
    def bad(x, t):
        return Evaluation(torch.ones_like(x) * factor, x)

    with pytest.raises(SamplingError, match=f"step 1.*{message}.*lower xi|{message}.*step 1.*lower xi"):
        run(make_plan(10, 0), score=bad, atoms=3)


def test_the_plan_of_the_paper_and_the_default():
    paper = make_plan(64, 6, 25, restart_t=(0.3, 0.3), rho=1.0)
    assert len(paper) == 64 + 6 * 25
    assert {round(step.t, 6) for step in paper.steps if step.renoise} == {0.3}
    times = [step.t for step in make_plan().steps if step.renoise]
    assert len(times) == 8
    assert np.all(np.diff(times) < 0)
    assert np.isclose([times[0], times[-1]], ANNEALED).all()
    assert len(restart_times(0)) == 0


def test_steps_are_equal_in_the_root_of_the_noise():
    assert np.allclose(np.diff(placed_times(8, 0.9, 0.1)), -0.1)
    for rho in (2.0, 3.0):
        steps = np.diff(placed_times(20, 0.999, 0.02, rho) ** (1 / rho))
        assert np.allclose(steps, steps[0])
    assert placed_times(5, 0.9, 0.1, 2.0)[[0, -1]].tolist() == [0.9, 0.1]
    assert make_plan(6, 0, rho=2.0)[1].t < make_plan(6, 0, rho=1.0)[1].t


def test_a_quick_plan_takes_about_a_quarter_and_the_default_half_of_a_thorough_one():
    for name, part in {"quick": 0.265, "default": 0.47, "thorough": 1.0}.items():
        each = PLANS[name]
        assert len(make_plan(each.steps, each.restarts, each.restart_steps)) == each.total
        assert each.total == pytest.approx(part * PLANS["thorough"].total, rel=0.02)


def test_phases_and_cycles_are_counted_and_each_pass_ends_in_a_jump():
    steps = make_plan(4, 2, 3).steps
    first = 3 * [("denoise", 0)] + [("final", 0)]
    assert [(step.phase, step.cycle) for step in steps] == first + [
        (phase, cycle) for cycle in (1, 2) for phase in ("restart", "restart", "final")
    ]
    assert [k for k, step in enumerate(steps) if step.renoise] == [4, 7]
    assert all(step.t_next == 0 for step in steps if step.phase == "final")


def test_a_restart_below_the_time_of_the_jump_goes_half_way_and_jumps():
    restart = make_plan(4, 1, 3, restart_t=(0.03, 0.03), end_t=0.02, rho=1.0).steps[4:]
    assert np.allclose([step.t for step in restart], [0.03, 0.0225, 0.015])
    assert np.allclose([step.t_next for step in restart], [0.0225, 0.015, 0.0])


def test_times_fall_without_gaps():
    steps = make_plan(16, 2, 8).steps
    for before, after in zip(steps[:-1], steps[1:], strict=True):
        assert before.t > before.t_next
        assert after.renoise or after.t == before.t_next


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"restarts": -1}, {"start_t": 1.5}, {"restart_t": (2.0, 0.1)}])
def test_impossible_plans_are_refused(wrong):
    with pytest.raises(ValueError, match="give|need"):
        make_plan(**wrong)
