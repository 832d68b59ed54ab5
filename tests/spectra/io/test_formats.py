"""Files other than text tables: Athena, Igor, HDF5, SPEC, EELS, what they hold and how they are refused."""

from __future__ import annotations

import gzip
import json
import struct
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from acgen.spectra.io import athena, external
from acgen.spectra.io.export import spectrum_xdi
from acgen.spectra.io.read import list_contents, read_spectrum
from acgen.spectra.spectrum import SpectrumError

ENERGY = np.round(280.0 + 0.5 * np.arange(40), 3)
MU = np.round(1.2 + np.arctan(ENERGY - 285.0), 6)


def _array(name: str, values: np.ndarray) -> str:
    return f"@{name} = ({','.join(repr(str(value)) for value in values.tolist())});\n"


def project(*groups: tuple[str, float], extra: str = "") -> bytes:
    """An Athena project in the perl form with groups of a label and an energy shift."""
    text = "# Athena project file -- Demeter version 0.9.26\n# This file created at 2020\n\n"
    for k, (label, shift) in enumerate(groups):
        escaped = label.replace("'", "\\'")
        text += f"$old_group = 'g{k}';\n@args = ('annotation','','bkg_eshift','{shift}','label','{escaped}');\n"
        text += _array("x", ENERGY) + _array("y", MU + k) + _array("i0", np.full(40, 2.0)) + extra
        text += "[record]   # create object and set arrays in ifeffit\n\n"
    return (text + "@journal = ('a note');\n1;\n").encode()


# Athena


@pytest.mark.parametrize("packed", [True, False])
def test_athena_groups_are_chosen_by_label(packed: bool) -> None:
    data = project(("film, annealed", 0.0), ("HOPG 'reference'", 0.25))
    data = gzip.compress(data) if packed else data
    contents = list_contents(data)
    assert contents.format == "Athena project"
    assert [item.name for item in contents.items] == ["film, annealed", "HOPG 'reference'"]
    assert contents.items[0].labels == ("energy", "mu", "i0")
    film = read_spectrum(data, item="film, annealed")
    np.testing.assert_array_equal(film.energy, ENERGY)
    np.testing.assert_array_equal(film.intensity, MU)
    second = read_spectrum(data, item=contents.items[1].name, columns=(1, 2, 3))
    np.testing.assert_allclose(second.energy, ENERGY + 0.25)
    np.testing.assert_allclose(second.intensity, (MU + 1) / 2)
    assert "energy shift of the project: +0.25 eV" in second.history[1]


def test_athena_needs_a_choice_and_says_which() -> None:
    data = project(("a", 0.0), ("b", 0.0))
    with pytest.raises(SpectrumError, match="holds 2 data sets: 'a', 'b': choose one"):
        read_spectrum(data)
    with pytest.raises(SpectrumError, match="no data set 'c', it has 'a', 'b'"):
        read_spectrum(data, item="c")
    np.testing.assert_array_equal(read_spectrum(project(("only", 0.0))).intensity, MU)
    names = [item.name for item in list_contents(project(("same", 0.0), ("same", 0.0))).items]
    assert names == ["same", "same (2)"]


def test_athena_project_as_json() -> None:
    group = {"args": {"label": "x"}, "x": ENERGY.tolist(), "y": [str(v) for v in MU]}
    content = {"_____header1": "# Athena project file -- Demeter 0.9", "_____order": ["a"], "a": group}
    np.testing.assert_array_equal(read_spectrum(json.dumps(content).encode()).intensity, MU)


def test_athena_text_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    data = project(("a", 0.0), extra=f"@signal = (__import__('os').system('touch {mark}'));\n`touch {mark}`;\n")
    assert list_contents(data).items[0].labels == ("energy", "mu", "i0")
    assert not mark.exists()


@pytest.mark.parametrize("hostile", ["'" + "\\'" * 500_000, "(" * 1_000_000, "'" * 150_000, "," * 1_000_000])
def test_hostile_projects_cost_little(hostile: str) -> None:
    begin = time.process_time()
    with pytest.raises(SpectrumError, match="no group with energies"):
        read_spectrum(f"# Athena project file\n@x = ({hostile});\n[record]\n".encode())
    assert time.process_time() - begin < 3


def test_athena_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpectrumError, match="no group with energies"):
        read_spectrum(b"# Athena project file\n@x = ('1','2');\n@y = ('1');\n[record]\n")
    with pytest.raises(SpectrumError, match="gzip file is damaged"):
        read_spectrum(gzip.compress(b"x" * 1000)[:20] + b"\xff" * 30)
    with pytest.raises(SpectrumError, match="ends too early"):
        read_spectrum(gzip.compress(project(("a", 0.0)))[:-20])
    with pytest.raises(SpectrumError, match="holds more than 5 MB"):
        read_spectrum(gzip.compress(bytes(21_000_000)))
    monkeypatch.setattr(athena, "MAX_NUMBERS", 30)
    with pytest.raises(SpectrumError, match="more than 30 numbers"):
        read_spectrum(project(("a", 0.0)))


