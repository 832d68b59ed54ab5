"""One zip file of a run: what is in it, that it comes back exactly, and that nobody can harm with it."""

import io
import json
import re
import struct
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from app_fakes import fake_generate, same
from ase.build import bulk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acgen.cli import main
from acgen.networks.models import load_models
from acgen.results.archive import ARRAYS, RUN, read_zip, write_zip
from acgen.results.describe import describe, warnings_of
from acgen.results.run import ResultsError, Run
from acgen.sampling.generate import Candidate, generate
from acgen.sampling.settings import Settings
from acgen.scattering.pairs import reduced_pdf
from acgen.scattering.read import read_pdf
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.structures.reference import reference_at, reference_cells
from app.session.shown import show_candidate

WEIGHTS = {"score": "0" * 64, "forward": "1" * 64}


def a_run(events=fake_generate, models=None, **options) -> Run:
    """A small run with its frames."""
    small = {"cell": 7.2, "target": load_target("sp2"), "steps": 2, "restarts": 1, "candidates": 2}
    chosen = Settings(**small | options)
    found = list(events(replace(chosen, restart_steps=2), models))
    return Run(
        chosen,
        tuple(event for event in found if isinstance(event, Candidate)),
        WEIGHTS,
        tuple(event for event in found if not isinstance(event, Candidate)),
        ("Started with xi 200.", "Changed xi to 400 at step 3."),
    )


def packed(run: Run) -> io.BytesIO:
    file = io.BytesIO()
    write_zip(file, run)
    file.seek(0)
    return file


@pytest.fixture(scope="module")
def run() -> Run:
    return a_run()


@pytest.fixture(scope="module")
def content(run) -> bytes:
    return packed(run).getvalue()


