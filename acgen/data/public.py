"""The public a-C data set: download, verification and loading.

The set belongs to "Spectroscopy-guided discovery of three-dimensional structures of disordered materials with diffusion
models" (arXiv:2312.05472) and is published under the MIT licence in github.com/LLNL/graphite. It has amorphous cells
of 216 atoms, diamond and graphite, each with one DFT K-edge spectrum per atom.

The manifest holds the 25 training cells, diamond and graphite. Its publishers keep five more cells apart as a test set
(``poscar/test`` and ``xanes/test``: d1.5_11, d1.5_12, d1.5_13, d2.0_2, d2.5_5), further snapshots of networks that are
in the training set. They are not in the manifest, because it lists only files whose checksum was computed from the
file itself, and so they are neither downloaded nor loaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from ase import Atoms

from acgen.errors import AcgenError
from acgen.spectra.grid import AREA, N_POINTS
from acgen.structures.cell import density

COMMIT = "4e09a285378fd7af50f204c0f8f5e2642fedc5f0"
#: Public home of the files, at a fixed commit.
BASE_URL = f"https://raw.githubusercontent.com/LLNL/graphite/{COMMIT}/notebooks/amorph-gen/data/a-C/dgp/"


@dataclass(frozen=True, eq=False)
class LabelledCell:
    """A periodic cell of carbon, with the spectra of its atoms if they are known.

    Raises
    ------
    AcgenError
        If the spectra do not fit the atoms or are not finite.
    """

    #: Name of the file, without its ending.
    name: str
    #: What the cell is a sample of: its density in g/cm³ with one decimal, or ``diamond``, ``graphite``. Cells of one
    #: network must never be on both sides of a validation split.
    network: str
    atoms: Atoms
    #: One spectrum per atom, shape (N, 100), on `acgen.spectra.grid.ENERGY`; None if unknown.
    spectra: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.spectra is None:
            return
        expected = (len(self.atoms), N_POINTS)
        if self.spectra.shape != expected or not np.isfinite(self.spectra).all():
            raise AcgenError(
                f"{self.name}: expected finite spectra of shape {expected} for its atoms, got {self.spectra.shape}: "
                "structure and spectra do not belong together, or a file is damaged"
            )


@dataclass(frozen=True)
class Check:
    """Outcome of verifying a folder against the manifest."""

    #: Number of files in the manifest.
    total: int
    #: Files that are not there.
    missing: tuple[str, ...]
    #: Files whose SHA-256 differs.
    corrupt: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every file is there and right."""
        return not self.missing and not self.corrupt


def manifest() -> dict[str, str]:
    """SHA-256 of every file of the data set, by its path inside it."""
    return json.loads(files("acgen.data").joinpath("manifest.json").read_text(encoding="utf-8"))


def fetch(
    directory: str | Path,
    base_url: str = BASE_URL,
    progress: Callable[[int, int, str], None] | None = None,
    retries: int = 2,
) -> Path:
    """Download the data set (about 5 MB); files that are already there and right are kept, so a stopped run resumes.

    Parameters
    ----------
    directory
        Folder to fill; made if needed.
    base_url
        Address of the folder that has ``poscar/`` and ``xanes/``.
    progress
        Called after each file with the number of files done, their total and the file's name.
    retries
        How often to try again after a failed download of a file.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    AcgenError
        If a file cannot be downloaded or written, or is not what the manifest says.
    """
    import pooch  # a download needs these two, reading does not
    import requests

    directory = Path(directory)
    registry = {name: f"sha256:{digest}" for name, digest in manifest().items()}
    store = pooch.create(directory, base_url.rstrip("/") + "/", registry=registry, retry_if_failed=retries)
    for done, name in enumerate(registry, start=1):
        try:
            with _quiet(pooch.get_logger()):
                store.fetch(name)
        except requests.RequestException as error:
            raise AcgenError(
                f"could not download {store.get_url(name)} ({type(error).__name__}): check the connection and run "
                f"again; finished files in {directory} are kept"
            ) from error
        except OSError as error:
            raise AcgenError(f"cannot write to {directory} ({error}): choose another folder") from error
        except ValueError as error:
            raise AcgenError(
                f"{store.get_url(name)} is not the file of the data set (its SHA-256 differs): check the address"
            ) from error
        if progress is not None:
            progress(done, len(registry), name)
    return directory


def check(directory: str | Path) -> Check:
    """Verify a folder against the manifest.

    Parameters
    ----------
    directory
        Folder with ``poscar/`` and ``xanes/``.

    Raises
    ------
    AcgenError
        If the folder does not exist.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise AcgenError(f"{directory} is not a folder: download the data set with `acgen data fetch --to {directory}`")
    registry = manifest()
    missing = tuple(name for name in registry if not (directory / name).is_file())
    corrupt = tuple(
        name
        for name, digest in registry.items()
        if name not in missing and hashlib.sha256((directory / name).read_bytes()).hexdigest() != digest
    )
    return Check(len(registry), missing, corrupt)


def is_public(directory: str | Path) -> bool:
    """Whether a folder has the layout of the public data set."""
    return (Path(directory) / "poscar" / "train").is_dir() and (Path(directory) / "xanes" / "train").is_dir()


def load_public(directory: str | Path) -> list[LabelledCell]:
    """Load the training cells, diamond and graphite, all on the same intensity scale.

    Parameters
    ----------
    directory
        Folder with ``poscar/`` and ``xanes/``, for example one that `fetch` filled.

    Returns
    -------
    list[LabelledCell]
        Amorphous cells by name, then diamond and graphite, whose spectra are rescaled from their own unit to the
        area of the rest (`acgen.spectra.grid.AREA`).

    Raises
    ------
    AcgenError
        If a file is missing or cannot be understood.
    """
    directory = Path(directory)
    if not is_public(directory):
        raise AcgenError(
            f"{directory} does not hold the public data set (no poscar/train and xanes/train): "
            f"download it with `acgen data fetch --to {directory}`"
        )
    cells = []
    for name in sorted(Path(entry).stem for entry in manifest() if entry.startswith("poscar/train/")):
        atoms = _read_structure(directory / "poscar" / "train" / f"{name}.vasp")
        spectra = _read_spectra(directory / "xanes" / "train" / f"{name}.txt")
        cells.append(LabelledCell(name, network_label(atoms), atoms, spectra))
    for name in ("diamond", "graphite"):
        atoms = _read_structure(directory / "poscar" / "misc" / f"{name}.vasp")
        spectra = _read_spectra(directory / "xanes" / "misc" / f"{name}.csv", delimiter=",", skip=1)
        cells.append(LabelledCell(name, name, atoms, spectra * (AREA / spectra.mean(axis=0).sum())))
    return cells


def network_label(atoms: Atoms) -> str:
    """Density in g/cm³ with one decimal: which network a cell counts to."""
    return f"{density(atoms):.1f}"


def _read_structure(path: Path) -> Atoms:
    from ase.io.vasp import read_vasp  # half a second, which checking the files does not need

    try:
        return read_vasp(path)
    except Exception as error:  # the parser raises whatever it stumbles on
        raise AcgenError(f"{path} cannot be read as a POSCAR file ({error}): fetch it again") from error


def _read_spectra(path: Path, delimiter: str | None = None, skip: int = 0) -> np.ndarray:
    try:
        return np.loadtxt(path, delimiter=delimiter, skiprows=skip, ndmin=2)
    except (OSError, ValueError) as error:
        raise AcgenError(f"{path} cannot be read as a table of spectra ({error}): fetch it again") from error


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Let a library's logger report problems only."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
