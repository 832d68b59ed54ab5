"""Candidates from the shipped networks, small and quick."""

import copy
import json
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.io import read

from acgen.errors import AcgenError
from acgen.inference.tasks import Weights, candidate_tasks
from acgen.networks.graph import all_pairs, periodic_graph
from acgen.networks.models import load_models, predict_sites
from acgen.processes import Child
from acgen.results.files import summary, write_results
from acgen.results.run import Run
from acgen.sampling.generate import Candidate, FrameEvent, finish, generate
from acgen.sampling.guidance import GuidedScore, SpectrumGuide
from acgen.sampling.sampler import SamplingError, sample, sample_together
from acgen.sampling.schedule import make_plan
from acgen.sampling.settings import LiveXi, Settings
from acgen.spectra.instrument import Instrument
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets
from acgen.structures.reference import reference_cells

SMALL = Settings(density=2.0, cell=7.0, steps=6, restarts=1, restart_steps=4, candidates=2, seed=5)


@pytest.fixture(scope="module")
def models():
    return load_models()


def candidates(settings, models):
    return [event for event in generate(settings, models) if isinstance(event, Candidate)]


def test_candidates_have_the_density_and_reproduce(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"])
    once, again = candidates(settings, models), candidates(settings, models)
    assert [c.seed for c in once] == [5, 6]
    for a, b in zip(once, again, strict=True):
        assert np.array_equal(a.atoms.positions, b.atoms.positions)
        assert len(a.atoms) == settings.n_atoms == 34
        assert a.misfit == pytest.approx(settings.target.misfit(a.spectrum))
        assert a.atoms.info["misfit"] == a.misfit
    alone = candidates(replace(settings, candidates=1, seed=6), models)[0]
    assert np.array_equal(alone.atoms.positions, once[1].atoms.positions)


@pytest.fixture
def helped(monkeypatch):
    """Processes make the other candidates, however little there is to do."""
    monkeypatch.setattr("acgen.sampling.beside.WORTH", 0)


@pytest.mark.parametrize("together", [2, 3])
def test_candidates_made_together_are_those_made_alone(models, together, helped):
    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=3)
    alone, beside = list(generate(settings, models)), list(generate(settings, models, together=together))
    assert len(beside) == len(alone)
    for kind, name in ((FrameEvent, "candidate"), (Candidate, "index")):
        for index in range(3):
            one, other = (
                [event for event in events if isinstance(event, kind) and getattr(event, name) == index]
                for events in (alone, beside)
            )
            pairs = zip(one, other, strict=True)
            if kind is FrameEvent:
                assert all(np.array_equal(a.frame.positions, b.frame.positions) for a, b in pairs)
            else:
                assert all(np.array_equal(a.site_spectra, b.site_spectra) and a.misfit == b.misfit for a, b in pairs)
    first = [event.candidate for event in beside if isinstance(event, FrameEvent)][: 2 * together]
    assert first == [*range(together)] * 2


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """What a GPU gets: plain networks, and edges by looking at all pairs."""
    monkeypatch.setattr("acgen.networks.painn.fits", lambda *_args: False)
    monkeypatch.setattr("acgen.networks.graph.periodic_graph", all_pairs)


def test_candidates_in_one_graph_come_step_by_step_and_with_their_own_noise(models, as_on_a_gpu):
    settings = replace(SMALL, target=builtin_targets()["sp2"], xi=300.0)
    alone = list(generate(settings, models))
    joined = list(generate(settings, models, together=2, joined=True))
    order = [(event.frame.step, event.candidate) for event in joined if isinstance(event, FrameEvent)]
    assert order == [(step, index) for step in range(1, len(settings.plan) + 1) for index in range(2)]
    for index in range(2):
        one, other = (
            [event for event in events if isinstance(event, FrameEvent) and event.candidate == index]
            for events in (alone, joined)
        )
        assert [event.xi for event in one] == [event.xi for event in other]
        assert np.abs(one[0].frame.positions - other[0].frame.positions).max() < 1e-4, "Å, before chaos sets in"
        assert all(torch.equal(a.frame.rng_state, b.frame.rng_state) for a, b in zip(one, other, strict=True))
    assert [event.index for event in joined[-2:]] == [0, 1]
    assert joined[-1].xi == ((1, 300.0),)