def edited(content: bytes, change) -> io.BytesIO:
    """The same zip file with its JSON changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w") as new:
        for name in (RUN, ARRAYS):
            data = old.read(name)
            if name == RUN:
                tree = json.loads(data)
                data = json.dumps(change(tree) or tree)
            new.writestr(name, data)
    result.seek(0)
    return result


def put(*path):
    """A change of the JSON: the last item of the path replaces what the others lead to."""
    *way, last, value = path

    def change(tree):
        for step in way:
            tree = tree[step]
        tree[last] = value

    return change


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target": None, "cell": [7.0, 7.5, 8.0], "density": 2.37},
        {"start": bulk("C", cubic=True).repeat(2), "start_t": 0.31, "seed": 2**40, "restart_t": (0.3, 0.3)},
    ],
)
def test_a_run_comes_back_exactly(options):
    run = a_run(**options)
    assert same(read_zip(packed(run)), run)


def test_a_real_run_comes_back_and_the_target_with_mask_history_and_warnings():
    grid = load_target("sp3")
    mask = np.arange(100) % 7 > 0
    target = Target(grid.intensity, mask, 'x <b>"§$', ("Read 1 point.",), ("Only half of it is covered.",))
    run = a_run(generate, load_models(), target=target, cell=8.0, candidates=1)
    assert same(read_zip(packed(run)), run)


def test_a_file_of_an_earlier_version_opens_with_the_defaults_of_its_time():
    """`run_format2.zip` was written before the settings had tolerance, guide_below, end_t, rho and gradient."""
    run = read_zip(Path(__file__).parent / "run_format2.zip")
    assert (run.settings.tolerance, run.settings.guide_below, run.settings.end_t) == (0.15, 0.7, 0.02)
    assert (run.settings.rho, run.settings.gradient) == (1.0, "score")
    assert np.allclose(np.diff([step.t for step in run.settings.plan.steps[:4]], 2), 0)
    assert run.settings.instrument is True
    (candidate,) = run.candidates
    assert len(candidate.atoms) == 28
    assert candidate.misfit == pytest.approx(0.226369, abs=1e-6)
    assert candidate.misfit == pytest.approx(run.settings.target.misfit(candidate.seen))
    assert [event.frame.step for event in run.frames] == [9, 10]
    assert same(read_zip(packed(run)), run)


def test_a_run_with_a_pair_distribution_comes_back_and_is_reported():
    r = np.arange(0.02, 8, 0.02)
    rows = zip(r, reduced_pdf(reference_cells()[3], r, 0.05), strict=True)
    pdf = read_pdf("".join(f"{x:.3f} {y:.6f}\n" for x, y in rows).encode(), name="<film>.gr")
    run = a_run(generate, load_models(), pdf=pdf, target=None, cell=8.0, candidates=1)
    (candidate,) = run.candidates
    assert candidate.pdf_misfit == pytest.approx(pdf.compare(candidate.atoms)[0])
    seen = [event.frame.pdf_misfit is not None for event in run.frames]
    assert seen == [False, True, True, True]  # random atoms are not guided yet
    file = packed(run)
    assert same(read_zip(file), run)
    with zipfile.ZipFile(file) as pack:
        head, *rows = pack.read("pdf.csv").decode().splitlines()
        report, summary = pack.read("report.html").decode(), json.loads(pack.read("summary.json"))
    assert head == "r_A,measured,candidate_000"
    assert len(rows) == len(pdf.r)
    assert float(rows[0].split(",")[2]) == pytest.approx(candidate.pdf[0], abs=1e-6)
    assert f"R_w to it is {candidate.pdf_misfit:.3f}" in report
    assert "<film>" not in report
    assert summary["candidates"][0]["pdf_misfit"] == candidate.pdf_misfit
    assert summary["settings"]["pdf"]["history"] == list(pdf.record)


@pytest.fixture(scope="module")
def fitted() -> Run:
    return a_run(generate, load_models(), cell=8.0, candidates=1, instrument=True)


def test_a_fitted_instrument_comes_back_and_is_reported(fitted):
    back = read_zip(packed(fitted))
    assert same(back, fitted)
    guided = [event.frame for event in back.frames if event.frame.misfit is not None]
    assert guided, "the instrument of a frame is stored with it"
    for frame in guided:
        np.testing.assert_allclose(frame.instrument.apply(frame.spectrum), frame.prediction, atol=2e-3)
        assert frame.misfit <= fitted.settings.target.misfit(frame.spectrum)
    with zipfile.ZipFile(packed(fitted)) as pack:
        page, table = pack.read("report.html").decode(), pack.read("spectra.csv").decode()
        summary = json.loads(pack.read("summary.json"))
        names = pack.namelist()
    assert "Instrument fitted" in page
    assert "through the fitted instrument, which the misfits belong to" in page
    assert "plain, as they are without the instrument" in page
    assert {"plots/spectrum.svg", "plots/spectrum_plain.svg", "plots/spectrum_plain.png"} < set(names)
    assert "candidate_000_seen" in table.splitlines()[0]
    entry = summary["candidates"][0]["instrument"]
    assert entry["shift"] == fitted.candidates[0].instrument.instrument.shift
    assert {"errors", "at_bounds", "scale", "slope", "sigma"} < set(entry)
    assert summary["overview"]["instrument_shift"]["mean"] == pytest.approx(entry["shift"])


def test_page_report_and_summary_say_the_same_spread_against_the_reference_of_the_actual_density(run):
    rows = describe(run.candidates)
    shares = [100 * candidate.analysis.coordination[3] for candidate in run.candidates]
    assert rows["CN3_percent"]["std"] == pytest.approx(np.std(shares, ddof=1))
    shown = [show_candidate(candidate, "") for candidate in run.candidates]
    assert shares == pytest.approx([100 * one.fractions[3] for one in shown])
    assert rows["CN3_percent"]["reference"] == pytest.approx(100 * reference_at(shown[0].density).coordination[3])
    assert describe(run.candidates[:1])["CN3_percent"]["std"] == 0
    assert {f"CN{cn}_percent" for cn in range(6)} < set(rows)
    assert set(run.candidates[0].to_dict()["cn_fraction"]) == set("012345")


def test_a_bound_that_was_reached_is_a_warning(fitted):
    candidate = fitted.candidates[0]
    at = replace(candidate, instrument=replace(candidate.instrument, at_bounds=("sigma",)))
    warnings = warnings_of(fitted.settings, [at])
    assert any("broadening of the instrument reached a bound" in warning for warning in warnings)


@pytest.mark.parametrize(
    "change",
    [
        put("run", "candidates", "items", 0, "instrument", "instrument", "shift", "far"),
        put("run", "candidates", "items", 0, "instrument", "prediction", None),
        put("run", "candidates", "items", 0, "instrument", 3),
        put("run", "settings", "instrument", "yes"),
    ],
)
def test_an_instrument_that_was_tampered_with_is_refused(fitted, change):
    with pytest.raises(ResultsError, match="instrument"):
        read_zip(edited(packed(fitted).getvalue(), change))


def test_a_branch_and_the_runs_before_it_come_back(run):
    branch = replace(run.settings, restart_steps=2, resume=run.frames[1].frame, xi=400.0)
    session = replace(run, settings=branch, number=2, earlier=(replace(run, frames=()),))
    file = packed(session)
    assert same(read_zip(file), session)
    with zipfile.ZipFile(file) as pack:
        names = set(pack.namelist())
    assert {"run-01/report.html", "run-01/structures/001.cif", "structures/001.cif"} <= names


def test_every_structure_is_in_every_format(run, content, tmp_path):
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        pack.extractall(tmp_path)
    for candidate in run.candidates:
        stem = f"structures/{candidate.index:03d}"
        for name, form in ((f"{stem}.cif", "cif"), (f"{stem}.vasp", "vasp"), (f"{stem}.data", "lammps-data")):
            atoms = ase.io.read(tmp_path / name, format=form)
            assert set(atoms.symbols) == {"C"}
            np.testing.assert_allclose(
                np.sort(atoms.get_all_distances(mic=True), axis=None),
                np.sort(candidate.atoms.get_all_distances(mic=True), axis=None),
                atol=1e-3,
            )
    assert len(ase.io.read(tmp_path / "candidates.extxyz", ":")) == 2
    for index in (0, 1):
        frames = ase.io.read(tmp_path / f"trajectory-{index:03d}.extxyz", ":")
        assert [atoms.info["step"] for atoms in frames] == list(range(1, len(frames) + 1))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["weights"] == WEIGHTS
    assert [entry["seed"] for entry in summary["candidates"]] == [0, 1]
    assert summary["overview"]["CN4_percent"]["reference"] == pytest.approx(8.3, abs=0.1)
    assert "Changed xi to 400" in (tmp_path / "log.txt").read_text()
    assert len((tmp_path / "spectra.csv").read_text().splitlines()) == 101
    for name in ("spectrum", "coordination", "angles", "rdf"):
        assert (tmp_path / f"plots/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"plots/{name}.svg").read_text().startswith("<svg")


def test_the_report_needs_nothing_else_and_trusts_no_name(run):
    evil = "<script>alert(1)</script> $\\frac{"
    target = replace(run.settings.target, name=evil, warnings=(evil,), history=(evil,))
    hostile = replace(run, settings=replace(run.settings, target=target), log=(evil,))
    with zipfile.ZipFile(packed(hostile)) as pack:
        page = pack.read("report.html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") == 4
    assert "arXiv:2312.05472" in page
    loaded = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')>]*)""", page)
    assert all(address.startswith("#") for address in loaded)


