"""Results of other programs in a folder: which file is of which site, and what is in it."""

from __future__ import annotations

import numpy as np
import pytest

from acgen.errors import AcgenError
from acgen.spectra.calculated import calculated_files, read_calculated

ROWS = "".join(f"{280 + k} {k}\n" for k in range(12))


def test_files_by_site_and_structure(tmp_path):
    for name in ("film-17.txt", "film-3.dat", "other-4.txt", "5.xy", "notes.txt", "film-17.png", "film-x.txt"):
        (tmp_path / name).write_text(ROWS)
    files, by_feff = calculated_files(tmp_path, "film")
    assert {site: path.name for site, path in files.items()} == {17: "film-17.txt", 3: "film-3.dat", 5: "5.xy"}
    assert not by_feff
    (tmp_path / "film-17").mkdir()
    (tmp_path / "film-17" / "xmu.dat").write_text("")
    with pytest.raises(AcgenError, match="folders of their own"):
        calculated_files(tmp_path, "film")


def test_folders_of_feff(tmp_path):
    for name in ("film-8", "12", "empty-3"):
        (tmp_path / name).mkdir()
    for name in ("film-8", "12"):
        (tmp_path / name / "xmu.dat").write_text("")
    files, by_feff = calculated_files(tmp_path, "film")
    assert by_feff
    assert sorted(files) == [8, 12]
    for missing in (tmp_path / "empty-3", tmp_path / "nowhere"):
        with pytest.raises(AcgenError, match=r"SITE/xmu.dat|is not a folder"):
            calculated_files(missing)


def test_two_columns_and_what_is_none(tmp_path):
    path = tmp_path / "3.csv"
    path.write_text("# eV, mu\n" + ROWS.replace(" ", ", "))
    found = read_calculated(path)
    np.testing.assert_allclose(found.energy, 280 + np.arange(12))
    np.testing.assert_allclose(found.mu, np.arange(12))
    for text in ("", "1 2\n", ROWS + ROWS, ROWS.replace(" 3\n", " nan\n"), ROWS + "a b\n", ROWS + "295\n"):
        path.write_text(text)
        with pytest.raises(AcgenError, match="3.csv"):
            read_calculated(path)
