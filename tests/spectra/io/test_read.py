"""Reading spectra: every dialect, every refusal, and garbage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgen.spectra.io import table
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.spectrum import Spectrum, SpectrumError

ENERGIES = 280.0 + 0.5 * np.arange(40)
VALUES = np.round(0.1 + np.arctan(ENERGIES - 285.0), 4)


def _lines(template: str = "{e:.2f},{i:.4f}", comma: bool = False) -> str:
    text = "\n".join(template.format(e=e, i=i) for e, i in zip(ENERGIES, VALUES, strict=True))
    return text.replace(".", ",") if comma else text


DIALECTS = {
    "comma": _lines(),
    "comma and space": _lines("{e:.2f}, {i:.4f}"),
    "byte-order mark": "\ufeffPE/eV,Signal\r\n" + _lines().replace("\n", "\r\n"),
    "old Mac line ends": _lines().replace("\n", "\r"),
    "semicolon": "Energie;Signal\n" + _lines("{e:.2f};{i:.4f}"),
    "semicolon, decimal comma": _lines("{e:.2f};{i:.4f}", comma=True),
    "tab": _lines("{e:.2f}\t{i:.4f}"),
    "tab, decimal comma": _lines("{e:.2f}\t{i:.4f}", comma=True),
    "spaces": _lines("   {e:.2f}     {i:.4f}"),
    "spaces, decimal comma": _lines("{e:.2f}  {i:.4f}", comma=True),
    "exponents": _lines("{e:.6e} {i:+.6E}"),
    "quoted": _lines('"{e:.2f}","{i:.4f}"'),
    "hash comments": "# a\n# 1 2 3\n" + _lines() + "\n# the end\n",
    "percent comments": "% 1d\n%  272\n" + _lines("{e:.2f} {i:.4f}"),
    "numbers in the heading": "272\n2021 06 22\n" + _lines("{e:.2f} {i:.4f}"),
    "empty cells at the end": _lines("{e:.2f};{i:.4f};;"),
    "blank lines": _lines().replace("\n", "\n\n  \n"),
    "empty rows of a spreadsheet": _lines("{e:.2f};{i:.4f}") + "\n;\n;;\n",
}


@pytest.mark.parametrize("text", DIALECTS.values(), ids=DIALECTS.keys())
def test_every_dialect_gives_the_same_spectrum(text: str) -> None:
    spectrum = read_spectrum(text.encode(), name="x")
    np.testing.assert_allclose(spectrum.energy, ENERGIES)
    np.testing.assert_allclose(spectrum.intensity, VALUES)
    assert spectrum.name == "x"
    assert spectrum.history == ("Read 40 points from columns 1 and 2.",)


def test_encodings() -> None:
    heading = "# Übergang in µA, Δ\n"
    for data in ((heading + _lines()).encode("utf-8"), (heading + _lines()).encode("utf-16")):
        np.testing.assert_allclose(read_spectrum(data).intensity, VALUES)
    windows = "Energie (eV);Strom (µA) für Prüfling 5°\n" + _lines("{e:.2f};{i:.4f}", comma=True)
    windows = windows.encode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        windows.decode()
    np.testing.assert_allclose(read_spectrum(windows).intensity, VALUES)


def test_path_gives_the_name(tmp_path: Path) -> None:
    path = tmp_path / "my film.txt"
    path.write_text(_lines())
    assert read_spectrum(path).name == "my film"
    assert read_spectrum(str(path), name="other").name == "other"


def test_unsorted_and_repeated_energies_are_mended_and_noted() -> None:
    rows = _lines().splitlines()
    spectrum = read_spectrum("\n".join([*rows[::-1], "280.00,0.0", "280.00,0.2"]).encode())
    np.testing.assert_allclose(spectrum.energy, ENERGIES)
    assert spectrum.intensity[0] == pytest.approx((VALUES[0] + 0.2) / 3)
    assert spectrum.history[1:] == ("Sorted by energy.", "Averaged 2 repeated energies.")


def test_kilo_electronvolt_is_converted_and_noted() -> None:
    text = "\n".join(f"{e / 1000:.5f} {i:.4f}" for e, i in zip(ENERGIES, VALUES, strict=True))
    spectrum = read_spectrum(text.encode())
    np.testing.assert_allclose(spectrum.energy, ENERGIES)
    assert "keV" in spectrum.history[1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n\t \n", "empty"),
        (b"\xef\xbb\xbf", "no lines of numbers"),
        (b"hello\nworld\n", "no lines of numbers"),
        (b"# only comments\n", "no lines of numbers"),
        (b"PK\x03\x04\x00\x00", "not text"),
        (b"\x80\x04\x95pickle" + bytes(9), "not text"),
        (b"280\n281\n282\n", "one column"),
        (_lines().splitlines()[0].encode(), "1 points: at least 10"),
        ((_lines() + "\n285,-inf\n286,1e999").encode(), "2 of 42 rows have infinite"),
        ((_lines() + "\nbeam lost\n300.0,0.5").encode(), "goes on in line 42 after text .* 'beam lost'"),
        (_lines().replace("285.00,0.1", "285.00,O.1").encode(), "line 11 has 'O.1000' in column 2, which is not"),
        (_lines().replace("285.00,", "285.00,7,8,").encode(), "line 11 has 4 columns where 2 were expected"),
        (("1 " * 6000).encode(), "longer than 10000"),
        (_lines("{e:.2f},{i:.4f}", comma=True).encode(), "4 columns"),
    ],
)
def test_refusals_say_why_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(SpectrumError, match=message) as caught:
        read_spectrum(data)
    assert "\n" not in str(caught.value)


def test_refusals_of_paths(tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match="does not exist"):
        read_spectrum(tmp_path / "none.txt")
    with pytest.raises(SpectrumError, match="not a file"):
        read_spectrum(tmp_path)


def test_size_and_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpectrumError, match="larger than 20 MB"):
        read_spectrum(b"1 2\n" * 5_000_001)
    with pytest.raises(SpectrumError, match="line 1 has 300 columns"):
        read_spectrum(b"1 " * 300)
    monkeypatch.setattr(table, "MAX_LINES", 30)
    with pytest.raises(SpectrumError, match="more than 30 lines"):
        read_spectrum(_lines().encode())


@pytest.mark.parametrize("token", ["1" * 9000 + "x", "1." + "1" * 9000 + "x", "," * 9000, "1e" + "1" * 9000 + "x"])
def test_hostile_tokens_cost_little(token: str) -> None:
    with pytest.raises(SpectrumError, match="no lines of numbers"):
        read_spectrum(f"{token}\n".encode() * 500)


def _many_columns() -> bytes:
    rows = [f"{k} {e:.2f} {2 * i:.6f} {0.5 * k + 1}" for k, (e, i) in enumerate(zip(ENERGIES, VALUES, strict=True))]
    return "\n".join(rows).encode()


def test_many_columns_need_a_choice() -> None:
    with pytest.raises(SpectrumError, match=r"4 columns.*columns=\(1, 2\)"):
        read_spectrum(_many_columns())
    plain = read_spectrum(_many_columns(), columns=(2, 3))
    np.testing.assert_allclose(plain.intensity, 2 * VALUES, atol=1e-9)
    ratio = read_spectrum(_many_columns(), columns=(2, 3, 4))
    np.testing.assert_allclose(ratio.intensity, 2 * VALUES / (0.5 * np.arange(40) + 1), atol=1e-9)
    assert "column 3 over column 4" in ratio.history[0]


@pytest.mark.parametrize("columns", [(1,), (1, 5), (0, 1), (1, 2, 3, 4), (1.5, 2)])
def test_wrong_columns_are_refused(columns: tuple) -> None:
    with pytest.raises(SpectrumError, match="does not fit a file with 4 columns"):
        read_spectrum(_many_columns(), columns=columns)


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(SpectrumError, match="column 1 is zero in 1 rows"):
        read_spectrum(_many_columns(), columns=(2, 3, 1))


def _xdi(columns: list[str], rows: list[list[float]]) -> bytes:
    header = ["# XDI/1.0 test", *(f"# Column.{k}: {c}" for k, c in enumerate(columns, start=1))]
    header += ["# Element.symbol: C", "# Element.edge: K", "# ///", "# a user's comment", "#----", "# labels"]
    return "\n".join([*header, *(" ".join(f"{value:.6f}" for value in row) for row in rows)]).encode()


def test_xdi_finds_energy_and_absorption_by_name() -> None:
    rows = [[9.0, i, 7.0, e] for e, i in zip(ENERGIES, VALUES, strict=True)]
    spectrum = read_spectrum(_xdi(["i0", "mutrans", "itrans", "energy eV"], rows))
    np.testing.assert_allclose(spectrum.energy, ENERGIES)
    np.testing.assert_allclose(spectrum.intensity, VALUES, atol=1e-6)
    assert "columns 4 and 2" in spectrum.history[0]


def test_xdi_divides_fluorescence_by_i0_and_knows_units() -> None:
    rows = [[e / 1000, 4.0, i] for e, i in zip(ENERGIES, VALUES, strict=True)]
    spectrum = read_spectrum(_xdi(["energy keV", "i0", "ifluor"], rows))
    np.testing.assert_allclose(spectrum.energy, ENERGIES)
    np.testing.assert_allclose(spectrum.intensity, VALUES / 4, atol=1e-6)


def test_huge_values_are_refused_not_overflowed() -> None:
    ratio = "\n".join(f"{e} 1e300 1e-300" for e in ENERGIES)
    with pytest.raises(SpectrumError, match="not finite"):
        read_spectrum(ratio.encode(), columns=(1, 2, 3))
    kev = "# XDI/1.0\n# Column.1: energy keV\n# Column.2: mufluor\n" + "\n".join(f"1e308 {k}" for k in range(20))
    with pytest.raises(SpectrumError, match="has 1 points"):
        read_spectrum(kev.encode())
    with pytest.raises(SpectrumError, match="not finite"):
        read_spectrum((kev + "\n" + "\n".join(f"{k} 1" for k in range(20))).encode())


def test_xdi_without_a_known_signal_is_refused_unless_there_is_one_only() -> None:
    rows = [[e, i, 1.0] for e, i in zip(ENERGIES, VALUES, strict=True)]
    with pytest.raises(SpectrumError, match="3 columns.*2 tey"):
        read_spectrum(_xdi(["energy eV", "tey", "monitor"], rows))
    with pytest.raises(SpectrumError, match="3 columns.*1 angle"):
        read_spectrum(_xdi(["angle degrees", "mufluor", "i0"], rows))
    two = read_spectrum(_xdi(["energy eV", "tey"], [row[:2] for row in rows]))
    np.testing.assert_allclose(two.intensity, VALUES, atol=1e-6)


def test_measured_files(shared_data: Path) -> None:
    folder = shared_data / "measured"
    dlc = read_spectrum(folder / "DLC_CKedge_SLRI_LG4X.csv")
    assert (dlc.energy.size, dlc.energy[0], dlc.energy[-1]) == (251, 270.7, 320.7)
    polystyrene = read_spectrum(folder / "polystyrene_STXM_kkcalc.txt")
    assert (polystyrene.energy[0], polystyrene.energy[-1]) == (275.0, 390.0)
    for name in ("AusSync_SXR_129577_photodiode_reffoil_CK.asc", "AusSync_SXR_129578_sampleZ1_CK.asc"):
        with pytest.raises(SpectrumError, match="18 columns"):
            read_spectrum(folder / name)


def test_columns_of_the_raw_beamline_file_give_its_published_ratio(shared_data: Path) -> None:
    folder = shared_data / "measured"
    raw = read_spectrum(folder / "AusSync_SXR_129577_photodiode_reffoil_CK.asc", columns=(4, 7, 8))
    ratio = read_spectrum(folder / "RefFoil_AusSync_ref_over_photodiode.csv")
    np.testing.assert_allclose(raw.energy, ratio.energy, atol=6e-4)
    np.testing.assert_allclose(raw.intensity, ratio.intensity, rtol=2e-5)


def _is_spectrum_or_refusal(data: bytes, columns: tuple[int, ...] | None = None) -> None:
    try:
        spectrum = read_spectrum(data, columns=columns)
    except SpectrumError:
        return
    assert isinstance(spectrum, Spectrum)
    assert spectrum.energy.size >= 10


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_garbage_bytes_are_refused_cleanly(data: bytes) -> None:
    _is_spectrum_or_refusal(data)


_FIELD = st.one_of(
    st.floats(width=64).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["", "nan", "1,5", "1e308", "-1e308", "5e-324", "1_0", "٣", "x", '"', "0x1p3"]),
)
_ROW = st.tuples(st.lists(_FIELD, min_size=1, max_size=4), st.sampled_from([",", ";", "\t", " ", ", "]))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(_ROW, max_size=30), st.sampled_from([None, (1, 2), (2, 1), (1, 2, 3)]))
def test_garbage_tables_are_refused_cleanly(rows: list, columns: tuple[int, ...] | None) -> None:
    _is_spectrum_or_refusal("\n".join(separator.join(row) for row, separator in rows).encode(), columns)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e300, 1e300)), min_size=10, max_size=40))
def test_finite_tables_round_trip(points: list[tuple[float, float]]) -> None:
    data = "\n".join(f"{e!r}\t{i!r}" for e, i in points).encode()
    unique = sorted({e for e, _ in points})
    if len(unique) < 10:
        with pytest.raises(SpectrumError, match="points"):
            read_spectrum(data)
        return
    scale = 1000.0 if 0.1 < unique[0] and unique[-1] < 1.0 else 1.0
    np.testing.assert_allclose(read_spectrum(data).energy, np.array(unique) * scale)