def test_an_unguided_run_has_a_report_without_a_misfit():
    with zipfile.ZipFile(packed(a_run(target=None, candidates=1))) as pack:
        assert "not guided by any spectrum" in pack.read("report.html").decode()
        assert "misfit" not in json.loads(pack.read("summary.json"))["overview"]


def test_nothing_is_written_without_a_candidate(run, tmp_path):
    with pytest.raises(ResultsError, match="no candidate is finished"):
        write_zip(tmp_path / "run.zip", replace(run, candidates=()))
    assert not list(tmp_path.iterdir())


def test_what_is_no_result_is_refused(tmp_path):
    for data in (b"", b"PK\3\4 nonsense", b"no zip at all"):
        with pytest.raises(ResultsError, match="not a zip file"):
            read_zip(io.BytesIO(data))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as pack:
        pack.writestr("../../evil.txt", "x")
    with pytest.raises(ResultsError, match="has no restore/run.json"):
        read_zip(other)


def test_bounds_hold_whatever_the_file_says(content, monkeypatch):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr(RUN, b" " * 20_000_000)
        pack.writestr(ARRAYS, b"")
    with pytest.raises(ResultsError, match="more than 1 MB"):
        read_zip(bomb, max_bytes=1_000_000)
    lying = bytearray(bomb.getvalue())
    place = lying.index(b"PK\1\2")
    lying[place + 24 : place + 28] = struct.pack("<I", 5)
    with pytest.raises(ResultsError, match="damaged|more than"):
        read_zip(io.BytesIO(lying), max_bytes=1_000_000)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as pack:
        for number in range(10_001):
            pack.writestr(str(number), b"")
    with pytest.raises(ResultsError, match="10001 entries"):
        read_zip(many)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("format", 99), "update acgen"),
        (put("run", "settings", None), "a run has no settings"),
        (put("run", "settings", "type", "os.system"), "does not know"),
        (put("run", "settings", "steps", 10**9), "steps is 1000000000"),
        (put("run", "settings", "steps", "64"), "whole number"),
        (put("run", "settings", "density", 99), "density is 99"),
        (put("run", "settings", "cell", 5000), "atoms, at most"),
        (put("run", "settings", "unknown", 1), "unknown"),
        (put("run", "settings", "target", "mask", "name", "a999"), "a999"),
        (put("run", "candidates", "items", 0, "seed", "zero"), "number and seed"),
        (put("run", "candidates", "items", 0, "spectrum", [1, 2]), "spectrum"),
        (put("run", "candidates", "items", 0, "atoms", None), "structure"),
        (put("run", "candidates", "items", 0, "atoms", "cell", "name", "a0"), "restored"),
        (put("run", "candidates", "items", 0, "misfit", []), "misfit"),
        (put("run", "frames", "items", 0, "frame", "step", 1.5), "give whole numbers"),
        (put("run", "frames", "items", 0, "frame", "rng_state", None), "state"),
        (put("run", "candidates", "items", 0, "xi", [["a", 1]]), "strengths"),
        (put("run", "earlier", []), "earlier runs that are none"),
        (put("run", None), "no run"),
        (put("run", "log", {"type": "tuple", "items": [1]}), "log"),
        (lambda tree: [tree], "restored"),
    ],
)
def test_a_run_that_was_tampered_with_is_refused(content, change, reason):
    with pytest.raises(ResultsError, match=reason):
        read_zip(edited(content, change))