@pytest.mark.parametrize("how", ["on the CPU", "as on a GPU"])
def test_twenty_steps_in_one_graph_are_those_made_alone(models, how, request):
    """In double precision, because rounding grows a ten thousandfold on the way; in Å."""
    if how == "as on a GPU":
        request.getfixturevalue("as_on_a_gpu")
    score, weak, forward = (copy.deepcopy(each).double() for each in (models.score, models.weak, models.guide))
    cell = torch.eye(3, dtype=torch.float64) * 8.0
    guide = SpectrumGuide(forward, builtin_targets()["sp2"], 300.0)
    guided = GuidedScore(score, cell, [guide], weak=weak, autoguidance=3.0, gradient="estimate")
    plan, starts = make_plan(20, 0), torch.rand(3, 51, 3, generator=torch.Generator().manual_seed(4)).double() @ cell

    def generators():
        return [torch.Generator().manual_seed(seed) for seed in range(3)]

    joined = list(sample_together(guided.together, starts, plan, score.schedule, generators()))
    assert len(joined) == 20
    for index, generator in enumerate(generators()):
        alone = list(sample(guided, starts[index], plan, score.schedule, generator))
        for one, frames in zip(alone, joined, strict=True):
            assert np.abs(one.positions - frames[index].positions).max() < 1e-5


def test_a_little_work_starts_no_process(models, monkeypatch):
    monkeypatch.setattr("acgen.sampling.beside.Child", None)
    events = list(generate(replace(SMALL, candidates=2), models, together=2))
    assert [event.index for event in events if isinstance(event, Candidate)] == [0, 1]


def test_every_step_of_every_candidate_has_its_strength_in_whatever_process(models, helped):
    def strength(candidate, step):
        return 100.0 * (candidate + 1) + (step > 4)

    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=3)
    made = [event for event in generate(settings, models, strength, together=3) if isinstance(event, Candidate)]
    assert [each.xi for each in made] == [((1, xi), (5, xi + 1)) for xi in (100.0, 200.0, 300.0)]


def test_what_goes_wrong_in_a_helper_is_told_here_and_all_processes_end(models, helped, monkeypatch):
    helpers = []

    class Watched(Child):
        def __init__(self, *args):
            super().__init__(*args)
            helpers.append(self)

    monkeypatch.setattr("acgen.sampling.beside.Child", Watched)
    settings = replace(SMALL, target=builtin_targets()["sp2"])
    events = generate(settings, models, lambda candidate, _step: np.inf if candidate else 1.0, together=2)
    with pytest.raises(SamplingError, match="xi"):
        list(events)
    events = generate(settings, models, together=2)
    next(events), next(events)
    helpers[-1].process.kill()
    with pytest.raises(AcgenError, match="ended"):
        list(events)
    events = generate(settings, models, together=2)
    next(events), next(events)
    events.close()
    assert len(helpers) == 3
    assert not any(each.alive for each in helpers)


def test_a_run_that_fails_beside_another_tells_why(models, helped):
    class Broken:
        def __call__(self, candidate, step):
            if candidate == 1 and step == 3:
                raise ValueError("no strength")
            return 100.0

    events = generate(replace(SMALL, target=builtin_targets()["sp2"]), models, Broken(), together=2)
    with pytest.raises(ValueError, match="no strength"):
        list(events)


def test_frames_come_in_order_and_carry_what_guides(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=1)
    frames = [event.frame for event in generate(settings, models) if not isinstance(event, Candidate)]
    assert [frame.step for frame in frames] == list(range(1, len(settings.plan) + 1))
    guided = [frame for frame in frames if frame.misfit is not None]
    assert len(frames) - 3 <= len(guided) < len(frames)
    assert all(frame.misfit > 0 and frame.prediction.shape == (100,) for frame in guided)
    free = [event.frame for event in generate(replace(settings, target=None), models) if hasattr(event, "frame")]
    assert all(frame.misfit is None and frame.prediction is None for frame in free)


