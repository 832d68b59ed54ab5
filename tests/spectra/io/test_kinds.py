"""Files as other programs write them: separators, thousands, encodings, footers, text columns, channels, workbooks."""

from __future__ import annotations

import codecs
import gzip
from datetime import datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pytest

from acgen.spectra.io.read import list_contents, read_spectrum
from acgen.spectra.spectrum import SpectrumError

ENERGY = np.round(280.0 + 0.5 * np.arange(40), 2)
MU = np.round(1.2 + np.arctan(ENERGY - 285.0), 4)
COUNTS = np.round(1000 * MU * 40).astype(int)  # 80 to 100 000


def rows(template: str, values: np.ndarray = MU) -> str:
    return "\n".join(template.format(k=k, e=e, i=i) for k, (e, i) in enumerate(zip(ENERGY, values, strict=True))) + "\n"


def same(data: bytes | str, values: np.ndarray = MU, columns: tuple[int, ...] | None = None) -> None:
    spectrum = read_spectrum(data.encode() if isinstance(data, str) else data, columns=columns)
    np.testing.assert_allclose(spectrum.energy, ENERGY)
    np.testing.assert_allclose(spectrum.intensity, values, atol=1e-9)


def grouped(mark: str) -> str:
    return "\n".join(f"{e:.2f}\t{i:,}".replace(",", mark) for e, i in zip(ENERGY, COUNTS, strict=True))


THOUSANDS = {
    "comma": grouped(","),
    "apostrophe": grouped("'"),
    "curly apostrophe": grouped("\u2019"),
    "space": grouped(" "),
    "no-break space": grouped("\u00a0"),
    "narrow space": grouped("\u202f"),
    "quoted in CSV": "\n".join(f'{e:.2f},"{i:,}"' for e, i in zip(ENERGY, COUNTS, strict=True)),
    "two spaces between columns": "\n".join(
        f"{e:.2f}   {i:,}".replace(",", " ") for e, i in zip(ENERGY, COUNTS, strict=True)
    ),
    "spaces, comma": "\n".join(f"{e:.2f}  {i:,}" for e, i in zip(ENERGY, COUNTS, strict=True)),
    "point, decimal comma": "\n".join(
        f"{e:.2f};".replace(".", ",") + f"{i:,}".replace(",", ".") for e, i in zip(ENERGY, COUNTS, strict=True)
    ),
    "with decimals": "\n".join(f"{e:.2f};{i:,.1f}" for e, i in zip(ENERGY, COUNTS, strict=True)),
}


@pytest.mark.parametrize("text", THOUSANDS.values(), ids=THOUSANDS.keys())
def test_marks_between_thousands(text: str) -> None:
    same(text, COUNTS)


@pytest.mark.parametrize("mark", list("DdQqEe"))
def test_fortran_exponents(mark: str) -> None:
    text = rows("{e:.6e} {i:.6e}").replace("e", mark)
    same(text)


