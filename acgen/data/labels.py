"""Labelling sites of structures with FEFF10 spectra, for training and for checks; resumable.

A folder of labels holds `labels.jsonl`, one line per site with its spectrum and where it comes from, and
`structures/`, the labelled structures by the first digits of their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

import numpy as np
from ase import Atoms

from acgen.data.public import LabelledCell
from acgen.errors import AcgenError
from acgen.spectra.feff import CARBON, CARDS, Xmu, check_site, cluster, feff_input, input_key, on_grid
from acgen.spectra.feff_run import FeffResult, feff_version, run_feff
from acgen.structures.analysis import coordination_numbers

LABELS = "labels.jsonl"
#: Digits of a structure's SHA-256 in the name of its file.
_DIGITS = 16


@dataclass(frozen=True)
class Label:
    """The FEFF spectrum of one site, or why there is none."""

    #: SHA-256 of the input and the version of FEFF (`acgen.spectra.feff.input_key`); structure and site where the
    #: structure allows no input.
    key: str
    #: Name of the structure's file, without its ending.
    structure: str
    #: SHA-256 of the structure (`structure_sha256`).
    sha256: str
    #: Index of the absorber.
    site: int
    #: Number of bonded neighbours.
    coordination: int
    #: Program and version.
    feff: str
    #: Cards that all sites have in common.
    cards: tuple[str, ...] = CARDS
    #: Processor time, seconds.
    seconds: float = 0.0
    #: Whether the potentials became self-consistent.
    converged: bool = False
    #: Energies on FEFF's own axis, eV, shape (M,); empty if FEFF failed.
    energy: tuple[float, ...] = ()
    #: Absorption, shape (M,), see `acgen.spectra.feff.Xmu`; empty if FEFF failed.
    mu: tuple[float, ...] = ()
    #: Why FEFF failed; empty if it did not.
    error: str = ""

    @property
    def spectrum(self) -> Xmu:
        """The spectrum as FEFF gave it; `acgen.spectra.feff.on_grid` brings it onto the grid."""
        return Xmu(np.array(self.energy), np.array(self.mu))


def structure_sha256(atoms: Atoms) -> str:
    """SHA-256 of elements, cell and positions (rounded to 1e-8 Å, as files have them) of a structure."""
    digest = hashlib.sha256(atoms.numbers.astype("<i8").tobytes())
    for values in (np.asarray(atoms.cell), atoms.positions):
        digest.update((np.round(values, 8) + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def stratified_sites(atoms: Atoms, count: int, seed: int = 0) -> list[int]:
    """Choose carbon sites by coordination, in an order of which every beginning is a good choice too.

    A coordination number that a share p of the sites has gets a part of the choice proportional to the square root of
    p: rare ones are seen, common ones are seen more. Within one the choice is random. Whoever wants the mean of the
    structure weighs every coordination number by its share.

    Parameters
    ----------
    atoms
        The structure.
    count
        Number of sites; all carbon sites if there are fewer.
    seed
        The same seed and structure give the same sites; a smaller count gives the first of them.

    Raises
    ------
    AcgenError
        If the count is not positive or there is no carbon.
    """
    carbon = np.flatnonzero(atoms.numbers == CARBON)
    if count < 1 or not carbon.size:
        raise AcgenError(f"{count} sites of {carbon.size} carbon atoms were asked for; choose at least one of them")
    random = np.random.default_rng([seed, int(structure_sha256(atoms)[:12], 16)])
    numbers = coordination_numbers(atoms)[carbon]
    kinds, amounts = np.unique(numbers, return_counts=True)
    waiting = {int(kind): list(random.permutation(carbon[numbers == kind])) for kind in kinds}
    shares = {int(kind): float(np.sqrt(amount)) for kind, amount in zip(kinds, amounts, strict=True)}
    taken = dict.fromkeys(waiting, 0)
    chosen: list[int] = []
    while len(chosen) < min(count, carbon.size):
        # The kind that is furthest behind its share is next, as seats are given to parties (Sainte-Laguë).
        kind = max((k for k in waiting if waiting[k]), key=lambda k: shares[k] / (2 * taken[k] + 1))
        chosen.append(int(waiting[kind].pop()))
        taken[kind] += 1
    return chosen


def read_labels(folder: str | Path) -> list[Label]:
    """The labels of a folder in the order they were made, without those whose calculation failed.

    Raises
    ------
    AcgenError
        If there are none.
    """
    labels = [label for label in _read(Path(folder) / LABELS) if not label.error]
    if not labels:
        raise AcgenError(f"{folder} has no labels: make some with `acgen label`")
    return labels


def label_spectra(labels: Sequence[Label]) -> np.ndarray:
    """Spectra of labels on `acgen.spectra.grid.ENERGY`, shape (labels, 100)."""
    return np.stack([on_grid(label.spectrum) for label in labels])


def chosen_sites(atoms: Atoms, sites: int | Sequence[int], seed: int = 0) -> list[int]:
    """So many sites as `stratified_sites` chooses, or given ones, each once.

    Raises
    ------
    AcgenError
        If a given site does not exist or is not carbon.
    """
    if isinstance(sites, int):
        return stratified_sites(atoms, sites, seed)
    for site in sites:
        check_site(atoms, site)
    return list(dict.fromkeys(sites))


def make_labels(
    cells: Sequence[LabelledCell],
    sites: int | Sequence[int],
    folder: str | Path,
    seed: int = 0,
    retry: bool = False,
    inputs: bool = False,
    run: Callable[[str, Event], FeffResult] = run_feff,
    workers: int = 1,
    stop: Event | None = None,
) -> Iterator[tuple[int, int, Label | None]]:
    """Label sites of structures, one site of each in turn, so that a run that is stopped early is balanced.

    Every label is on the disk as soon as it is made. An input that the folder has a label of is not run again,
    whichever site it comes from. Close the generator to stop: calculations that run end then.

    Parameters
    ----------
    cells
        The structures.
    sites
        Number of sites of each, see `stratified_sites`, or indices of sites.
    folder
        Where labels go.
    seed
        Seed of the choice of sites.
    retry
        Try sites again that failed before.
    inputs
        Write every input to ``inputs/STRUCTURE-SITE/feff.inp`` too, for those who run their own FEFF.
    run
        What makes a spectrum of an input, and ends when the event is set.
    workers
        How many sites to work on at a time, each on a thread of its own.
    stop
        Ends what runs when another thread sets it: every site that is not done fails then, and is not stored.

    Yields
    ------
    tuple[int, int, Label | None]
        Sites done so far, all sites, and the new label; None if its input was done before, which come first. A label
        of a site that failed says why in `Label.error`, and the rest goes on.

    Raises
    ------
    AcgenError
        If FEFF is not installed, or no site can be chosen.
    """
    version, folder = feff_version(), Path(folder)
    known = {label.key for label in _read(folder / LABELS) if not (retry and label.error)}
    chosen = [chosen_sites(cell.atoms, sites, seed) for cell in cells]
    hashes = [structure_sha256(cell.atoms) for cell in cells]
    coordination = [coordination_numbers(cell.atoms) for cell in cells]
    turns = range(max(map(len, chosen), default=0))
    order = [(k, own[turn]) for turn in turns for k, own in enumerate(chosen) if turn < len(own)]
    stop, lock, finished = stop or Event(), Lock(), SimpleQueue[Future[Label]]()

    def label(atoms: Atoms, about: dict[str, Any], text: str, error: str) -> Label:
        found = Label(**about, error=error) if error else _label(about, text, run, stop)
        if not (found.error and stop.is_set()):
            with lock:
                _store(folder, atoms, found)
        return found

    with ThreadPoolExecutor(workers) as pool:
        try:
            running = 0
            for k, site in order:
                key, text, error = _input(cells[k].atoms, site, version, hashes[k])
                if inputs and text:
                    own = folder / "inputs" / f"{cells[k].name}-{site}"
                    own.mkdir(parents=True, exist_ok=True)
                    (own / "feff.inp").write_text(text, encoding="ascii")
                if key in known:
                    continue
                known.add(key)
                about: dict[str, Any] = {"key": key, "structure": cells[k].name, "sha256": hashes[k], "site": site}
                about |= {"coordination": int(coordination[k][site]), "feff": version}
                running += 1
                pool.submit(label, cells[k].atoms, about, text, error).add_done_callback(finished.put)
            for done in range(1, len(order) + 1):
                yield done, len(order), None if done <= len(order) - running else finished.get().result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def feff_cache() -> Path:
    """The folder of labels that checks of this user share."""
    import pooch  # half a second, which nothing else here needs

    return Path(pooch.os_cache("acgen")) / "feff"


def labels_of(atoms: Atoms, sites: Sequence[int], folder: str | Path) -> list[Label]:
    """The labels that a folder has of sites of a structure, in their order, those that failed with their reason.

    A label that was made for another site of the same surroundings counts for this one.

    Raises
    ------
    AcgenError
        If FEFF is not installed, whose version is part of a label's key, or a site has none.
    """
    version, sha256, coordination = feff_version(), structure_sha256(atoms), coordination_numbers(atoms)
    known = {label.key: label for label in _read(Path(folder) / LABELS)}
    found = []
    for site in sites:
        key, _, _ = _input(atoms, site, version, sha256)
        if key not in known:
            raise AcgenError(f"{folder} has no label of site {site}: make it with `acgen label`")
        found.append(replace(known[key], site=site, coordination=int(coordination[site])))
    return found


def _input(atoms: Atoms, site: int, version: str, sha256: str) -> tuple[str, str, str]:
    """Key and text of the input of a site, and why there is none."""
    try:
        text = feff_input(cluster(atoms, site))
    except AcgenError as error:
        return f"{sha256}:{site}", "", str(error)
    return input_key(text, version), text, ""


def _label(about: dict[str, Any], text: str, run: Callable[[str, Event], FeffResult], stop: Event) -> Label:
    """The label of one site; a failure of FEFF is in it."""
    try:
        if stop.is_set():
            raise AcgenError("FEFF was stopped")
        result = run(text, stop)
    except AcgenError as error:
        return Label(**about, error=str(error))
    energy, mu = (tuple(float(f"{v:.7g}") for v in values) for values in (result.spectrum.energy, result.spectrum.mu))
    return Label(**about, seconds=result.seconds, converged=result.converged, energy=energy, mu=mu)


def _store(folder: Path, atoms: Atoms, label: Label) -> None:
    """Put structure and label on the disk, the label last."""
    from ase.io import write  # a third of a second of imports, which a page does not need

    structures = folder / "structures"
    structures.mkdir(parents=True, exist_ok=True)
    path = structures / f"{label.sha256[:_DIGITS]}.extxyz"
    if not path.exists():
        plain = Atoms(atoms.symbols, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        part = path.with_suffix(".part")
        write(part, plain, format="extxyz")
        os.replace(part, path)
    with open(folder / LABELS, "ab") as file:
        start = b"\n" if file.tell() and not _ends_line(folder / LABELS) else b""  # a line cut off by a crash
        file.write(start + json.dumps(asdict(label)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_line(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _read(path: Path) -> Iterator[Label]:
    """Labels of a file; a line that was cut off when the machine stopped is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values = json.loads(line)
            lists = {name: tuple(values[name]) for name in ("cards", "energy", "mu")}
            yield Label(**{**values, **lists})
        except (ValueError, TypeError, KeyError):
            continue