def test_without_a_target_there_is_no_misfit(models):
    found = candidates(replace(SMALL, candidates=1), models)[0]
    assert found.misfit is None
    assert found.judge_misfit is None
    assert "misfit" not in found.atoms.info


def test_a_start_sets_cell_and_density_and_small_noise_keeps_it(models):
    diamond = bulk("C", "diamond", a=3.567, cubic=True).repeat((2, 2, 2))
    settings = Settings(start=diamond, start_t=0.05, steps=6, restarts=0, candidates=1)
    assert settings.n_atoms == 64
    assert settings.density == pytest.approx(3.515, abs=0.01)
    found = candidates(settings, models)[0].atoms
    moved = found.positions - diamond.positions
    moved -= np.round(moved @ np.linalg.inv(diamond.cell.array)) @ diamond.cell.array
    assert np.sqrt((moved**2).sum(1).mean()) < 0.15


def test_any_cell_shape(models):
    cell = [[8.0, 0, 0], [-4, 7, 0], [1, 1, 7.5]]
    found = candidates(replace(SMALL, cell=cell, candidates=1), models)[0]
    assert np.allclose(found.atoms.cell.array, cell)
    assert found.atoms.get_scaled_positions(wrap=False).min() >= 0


def test_a_cell_in_which_atoms_see_themselves_is_refused(models):
    with pytest.raises(ValueError, match="two images"):
        next(generate(replace(SMALL, cell=[12, 12, 5.0]), models))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"density": 7.0}, "density"),
        ({"xi": -1.0}, "xi"),
        ({"candidates": 0}, "candidates"),
        ({"seed": -1}, "seed"),
        ({"guide": "all"}, "guide"),
        ({"steps": 0}, "steps"),
        ({"cell": -1.0}, "cell"),
    ],
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_what_is_written_can_be_read(models, tmp_path):
    target = builtin_targets()["sp3"]
    masked = Target(target.intensity, np.arange(100) > 20, "cut")
    settings = replace(SMALL, target=masked)
    found = candidates(settings, models)
    run = Run(settings, tuple(found), models.sha256)
    write_results(tmp_path, run)
    frames = read(tmp_path / "candidates.extxyz", index=":")
    assert [frame.info["seed"] for frame in frames] == [5, 6]
    assert {"density", "seed", "xi", "restarts", "misfit"} <= set(frames[0].info)
    table = np.genfromtxt(tmp_path / "spectra.csv", delimiter=",", names=True)
    assert table.dtype.names == ("energy_eV", "target", "candidate_000", "candidate_001")
    assert np.isnan(table["target"]).sum() == 21
    assert np.allclose(table["candidate_001"], found[1].spectrum, atol=1e-6)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written == json.loads(json.dumps(summary(run)))
    entry = written["candidates"][0]
    assert set(entry) == {"index", "seed", "n_atoms", "cn_fraction", "misfit", "judge_misfit", "wall_s", "xi",
                          "energy_above_reference_eV", "copied_fraction"}
    assert set(written["weights"]) == {"score", "weak", "forward", "guide", "judge", "potential"}
    assert all(len(digest) == 64 for digest in written["weights"].values())


def test_sites_average_to_the_cell(models):
    diamond = bulk("C", "diamond", a=3.567)
    sites = predict_sites(models.forward, diamond)
    assert sites.shape == (2, 100)
    assert (sites >= 0).all()
    exact = copy.deepcopy(models.forward).double()
    cell, positions = (torch.tensor(values) for values in (diamond.cell.array, diamond.positions))
    known = exact(periodic_graph(positions, cell, exact.config.cutoff)).detach().numpy()
    assert np.allclose(known[0], known[1], atol=1e-9)
    assert np.allclose(sites, known[0], atol=0.1), "single precision: a crystal is a sharp place of the network"


GUIDED = replace(SMALL, target=builtin_targets()["sp3"], steps=8, candidates=1)


def frames_of(settings, models, strength=None):
    return [event.frame for event in generate(settings, models, strength) if isinstance(event, FrameEvent)]