def test_deep_nesting_is_refused(content):
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        arrays = old.read(ARRAYS)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr(RUN, '{"log":' + "[" * 100_000 + "]" * 100_000 + "}")
        pack.writestr(ARRAYS, arrays)
    with pytest.raises(ResultsError, match="restored"):
        read_zip(file)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_the_run_or_an_error_of_ours(content, run, data):
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    with suppress(ResultsError):
        assert same(read_zip(io.BytesIO(damaged)), run)


def test_generate_writes_the_zip_and_report_reads_it(tmp_path, capsys):
    file, page = tmp_path / "run.zip", tmp_path / "report.html"
    small = ["--cell", "7", "--steps", "4", "--restarts", "0", "--candidates", "1", "--target", "sp2", "--trajectory"]
    assert main(["generate", *small, "--out", str(tmp_path), "--zip", str(file)]) == 0
    run = read_zip(file)
    assert len(run.candidates) == 1
    assert len(run.frames) == 4
    assert run.weights == load_models().sha256
    figures = ["--figures", str(tmp_path / "figures"), "--format", "png", "--width", "100", "--dpi", "200"]
    assert main(["report", str(file), "--out", str(page), *figures]) == 0
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert {"spectrum.png", "coordination.png", "angles.png", "rdf.png"} <= set(drawn)
    assert int.from_bytes(drawn["spectrum.png"][16:20], "big") == pytest.approx(200 * 100 / 25.4, abs=1)
    assert "Candidate structures: sp2" in page.read_text(encoding="utf-8")
    assert main(["reach", "sp2", "--runs", str(file)]) == 0
    assert "within reach" in capsys.readouterr().out
