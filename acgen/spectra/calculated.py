"""Spectra of sites that were calculated elsewhere, in a folder: `SITE/xmu.dat` of FEFF, or two columns named by site.

A site is the index of its atom, alone or behind the name of the structure: `17`, `film-17`, as `acgen export-inputs`
names its folders.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from acgen.errors import AcgenError
from acgen.spectra.feff import Xmu, read_xmu

#: Files of two columns, photon energy in eV and absorption.
ENDINGS = (".txt", ".dat", ".csv", ".xy")
#: Of one file.
MAX_BYTES = 20_000_000


def calculated_files(folder: str | Path, name: str = "") -> tuple[dict[int, Path], bool]:
    """The file of every site in a folder, and whether FEFF wrote them.

    Parameters
    ----------
    folder
        Where the results are.
    name
        Of the structure; files that are named for another are passed over.

    Raises
    ------
    AcgenError
        If there are none, or both kinds.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AcgenError(f"{folder} is not a folder: give the one with the results of every site")
    feff: dict[int, Path] = {}
    other: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        is_feff = (path / "xmu.dat").is_file()
        if not is_feff and not (path.is_file() and path.suffix.lower() in ENDINGS):
            continue
        own, _, site = (path.name if is_feff else path.stem).rpartition("-")
        if re.fullmatch(r"\d{1,7}", site) and own in ("", name):
            (feff if is_feff else other)[int(site)] = path / "xmu.dat" if is_feff else path
    if feff and other:
        raise AcgenError(f"{folder} has results of FEFF and of another code: put them in folders of their own")
    if not feff and not other:
        raise AcgenError(f"{folder} has neither SITE/xmu.dat nor SITE.txt, where SITE is {name or 'NAME'}-17 or 17")
    return feff or other, bool(feff)


def read_calculated(path: Path) -> Xmu:
    """Read FEFF's `xmu.dat` or two columns.

    Raises
    ------
    AcgenError
        If it is neither.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(MAX_BYTES)
    if path.name == "xmu.dat":
        return read_xmu(text)
    lines = [line.replace(",", " ").replace(";", " ").split() for line in text.splitlines()]
    rows = [row[:2] for row in lines if row and row[0][0] not in "#!%@"]
    try:
        table = np.array(rows, dtype=float)
    except ValueError as error:
        raise AcgenError(f"{path} cannot be read as numbers: give energy (eV) and absorption in a row") from error
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 10 or not np.isfinite(table).all():
        raise AcgenError(f"{path} has no ten rows of two finite numbers: give energy (eV) and absorption")
    if np.any(np.diff(table[:, 0]) <= 0):
        raise AcgenError(f"the energies of {path} do not increase: sort them, and give each once")
    return Xmu(table[:, 0], table[:, 1])
