"""Uploaded files: what is taken, what is refused, and what a hostile client can do."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acgen.spectra.grid import ENERGY
from acgen.spectra.io import read
from acgen.spectra.io.export import target_csv, target_xdi
from acgen.spectra.io.table import MAX_LINES
from acgen.spectra.recipe import Choice
from acgen.spectra.spectrum import SpectrumError
from acgen.spectra.targets import builtin_targets
from app.controls.settings import Controls
from app.preparation.files import Source, read_source
from app.session.state import State
from app.session.uploads import (
    MAX_ATOMS,
    MAX_BYTES,
    MAX_ROWS,
    MAX_SPECTRUM_BYTES,
    BoundedInput,
    label_of,
    printable,
    structure_from_upload,
)


def table(name: str = "sp2") -> bytes:
    """A measured-looking file of a shipped target, in another unit."""
    rows = zip(ENERGY, 3.0 * builtin_targets()[name].intensity, strict=True)
    return "".join(f"{energy:.2f},{value:.6f}\n" for energy, value in rows).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"1 2\n" * (MAX_SPECTRUM_BYTES // 4 + 1), "at most 8 MB"),
        (b"280.0 1.0\n" * (MAX_LINES + 1), "lines"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not text"),
        (b"\x1f\x8b" + bytes(100), "damaged"),
        (b"energy,intensity\n", "number"),
        ("not bytes", "empty"),
    ],
)
def test_what_is_no_spectrum_is_refused_with_a_reason(data, reason):
    with pytest.raises(SpectrumError, match=reason):
        read_source(data, "x.csv")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=2000), st.text("0123456789.,;eE+- \t\n#nan", max_size=2000).map(str.encode)))
def test_garbage_can_be_read_or_is_a_spectrum_error(data):
    try:
        source = read_source(data, "x")
    except SpectrumError:
        return
    assert isinstance(source, Source)


def test_a_file_that_fills_every_limit_takes_little_time_and_is_read_once(monkeypatch):
    line = " ".join(f"{k}.25" for k in range(4)) + "\n"
    begin = time.process_time()
    source = read_source((line * (MAX_LINES - 1)).encode(), "slow.txt")
    assert time.process_time() - begin < 10
    monkeypatch.setattr(read, "list_contents", None)
    with pytest.raises(SpectrumError, match="at least 10"):
        source.spectrum(Choice(columns=(1, 2)))


@pytest.mark.parametrize(
    ("filename", "label"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\scan.csv", "scan.csv"),
        ("a\x00\x1b[31m\n.csv", "a[31m.csv"),
        ("", "uploaded spectrum"),
        ("x" * 500, "x" * 60),
    ],
)
def test_labels_are_short_and_printable(filename, label):
    assert label_of(filename) == label


def upload(widget: BoundedInput, data, **claims) -> None:
    """What the browser sends for one file."""
    chunk = {"status": "upload_event", "name": "x.csv", "chunk": 1, "total_chunks": 1, "mime_type": "text/csv"}
    widget._handle_msg(chunk | {"data": data} | claims)
    widget._handle_msg({"status": "finished"})


@pytest.fixture
def controls() -> Controls:
    return Controls(State())


def test_a_file_from_the_browser_is_offered_and_chosen(controls):
    upload(controls.upload, table())
    assert controls.state.target_name == "x.csv"
    assert np.abs(controls.state.target.intensity - builtin_targets()["sp2"].intensity).max() < 0.02
    assert controls.state.target.recipe.startswith("{"), "the results say how it was made"
    assert "Recipe" not in controls.history.object
    assert not controls.message.visible
    assert controls.upload.value is None, "its bytes are not kept"


def test_a_bad_file_says_why_and_leaves_the_target(controls):
    before = controls.state.target
    upload(controls.upload, b"<script>alert(1)</script>")
    assert controls.state.target is before
    assert controls.message.visible
    assert controls.message.severity == "error"
    assert "<" not in controls.message._words.object
    upload(controls.upload, table())
    assert not controls.message.visible


@pytest.mark.parametrize(
    ("data", "claims"),
    [
        (bytes(MAX_SPECTRUM_BYTES + 1), {}),
        (b"x", {"total_chunks": 10**9}),
        (b"x", {"total_chunks": 2, "chunk": 1}),
        (10**12, {}),
        (None, {}),
        ("text", {}),
    ],
)
def test_a_client_that_ignores_the_limits_fills_no_memory(controls, data, claims):
    before = controls.state.target
    for number in range(5):
        upload(controls.upload, data, name=f"{number}.csv", **claims)
    assert controls.upload._file_buffer == {}
    assert controls.upload._buffer == []
    assert controls.state.target is before
    assert controls.message.visible


@pytest.mark.parametrize("write", [target_csv, target_xdi])
def test_a_prepared_target_is_taken_as_it_is(controls, write):
    made = builtin_targets()["a-C-2.5"]
    upload(controls.upload, write(made).encode(), name="sp2")
    assert controls.state.target_name == "sp2 (measured)", "no shipped target is replaced"
    assert np.array_equal(controls.state.target.intensity, made.intensity)
    assert np.array_equal(controls.state.targets["sp2"].intensity, builtin_targets()["sp2"].intensity)


def test_a_warning_about_the_target_is_shown(controls):
    energy = np.arange(282.0, 300.0, 0.2)
    edge = np.interp(energy, ENERGY, builtin_targets()["sp3"].intensity)
    upload(controls.upload, "".join(f"{e} {i}\n" for e, i in zip(energy, edge, strict=True)).encode())
    assert controls.state.target_name == "x.csv"
    assert controls.warning.visible
    assert controls.warning.severity == "warning"


def file_of(atoms: Atoms, kind: str) -> bytes:
    """A structure file."""
    text = io.BytesIO() if kind == "cif" else io.StringIO()
    write(text, atoms, format=kind)
    return text.getvalue() if kind == "cif" else text.getvalue().encode()


DIAMOND = bulk("C", cubic=True).repeat(2)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("extxyz", "a.xyz"), ("extxyz", "a.extxyz"), ("cif", "a.CIF"), ("vasp", "POSCAR"), ("vasp", "a.vasp")],
)
def test_structures_are_read_by_their_name(kind, name):
    atoms = structure_from_upload(file_of(DIAMOND, kind), f"../x/{name}")
    assert len(atoms) == 64
    assert np.allclose(atoms.cell.lengths(), DIAMOND.cell.lengths(), atol=1e-4)
    assert atoms.pbc.all()
    assert atoms.info == {"name": name}


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "a.cif", "empty"),
        (b"x" * (MAX_BYTES + 1), "a.cif", "larger"),
        (b"\n" * (MAX_ROWS + 1), "a.xyz", "larger"),
        (b"1\n\nC 0 0 0\n", "a.traj", "no known format"),
        (b"1\n\nC 0 0 0\n", "a.xyz", "add the lattice"),
        (b"nonsense", "a.xyz", "cannot be read"),
        (b"\x80\x04pickle", "POSCAR", "cannot be read"),
        (b'1\nLattice="9 0 0 0 9 0 0 0 nan"\nC 0 0 0\n', "a.xyz", "lattice"),
        (file_of(bulk("Si", cubic=True), "extxyz"), "a.xyz", "atoms of Si"),
        (file_of(DIAMOND.repeat(5)[: MAX_ATOMS + 1], "extxyz"), "a.xyz", "give 1 to 5000"),
    ],
)
def test_what_is_no_carbon_structure_is_refused_with_a_reason(data, name, reason):
    with pytest.raises(ValueError, match=reason):
        structure_from_upload(data, name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(st.binary(max_size=600), st.text("0123456789. \nCLattice=\"_loop", max_size=600).map(str.encode)),
    st.sampled_from(["a.xyz", "a.cif", "POSCAR"]),
)
def test_garbage_is_a_structure_or_a_value_error(data, name):
    try:
        atoms = structure_from_upload(data, name)
    except ValueError:
        return
    assert isinstance(atoms, Atoms)


def test_a_structure_to_start_from_sets_cell_and_density_and_can_be_dropped(controls):
    upload(controls.structure, file_of(DIAMOND, "extxyz"), name="diamond.xyz")
    assert controls.state.start is None, "it is seen first"
    controls.random.clicks += 1
    assert controls.state.settings.n_atoms == 64
    assert controls.state.settings.density == pytest.approx(3.5, abs=0.05)
    assert not controls.density.visible
    assert "diamond.xyz" in controls.atoms.object
    upload(controls.structure, b"nonsense", name="bad.xyz")
    assert "structures stay" in controls.message.text
    assert controls.state.start.info["name"] == "diamond.xyz"
    controls.random.clicks += 1
    assert controls.density.visible
    assert controls.state.settings.n_atoms == 217


def test_a_name_keeps_what_is_no_folder():
    assert printable("TEY/I0 \n of film 3") == "TEY/I0  of film 3"
