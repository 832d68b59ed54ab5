"""Structures of a figure, each kept in a file as soon as it is finished, and not made again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ase import Atoms
from ase.io import iread, write

from acgen.assets import asset
from acgen.networks.models import Models, load_models
from acgen.reproduction.figure import Case, Made
from acgen.results.whole import write_whole
from acgen.sampling.generate import Candidate, finish, generate
from acgen.structures.cell import carbon


def models_of(case: Case, usual: Models) -> Models:
    """The networks of a case."""
    return load_models(score=asset(case.score)) if case.score else usual


def steps_left(case: Case, models: Models, folder: Path) -> int:
    """Steps of a case that are still to be made."""
    return (case.settings.candidates - len(_kept(case, models, folder))) * len(case.settings.plan)


def make(case: Case, models: Models, folder: Path, tell: Callable[[], None], together: int = 1) -> list[Made]:
    """All structures of a case; those that a folder has are read, the others made and kept there.

    Parameters
    ----------
    case, models
        What to make, and the networks of `models_of`.
    folder
        For a file of each structure; it has to be there.
    tell
        Called after each step.
    together
        How many to make at a time.

    Raises
    ------
    AcgenError
        If a run explodes or the disk is full; what is finished is kept.
    """
    first = len(_kept(case, models, folder))
    if first < case.settings.candidates:
        rest = replace(case.settings, seed=case.settings.seed + first, candidates=case.settings.candidates - first)
        passes: dict[int, list[Atoms]] = {}
        for event in generate(rest, models, together=together):
            if isinstance(event, Candidate):
                found = passes.pop(event.index)
                if rest.refine:
                    found.append(event.atoms)
                _keep(_files(case, models, folder)[first + event.index], found, event.wall_s)
                continue
            tell()
            if event.frame.phase == "final":
                atoms = carbon(event.frame.positions.astype(float), rest.box)
                passes.setdefault(event.candidate, []).append(atoms)
    return [_read(case, models, index, file) for index, file in enumerate(_kept(case, models, folder))]


def _keep(file: Path, passes: Sequence[Atoms], wall_s: float) -> None:
    for atoms in passes:
        atoms.info = {"wall_s": round(wall_s, 3)}
    text = io.StringIO()
    write(text, passes, format="extxyz")
    write_whole(file, text.getvalue())


def _read(case: Case, models: Models, index: int, file: Path) -> Made:
    passes = tuple(iread(file, format="extxyz"))
    guided = case.settings.target is not None
    wall_s = float(passes[-1].info["wall_s"])
    made = finish(case.settings, models, index, passes[-1], wall_s, ((1, case.settings.xi),) if guided else ())
    return Made(made, passes)


def _kept(case: Case, models: Models, folder: Path) -> list[Path]:
    """Files of the finished structures, from the first seed to the first that is missing."""
    files = _files(case, models, folder)
    missing = next((k for k, file in enumerate(files) if not file.exists()), len(files))
    return files[:missing]


def _files(case: Case, models: Models, folder: Path) -> list[Path]:
    """A file for each structure; its name changes with everything that the structure depends on."""
    settings = replace(case.settings, seed=0, candidates=1)
    told = hashlib.sha256(json.dumps([settings.to_dict(), dict(models.sha256)], sort_keys=True).encode())
    if settings.target is not None:
        told.update(settings.target.digest.encode())
    if settings.start is not None:
        told.update(settings.start.positions.tobytes())
    stem = f"{case.name}-{told.hexdigest()[:10]}"
    seeds = range(case.settings.seed, case.settings.seed + case.settings.candidates)
    return [folder / f"{stem}-{seed:04d}.extxyz" for seed in seeds]
