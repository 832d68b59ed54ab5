"""Files of pair distributions: what is taken, and what is refused with a word on what to do."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from acgen.errors import AcgenError
from acgen.scattering.pairs import reduced_of, reduced_pdf, structure_factor
from acgen.scattering.read import read_pdf
from acgen.scattering.target import R_RANGE, PairError, PairTarget
from acgen.structures.cell import density
from acgen.structures.reference import reference_cells

HEAD = """[DEFAULT]

version = pdfgetx3-2.2.1
dataformat = QA
outputtype = gr
mode = xray
composition = C
qmax = 16.8
#### start data
#S 1
#L r($\\AA$)  G($\\AA^{-2}$)
"""
R = np.arange(0.02, 9, 0.02)
Q = np.arange(0.6, 24, 0.05)


@pytest.fixture(scope="module")
def cell():
    return reference_cells()[4]


@pytest.fixture(scope="module")
def reduced(cell):
    return reduced_pdf(cell, R, 0.05)


@pytest.fixture(scope="module")
def s(reduced):
    return structure_factor(R, reduced * np.exp(-0.5 * (R / 4) ** 2), Q)


@pytest.fixture(scope="module")
def g(cell, reduced):
    return 1 + reduced / (4 * np.pi * len(cell) / cell.get_volume() * R)


def table(x, y, head="", form="{:.5f} {:.6f}\n"):
    return (head + "".join(form.format(*row) for row in zip(x, y, strict=True))).encode()


def test_what_pdfgetx3_writes(cell, reduced):
    found = read_pdf(table(R, 0.8 * reduced, HEAD), name="film.gr")
    assert (found.kind, found.name) == ("G", "film")
    assert found.sigma == pytest.approx(2.1 / 16.8)
    assert (found.r[0], found.r[-1]) == (pytest.approx(R_RANGE[0]), pytest.approx(R[-1] - 2 * found.sigma, abs=0.05))
    assert found.density == pytest.approx(0.8 * density(cell), rel=1e-3)
    misfit, curve = found.compare(cell)
    assert misfit < 0.1
    assert np.linalg.norm(curve) == pytest.approx(found.norm(len(curve)), rel=0.05)  # the scale was found


def test_g_and_s_are_compared_with_the_same_atoms(cell, g, s):
    for data, kind in ((table(R, g), "g"), (table(Q, s), "S")):
        found = read_pdf(data, name="film.dat")
        assert found.kind == kind
        assert found.compare(cell)[0] < 0.25  # the tail of S was damped
        assert found.compare(reference_cells()[9])[0] > 0.3
        assert found.scale(found.values * 3) == 1
        assert found.neighbours(density(cell)) == pytest.approx(3.2, abs=0.15)
    assert read_pdf(table(Q, s), name="film.sq").kind == "S"


def test_diamond_is_nothing_like_it(g, cell):
    assert read_pdf(table(R, g)).compare(bulk("C", cubic=True).repeat(3))[0] > 1


@pytest.mark.parametrize("width", [0.05, 0.1])
def test_crystals_of_carbon_are_taken(width):
    for crystal in (bulk("C", cubic=True), graphite()):
        found = read_pdf(table(R, reduced_pdf(crystal, R, width)))
        assert (found.kind, found.doubts(density(crystal))) == ("G", ())
    silicon = bulk("Si", cubic=True)
    with pytest.raises(PairError, match="first peak lies at 2.3"):
        read_pdf(table(R, reduced_pdf(silicon, R, width)), "G")


def graphite():
    cell = [[2.46, 0, 0], [-1.23, 2.1304, 0], [0, 0, 6.71]]
    places = [(0, 0, 0), (2 / 3, 1 / 3, 0), (0, 0, 0.5), (1 / 3, 2 / 3, 0.5)]
    return Atoms("C4", scaled_positions=places, cell=cell, pbc=True)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda r, y: (r / 10, y), None, "nm.*multiply them by 10"),
        (lambda r, y: (r * 100, y), None, "pm.*divide them by 100"),
        (lambda r, y: (r * 1.6, y), None, "another element"),
        (lambda r, y: (r, y), "g", "--pdf-kind G"),
        (lambda r, y: (r, y), "S", "--pdf-kind G"),
        (lambda r, y: (r + 1.5, y), None, "begins at 1.52"),
        (lambda r, y: (r[r < 2.6], y[r < 2.6]), None, "longer range"),
        (lambda r, y: (r[::10], y[::10]), None, "apart"),
        (lambda r, y: (r[:20], y[:20]), None, "at least 30"),
        (lambda r, y: (r, np.where(r > 5, np.inf, y)), None, "no finite value"),
        (lambda r, y: (r, np.where((r > 3) & (r < 3.1), np.nan, y)), None, "no finite value"),
        (lambda r, y: (r, 0 * y), None, "all 0"),
        (lambda r, y: (r, y + 3), None, "ends about 0"),
        (lambda r, y: (r, np.abs(y) - np.abs(y)[-99:].mean()), None, "G"),
    ],
)
def test_what_is_no_reduced_distribution_is_refused(reduced, change, kind, said):
    with pytest.raises(PairError, match=said):
        read_pdf(table(*change(R, reduced)), kind, "film.gr")


def test_s_said_to_be_something_else(s):
    for kind in ("g", "G"):
        with pytest.raises(PairError, match="looks like S"):
            read_pdf(table(Q, s), kind)
    with pytest.raises(PairError, match="1/nm"):
        read_pdf(table(Q / 10, s), "S")
    with pytest.raises(PairError, match="first peak at"):
        read_pdf(table(Q / 1.6, s), "S")


@pytest.mark.parametrize(
    ("name", "head", "said"),
    [
        ("film.iq", "", "raw intensities.*reduce it"),
        ("film.fq", "", "the .gr or .sq"),
        ("film.gr", HEAD.replace("= gr", "= iq"), "raw intensities"),
        ("film.gr", HEAD.replace("= C\n", "= SiO2\n"), "SiO2.*carbon alone"),
    ],
)
def test_what_a_name_or_header_says(reduced, name, head, said):
    with pytest.raises(PairError, match=said):
        read_pdf(table(R, reduced, head), name=name)


def test_other_densities_are_told(reduced, g):
    found = read_pdf(table(R, reduced))
    assert not found.doubts(2.5)
    assert "2.50 g/cm³ if its scale is right" in " ".join(found.doubts(1.5))
    assert "neighbours at 0.8 g/cm³" in " ".join(read_pdf(table(R, g)).doubts(0.8))


def test_a_cell_that_is_too_small(reduced):
    with pytest.raises(PairError, match=r"7\.0 Å"):
        read_pdf(table(R, reduced)).points(np.diag([6.5, 9, 9]))


@pytest.mark.parametrize(
    "change", [{"sigma": 0.01}, {"kind": "x"}, {"r": np.arange(5.0)}, {"values": np.zeros(3)}, {"name": 3}]
)
def test_a_target_checks_itself(reduced, change):
    found = read_pdf(table(R, reduced))
    with pytest.raises(AcgenError):
        PairTarget(**(dict(vars(found)) | change))


def test_missing_low_q_matters_little(s, reduced):
    r = np.arange(1.2, 5, 0.05)
    both = [reduced_of(Q[keep], s[keep], r, 0.1) for keep in (Q > 0, Q > 1)]
    assert np.abs(both[0] - both[1]).max() < 0.07 * np.abs(both[0]).max()


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(alphabet="0123456789.eE+- \n,;#=naif", max_size=400)))
def test_any_bytes_are_a_table_or_an_error(data):
    data = data.encode() if isinstance(data, str) else data
    for name in ("a.gr", "a.sq", "a"):
        with pytest.raises(AcgenError):
            read_pdf(data, name=name)