# Igor


def test_igor_text_waves_and_scale() -> None:
    rows = "\n".join(f"\t{e}\t{i}" for e, i in zip(ENERGY, MU, strict=True))
    both = f"IGOR\nWAVES/D\tenergy, tey\nBEGIN\n{rows}\nEND\nX Note energy, \"\"\n"
    np.testing.assert_array_equal(read_spectrum(both.encode()).intensity, MU)
    single = "\n".join(map(str, MU))
    scaled = f'IGOR\nWAVES/D\ttey\nBEGIN\n{single}\nEND\nX SetScale/P x 280,0.5,"eV", tey; SetScale y 0,0,"", tey\n'
    scaled = scaled.replace("\n", "\r\n")
    spectrum = read_spectrum(scaled.encode())
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_array_equal(spectrum.intensity, MU)
    two = both + both.removeprefix("IGOR\n").replace("tey", "tfy")
    assert [item.name for item in list_contents(two.encode()).items] == ["energy, tey", "energy, tfy"]


def test_igor_text_refusals() -> None:
    with pytest.raises(SpectrumError, match="ends inside a block"):
        read_spectrum(b"IGOR\nWAVES a\nBEGIN\n1\n2\n")
    with pytest.raises(SpectrumError, match="line 5 should have 1 numbers"):
        read_spectrum(b"IGOR\nWAVES a\nBEGIN\n1\nx\nEND\n")
    with pytest.raises(SpectrumError, match="no waves with numbers"):
        read_spectrum(b"IGOR\nX Display a\n")


def binary_wave(values: np.ndarray, start: float, step: float) -> bytes:
    """An Igor binary wave of version 2: 16 bytes of file header, 110 of wave header, then the values as doubles."""
    wave = bytearray(110)
    struct.pack_into("<h", wave, 0, 4)
    wave[6:9] = b"tey"
    struct.pack_into("<i", wave, 42, len(values))
    struct.pack_into("<dd", wave, 48, step, start)
    first = struct.pack("<hiii", 2, 110 + 8 * len(values) + 16, 0, 0)
    total = sum(struct.unpack("<63h", first + b"\0\0" + bytes(wave))) & 0xFFFF
    checksum = struct.pack("<H", (-total) & 0xFFFF)
    return first + checksum + bytes(wave) + values.astype("<f8").tobytes() + bytes(16)


@pytest.mark.skipif(find_spec("igor2") is None, reason="needs the extra io")
def test_igor_binary_wave() -> None:
    spectrum = read_spectrum(binary_wave(MU, 280.0, 0.5))
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_array_equal(spectrum.intensity, MU)


# HDF5, SPEC, EELS


@pytest.mark.skipif(find_spec("h5py") is None, reason="needs the extra io")
def test_hdf5_offers_vectors_of_one_length_and_follows_no_link(tmp_path: Path) -> None:
    import h5py

    (tmp_path / "secret.h5").write_bytes(b"")
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        for name, factor in (("entry1", 1.0), ("entry2", 3.0)):
            file[f"{name}/mono/energy"] = ENERGY
            file[f"{name}/mono/energy"].attrs["units"] = "eV"
            file[f"{name}/tey/value"] = factor * MU
            file[f"{name}/i0"] = np.full(40, 4)
            file[f"{name}/image"] = np.zeros((40, 50))
            file[f"{name}/title"] = "a film"
        file["entry1/outside"] = h5py.ExternalLink("secret.h5", "/x")
        file["entry1/loop"] = file["entry1"]
    contents = list_contents(path)
    assert [item.name for item in contents.items] == ["entry1, 40 points", "entry2, 40 points"]
    assert contents.items[0].labels == ("i0", "mono/energy", "tey/value")
    assert contents.items[0].energy_columns == (2,)
    spectrum = read_spectrum(path, item="entry2, 40 points", columns=(2, 3, 1))
    np.testing.assert_array_equal(spectrum.intensity, 3 * MU / 4)
    with pytest.raises(SpectrumError, match="3 columns"):
        read_spectrum(path, item="entry1, 40 points")
    with pytest.raises(SpectrumError, match="HDF5 file (cannot be read|is damaged)"):
        read_spectrum(path.read_bytes()[:600])


@pytest.mark.skipif(find_spec("silx") is None, reason="needs the extra io")
def test_spec_scans() -> None:
    rows = "\n".join(f"{e} {i} 2" for e, i in zip(ENERGY, MU, strict=True))
    text = "#F film\n#D Mon\n\n" + "".join(
        f"#S {k} ascan energy 280 300 40 1\n#D Mon\n#N 3\n#L Energy  TEY  I0\n{rows}\n\n" for k in (1, 2)
    )
    contents = list_contents(text.encode())
    assert [item.name for item in contents.items] == ["scan 1.1", "scan 2.1"]
    assert contents.items[0].labels == ("Energy", "TEY", "I0")
    np.testing.assert_allclose(read_spectrum(text.encode(), item="scan 2.1", columns=(1, 2, 3)).intensity, MU / 2)