def test_a_strength_changed_on_the_way_is_taken_by_the_next_step_and_can_be_repeated(models):
    live, events = LiveXi(0.0), []
    for event in generate(GUIDED, models, live):
        events.append(event)
        if isinstance(event, FrameEvent) and event.frame.step == 5:
            live.xi = 2000.0
    *frames, candidate = events
    assert [event.xi for event in frames] == 5 * [0.0] + (len(frames) - 5) * [2000.0]
    assert candidate.xi == ((1, 0.0), (6, 2000.0))
    assert candidate.to_dict()["xi"] == [[1, 0.0], [6, 2000.0]]
    assert candidate.atoms.info["xi"] == 2000.0
    free = frames_of(replace(GUIDED, xi=0.0), models)
    assert np.array_equal(frames[4].frame.positions, free[4].positions)
    assert not np.allclose(frames[5].frame.positions, free[5].positions)
    repeated = frames_of(GUIDED, models, lambda _candidate, step: 2000.0 if step >= 6 else 0.0)
    assert np.array_equal(repeated[-1].positions, frames[-1].frame.positions)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_what_is_no_strength_is_refused(wrong):
    live = LiveXi(200)
    with pytest.raises(ValueError, match="xi"):
        live.xi = wrong
    assert live.xi == 200


def test_a_frame_goes_on_bit_by_bit_and_with_other_settings(models):
    whole = frames_of(GUIDED, models)
    for number in (3, 8, 9):  # the eighth ends the first pass, the next begins with noise
        rest = frames_of(replace(GUIDED, resume=whole[number - 1]), models)
        assert [frame.step for frame in rest] == list(range(number + 1, len(whole) + 1))
        assert np.array_equal(rest[-1].positions, whole[-1].positions)
    stronger, again = (frames_of(replace(GUIDED, resume=whole[4], xi=2000.0), models) for _ in range(2))
    assert np.array_equal(stronger[-1].positions, again[-1].positions)
    assert not np.allclose(stronger[-1].positions, whole[-1].positions)


def test_several_continuations_of_a_frame_differ(models):
    frame = frames_of(GUIDED, models)[4]
    settings = replace(GUIDED, resume=frame, candidates=2)
    first, second = candidates(settings, models)
    assert first.xi == ((6, GUIDED.xi),)
    assert not np.allclose(first.atoms.positions, second.atoms.positions)
    assert settings.to_dict()["resume"]["step"] == 5


def test_a_frame_that_does_not_fit_is_refused(models):
    frames = frames_of(GUIDED, models)
    for wrong in ({"steps": 9}, {"density": 3.0}, {"restarts": 0}):
        with pytest.raises(ValueError, match="noise it again"):
            replace(GUIDED, resume=frames[2], **wrong)
    with pytest.raises(ValueError, match="the last of its run"):
        replace(GUIDED, resume=frames[-1])


DID = Instrument(shift=0.4, slope=0.005, sigma=0.3)


@pytest.fixture(scope="module")
def distorted(models):
    """Structure of 3 g/cm³ and the target that an instrument would make of its spectrum."""
    known = reference_cells()[7]
    return known, Target(DID.apply(predict_sites(models.forward, known).mean(0)), np.ones(100, bool), "distorted")


def test_what_the_instrument_did_to_the_spectrum_of_a_structure_is_found(models, distorted):
    known, target = distorted
    settings = Settings(density=3.0, target=target, seed=50)
    plain, fitted = (finish(replace(settings, instrument=on), models, 2, known.copy(), 0.0) for on in (False, True))
    found = fitted.instrument.instrument
    assert astuple(found) == pytest.approx(astuple(DID), abs=5e-3)
    assert fitted.instrument.at_bounds == ()
    assert fitted.misfit == target.misfit(fitted.seen)
    assert fitted.misfit < 5e-3
    assert fitted.judge_misfit == pytest.approx(target.misfit(found.apply(fitted.judge_spectrum)))
    assert np.array_equal(fitted.spectrum, plain.spectrum), "the spectrum itself stays that of the structure"
    assert plain.misfit == pytest.approx(target.misfit(plain.spectrum))
    assert plain.misfit > 0.2
    assert plain.judge_misfit == pytest.approx(target.misfit(plain.judge_spectrum))
    assert plain.instrument is None
    assert np.array_equal(plain.seen, plain.spectrum)
    assert fitted.seed == 52