def test_fortran_exponents_without_a_letter() -> None:
    values = MU * 1e-120
    same(rows("{e:.2f} {i:.6e}", values).replace("e-1", "-1"), values)


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("packed", [True, False])
def test_encodings(encoding: str, mark: bool, packed: bool) -> None:
    marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    marks |= {"utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}
    data = (marks[encoding] if mark else b"") + ("energy\tSignal\r\n" + rows("{e}\t{i}")).encode(encoding)
    same(gzip.compress(data) if packed else data)


@pytest.mark.parametrize(
    "clock",
    ["%H:%M:%S", "%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y", "%H:%M"],
)
@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_columns_of_clocks_and_dates(clock: str, separator: str) -> None:
    start = datetime(2024, 2, 3, 10)
    lines = [
        separator.join([(start + timedelta(seconds=k)).strftime(clock), f"{e}", f"{i}", "film a"])
        for k, (e, i) in enumerate(zip(ENERGY, MU, strict=True))
    ]
    text = separator.join(["When", "E", "TEY", "Sample"]) + "\n" + "\n".join(lines)
    (item,) = list_contents(text.encode()).items
    assert item.labels == ("When", "E", "TEY", "Sample")
    assert item.number_columns == (2, 3)
    same(text)


def test_clocks_between_spaces_with_decimal_commas() -> None:
    same(rows("10:00:{k:02d} {e:.2f} {i:.4f}").replace(".", ","), columns=(2, 3))


@pytest.mark.parametrize("gap", ["", "-", "--", "NaN", "#N/A", "#NV", "N/A", "null", "#DIV/0!", "1.#QNAN", "***"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_without_a_value(gap: str, separator: str) -> None:
    lines = rows("{e}" + separator + "{i}").splitlines()
    for k in (0, 7, 8, 39):
        lines[k] = f"{ENERGY[k]}{separator}{gap}"
    spectrum = read_spectrum("\n".join(lines).encode())
    assert spectrum.energy.size == 36
    assert spectrum.missing.tolist() == ENERGY[[0, 7, 8, 39]].tolist()
    assert "4 of 40 rows have no value" in spectrum.warnings[0]


def test_a_gap_in_another_column_takes_no_row_and_an_empty_column_keeps_its_place() -> None:
    lines = rows("{e},,{i},{k}").splitlines()
    lines[5] = lines[5].rpartition(",")[0] + ","
    same("\n".join(lines), columns=(1, 3))


@pytest.mark.parametrize(
    "footer",
    ["End of scan 12", "&", "* end", "# done", "scan 12", "[End]", "Mean:\n280.0 0.5", "END;;", "-----", "---\nby 7 8"],
)
def test_text_below_the_table_is_a_footer(footer: str) -> None:
    same(rows("{e} {i}") + footer + "\n")


def test_several_tables_are_offered() -> None:
    text = "Scan 1\nE TEY\n" + rows("{e} {i}") + "Scan 2\nE TEY\n" + rows("{e} {i}", 2 * MU)
    contents = list_contents(text.encode())
    assert [item.name for item in contents.items] == ["table 1, lines 3-42", "table 2, lines 45-84"]
    assert contents.items[1].labels == ("E", "TEY")
    np.testing.assert_allclose(contents.items[1].values[:, 1], 2 * MU)


@pytest.mark.parametrize(
    ("heading", "labels"),
    [
        ("Photon Energy (eV)   Sample Current (A)\n", ("Photon Energy (eV)", "Sample Current (A)")),
        ("# Photon Energy  TEY\n", ("Photon Energy", "TEY")),
        ("Data:\nEnergy\nTEY\n\n", ("Energy", "TEY")),
        ("Energy TEY\neV A\n", ("Energy (eV)", "TEY (A)")),
        ('"Energy","TEY"\n', ("Energy", "TEY")),
        ("a thin film\n", ("column 1", "column 2")),
    ],
)
def test_names_of_columns(heading: str, labels: tuple[str, ...]) -> None:
    assert list_contents((heading + rows("{e} {i}")).encode()).items[0].labels == labels


def test_kev_by_heading_or_by_numbers() -> None:
    for heading in ("", "E_keV mu\n", "# Energy(keV)  mu\n"):
        text = heading + "\n".join(f"{e / 1000:.5f} {i}" for e, i in zip(ENERGY, MU, strict=True)) + "\n9.5 0.1\n"
        spectrum = read_spectrum(text.encode())
        np.testing.assert_allclose(spectrum.energy[:-1], ENERGY)
    with_unit = read_spectrum(("energy_keV mu\n" + rows("{e} {i}")).encode())
    np.testing.assert_allclose(with_unit.energy, ENERGY)
    assert "keV" in with_unit.warnings[0]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7\n...", "a PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "old Excel"),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
        (b"<!DOCTYPE html><html><body>1 2</body></html>", "a web page"),
        (b"{\\rtf1 280 1}", "Rich Text"),
        (b"ScanDefinition = { Label = \"x\"; Points = (3, 280.0, 281.0, 282.0); };", "STXM"),
        (("\t".join(["7"] * 150) + "\n").encode() * 150, "image, as of STXM"),
        (b"\x80\x04\x95" + bytes(40), "pickle"),
    ],
)
def test_what_is_no_table_is_named(data: bytes, what: str) -> None:
    with pytest.raises(SpectrumError, match=what) as caught:
        read_spectrum(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kind", ["channels", "table", "compound", "one of three dimensions"])
def test_hdf5_channels(kind: str, transposed: bool, tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    two = np.stack([MU, 2 * MU], axis=1)
    with h5py.File(path, "w") as file:
        if kind == "channels":
            file["entry/energy"] = ENERGY
            file["entry/det/sdd"] = (two.T if transposed else two).astype("f4")
        elif kind == "table":
            table = np.column_stack([ENERGY, two])
            file["data"] = table.T if transposed else table
        elif kind == "one of three dimensions":
            file["entry/energy"] = ENERGY
            file["entry/sdd"] = (two.T if transposed else two)[:, None, :]
        else:
            table = np.zeros(40, dtype=[("energy", "f8"), ("a", "f4"), ("b", "f4"), ("name", "S5")])
            table["energy"], table["a"], table["b"] = ENERGY, MU, 2 * MU
            file["entry/scan"] = table
    (item,) = list_contents(path).items
    assert len(item.labels) == 3
    energies = item.energy_columns[0] - 1
    np.testing.assert_allclose(item.values[:, energies], ENERGY)
    np.testing.assert_allclose(np.delete(item.values, energies, axis=1), two, rtol=1e-6)


def test_excel_sheets_are_tables(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "film"
    for row in (["a film"], [], ["Time", "Photon energy (eV)", "TEY"]):
        sheet.append(row)
    for k, (e, i) in enumerate(zip(ENERGY, MU, strict=True)):
        sheet.append([datetime(2024, 1, 1, 10, 0, k), float(e), float(i)])
    other = book.create_sheet("German")
    for e, i in zip(ENERGY, MU, strict=True):
        other.append([f"{e}".replace(".", ","), f"{2 * i:.5f}".replace(".", ",")])
    book.create_sheet("notes").append(["nothing here"])
    book.save(tmp_path / "film.xlsx")
    contents = list_contents(tmp_path / "film.xlsx")
    assert contents.format == "Excel file"
    assert [item.name for item in contents.items] == ["film", "German"]
    assert contents.items[0].labels == ("Time", "Photon energy (eV)", "TEY")
    spectrum = read_spectrum(tmp_path / "film.xlsx", item="film")
    np.testing.assert_allclose(spectrum.intensity, MU)
    np.testing.assert_allclose(read_spectrum(tmp_path / "film.xlsx", item="German").intensity, 2 * MU, atol=1e-5)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_emsa_with_pairs(ending: str) -> None:
    energy = np.r_[ENERGY[:20], ENERGY[20:] + 0.25]
    head = "#FORMAT      : EMSA/MAS Spectral Data File\n#TITLE : a-C\n#NPOINTS : 40\n#NCOLUMNS : 1\n#XUNITS : keV\n"
    head += "#DATATYPE    : XY\n#XPERCHAN : 0.5\n#OFFSET : 280\n#SPECTRUM    :\n"
    body = "".join(f"{e / 1000:.6f}, {i}\n" for e, i in zip(energy, MU, strict=True))
    spectrum = read_spectrum((head + body + "#ENDOFDATA   :\n").replace("\n", ending).encode())
    np.testing.assert_allclose(spectrum.energy, energy)


def test_an_unknown_word_among_numbers_is_quoted() -> None:
    lines = rows("{e}\t{i}").splitlines()
    lines[10] = "285.0\tOVERLOAD"
    with pytest.raises(SpectrumError, match="line 11 has 'OVERLOAD' in column 2"):
        read_spectrum("\n".join(lines).encode())