def emsa() -> bytes:
    """A core-loss spectrum as an EMSA file."""
    head = ["#FORMAT      : EMSA/MAS Spectral Data File", "#VERSION     : 1.0", "#TITLE       : a-C film"]
    head += ["#NPOINTS     : 40", "#NCOLUMNS    : 1", "#XUNITS      : eV", "#YUNITS      : counts", "#DATATYPE    : Y"]
    head += ["#XPERCHAN    : 0.5", "#OFFSET      : 280.0", "#SIGNALTYPE  : ELS", "#SPECTRUM    : data"]
    return "\n".join([*head, *(f"{value:.6f}," for value in MU), "#ENDOFDATA   : "]).encode()


@pytest.mark.skipif(find_spec("rsciio") is None, reason="needs the extra io")
def test_emsa_core_loss_spectrum() -> None:
    spectrum = read_spectrum(emsa())
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_allclose(spectrum.intensity, MU, atol=1e-6)


@pytest.mark.skipif(find_spec("rsciio") is None, reason="needs the extra io")
def test_a_damaged_micrograph_is_refused() -> None:
    with pytest.raises(SpectrumError, match="DigitalMicrograph file"):
        read_spectrum(b"\0\0\0\x03" + bytes(range(200)))


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "find_spec", lambda name: None)
    with pytest.raises(SpectrumError, match=r'HDF5 file, which needs h5py: pip install "acgen\[io\]"'):
        read_spectrum(b"\x89HDF\r\n\x1a\n" + bytes(100))


# choices in text files


def test_raw_beamline_columns_are_listed_with_names_and_ranges(shared_data: Path) -> None:
    path = shared_data / "measured" / "AusSync_SXR_129578_sampleZ1_CK.asc"
    (item,) = list_contents(path).items
    assert len(item.labels) == 18
    assert item.labels[3] == "calculated ph energy"
    assert item.labels[12:16] == ("Sample Drain", "I0 Chamber", "Ref Chamber", "Photodiode")
    assert item.energy_columns == (2, 4)
    with pytest.raises(SpectrumError, match=r"4 calculated ph energy \(270.* to 329.*, energy\?\); .*13 Sample Drain"):
        read_spectrum(path)


def test_headings_name_columns_and_logarithm_of_transmission() -> None:
    rows = "\n".join(f"{e},{np.exp(-i):.9f},2" for e, i in zip(ENERGY, MU, strict=True))
    data = f"# Energy (eV),I1,I0\n{rows}".encode()
    assert list_contents(data).items[0].labels == ("Energy (eV)", "I1", "I0")
    spectrum = read_spectrum(data, columns=(1, 2), negative_log=True)
    np.testing.assert_allclose(spectrum.intensity, MU, atol=1e-6)
    assert "negative logarithm" in spectrum.history[1]
    with pytest.raises(SpectrumError, match="not positive"):
        read_spectrum(data.replace(b",2", b",-2"), columns=(1, 2, 3), negative_log=True)


def test_spectrum_keeps_the_hash_of_its_file_and_says_what_was_odd() -> None:
    rows = [f"{e} {i}" for e, i in zip(ENERGY, MU, strict=True)]
    plain = read_spectrum("\n".join(rows).encode())
    assert len(plain.sha256) == 64
    assert plain.warnings == ()
    backwards = read_spectrum("\n".join(rows[::-1]).encode())
    assert "ran downwards" in backwards.warnings[0]
    mixed = read_spectrum("\n".join(rows[20:] + rows[:21]).encode())
    assert "not in order (1 steps back)" in mixed.warnings[0]
    assert "1 energies occurred more than once" in mixed.warnings[1]


def test_projects_and_xdi_files_agree_with_larch(tmp_path: Path, larch) -> None:
    packed, text = tmp_path / "project.prj", tmp_path / "film.xdi"
    packed.write_bytes(gzip.compress(project(("film", 0.0), ("other", 0.0))))
    text.write_text(spectrum_xdi(read_spectrum(project(("film", 0.0)))))
    groups, film = larch([{"function": "athena", "file": str(packed)}, {"function": "xdi", "file": str(text)}])
    for label, ours in (("film", MU), ("other", MU + 1)):
        spectrum = read_spectrum(packed, item=label)
        np.testing.assert_array_equal(spectrum.energy, groups[label]["energy"])
        np.testing.assert_array_equal(spectrum.intensity, groups[label]["mu"])
        np.testing.assert_array_equal(spectrum.intensity, ours)
    np.testing.assert_array_equal(read_spectrum(text).energy, film["energy"])
    np.testing.assert_array_equal(read_spectrum(text).intensity, film["mu"])