@pytest.mark.parametrize("instrument", [False, True])
def test_a_guided_step_in_single_precision_is_that_in_double(models, distorted, instrument):
    known, target = distorted
    noise = torch.randn(len(known), 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t, found = 0.2, []
    for kind in (torch.float32, torch.float64):
        networks = [copy.deepcopy(network).to(kind) for network in (models.score, models.weak, models.guide)]
        score, weak, forward = networks
        cell, clean = (torch.tensor(values, dtype=kind) for values in (np.asarray(known.cell), known.positions))
        guide = SpectrumGuide(forward, target, 3000.0, instrument=instrument)
        led = GuidedScore(score, cell, [guide], weak=weak, autoguidance=1.5)
        found.append(led(clean + (score.schedule.sigma(t) * noise).to(kind), t))
    single, double = found
    assert double.score.dtype == torch.float64
    size = double.score.norm(dim=1).mean()
    assert (single.score.double() - double.score).norm(dim=1).max() < 5e-3 * size
    assert (single.denoised.double() - double.denoised).abs().max() < 1e-4
    assert single.seen.misfit == pytest.approx(double.seen.misfit, rel=1e-3)


@pytest.mark.slow
def test_structures_guided_through_the_instrument_are_nearer_to_the_true_spectrum(models, distorted):
    """The mean over seeds; one trajectory alone is chaotic and says nothing.

    Measured with seeds 70-77: judged 0.076 from the true spectrum with the instrument and 0.198 without, a gain of
    0.123 ± 0.013. What guides errs otherwise than the forward model, whose spectrum is the target, and the instrument
    takes a part of that: shift 0.93 eV and slope 0.015 / eV.
    """
    known, _ = distorted
    true, judged = (predict_sites(model, known).mean(0) for model in (models.forward, models.judge))
    did = Instrument(shift=0.8, slope=0.02)
    target = Target(did.apply(true), np.ones(100, bool), "distorted")
    base = Settings(density=3.0, cell=7.6, target=target, restarts=4, candidates=8, seed=70)
    plain, fitted = (candidates(replace(base, instrument=on), models) for on in (False, True))
    far = [np.array([np.linalg.norm(each.judge_spectrum - judged) for each in run]) for run in (plain, fitted)]
    gain = far[0] - far[1]
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(gain.size)
    assert np.mean([each.misfit for each in fitted]) < 0.15, "the forward model's own error"
    assert np.mean([each.instrument.instrument.shift for each in fitted]) == pytest.approx(0.8, abs=0.2)
    assert np.mean([each.instrument.instrument.slope for each in fitted]) == pytest.approx(0.02, abs=0.008)


def test_a_run_with_an_instrument_goes_on_bit_by_bit(models):
    settings = replace(SMALL, target=builtin_targets()["sp2"], candidates=1, instrument=True)
    events = list(generate(settings, models))
    resumed = candidates(replace(settings, resume=events[4].frame), models)[0]
    assert np.array_equal(resumed.atoms.positions, events[-1].atoms.positions)
    with pytest.raises(ValueError, match="cell"):
        replace(settings, guide="site")


def test_joint_candidates_are_made_together_and_their_mean_is_told(models, tmp_path):
    settings = replace(SMALL, target=builtin_targets()["sp2"], joint=True)
    events = list(generate(settings, models))
    frames = [event.frame for event in events if isinstance(event, FrameEvent)]
    found = [event for event in events if isinstance(event, Candidate)]
    assert len(found) == 2
    assert frames[-1].misfit == frames[-2].misfit
    assert not np.array_equal(found[0].atoms.positions, found[1].atoms.positions)
    overview = summary(Run(settings, tuple(found), models.sha256))["overview"]
    mean = np.mean([candidate.spectrum for candidate in found], axis=0)
    assert overview["misfit_of_mean"] == pytest.approx(settings.target.misfit(mean))
    with pytest.raises(AcgenError, match="joint candidates"):
        replace(SMALL, guide="site", joint=True)
    with pytest.raises(AcgenError, match="one process"):
        candidate_tasks(settings, Weights({}, {}))
