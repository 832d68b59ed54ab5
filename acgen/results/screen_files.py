"""A screen in a folder, so that one that was interrupted goes on where it was.

`screen.json`
    what was asked: settings, targets, checksums of the networks
`candidates/*.parquet`
    one file with one row for each finished candidate, figures, spectra and structure; together they are one table
`structures/TARGET.extxyz`
    the structures of each target; in order of density and seed when all are finished, before as they came
`screen.csv`
    means and standard deviations by target and density

A candidate is finished when its Parquet file is there; everything else is made from those files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ase import Atoms

from acgen.errors import AcgenError
from acgen.inference.scan import Failed
from acgen.inference.tasks import Screen, Task, Weights
from acgen.results.scan_files import differences
from acgen.results.whole import full_disk_told, write_whole
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import OPTIONS, Settings
from acgen.spectra.spectrum import Target, fits_instrument
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import carbon

FORMAT = 1
SCREEN, ROWS, STRUCTURES, TABLE = "screen.json", "candidates", "structures", "screen.csv"
#: Settings in which the candidates of one screen may differ; whether an instrument is fitted is told for each target.
_FREE = ("density", "candidates", "seed", "start_t", "instrument")

SCHEMA = pa.schema(
    [
        ("target", pa.string()),
        ("density_g_cm3", pa.float64()),
        ("seed", pa.int64()),
        ("failed", pa.string()),  # why there is no structure; null if there is one
        ("n_atoms", pa.int64()),
        ("misfit", pa.float64()),
        ("judge_misfit", pa.float64()),
        *((f"cn{cn}_percent", pa.float64()) for cn in (2, 3, 4)),
        *((name, pa.float64()) for name in ("shift_eV", "scale", "slope_per_eV", "sigma_eV")),  # of a fitted instrument
        ("wall_s", pa.float64()),
        ("spectrum", pa.list_(pa.float64())),
        ("judge_spectrum", pa.list_(pa.float64())),
        ("cell_A", pa.list_(pa.float64())),  # three vectors, one after the other
        ("positions_A", pa.list_(pa.float64())),  # x, y, z of each atom
        ("info", pa.string()),  # JSON, of the structure
    ]
)
FIGURES = SCHEMA.names[: SCHEMA.names.index("spectrum")]
"""Columns of one value for each candidate."""


@dataclass(frozen=True)
class ScreenFolder:
    """The folder of a screen; `open_screen` makes it."""

    directory: Path
    screen: Screen

    def key(self, settings: Settings) -> str:
        """What tells one candidate from all others: the name of its file."""
        return f"{_file_name(target_of(settings))}-{settings.density:.3f}-{settings.seed}"

    def is_done(self, task: Task) -> bool:
        """Whether a task is finished."""
        return self._path(task).exists()

    def _path(self, task: Task) -> Path:
        return self.directory / ROWS / f"{self.key(task.settings)}.parquet"

    def write(self, task: Task, made: Candidate | Failed, *, structures: bool = True) -> None:
        """Keep what came of a task.

        Parameters
        ----------
        structures
            Also add the structure to the file of its target; not where several processes write to one folder.

        Raises
        ------
        AcgenError
            If the disk is full.
        """
        settings = task.settings
        table = pa.Table.from_pylist([row_of(settings, made)], SCHEMA)
        content = io.BytesIO()
        pq.write_table(table, content)
        write_whole(self._path(task), content.getvalue())
        if structures and isinstance(made, Candidate):
            path = self._structures(target_of(settings))
            with full_disk_told(path), open(path, "a", encoding="utf-8") as file:
                file.write(_extxyz(made.atoms))

    def _structures(self, target: Target) -> Path:
        return self.directory / STRUCTURES / f"{_slug(target.name)}.extxyz"

    def rows(self, tasks: Sequence[Task], columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """What is finished of some tasks, in their order; all columns of `SCHEMA`, or some.

        Raises
        ------
        AcgenError
            If a file is damaged.
        """
        for path in (self._path(task) for task in tasks):
            if path.exists():
                try:
                    yield pq.ParquetFile(path).read(columns).to_pylist()[0]
                except (pa.ArrowException, OSError, LookupError) as error:
                    reason = " ".join(str(error).split())
                    raise AcgenError(f"{path} is damaged ({reason}): delete it, and it is made again") from error

    def write_structures(self, tasks: Sequence[Task]) -> None:
        """Write the structures of the finished tasks, by target in order of density and seed; raises as `write`."""
        for target in self.screen.targets:
            mine = [task for task in tasks if target_of(task.settings).name == target.name]
            mine.sort(key=lambda task: (task.settings.density, task.settings.seed))
            text = "".join(_extxyz(atoms_of(row)) for row in self.rows(mine) if row["failed"] is None)
            if text:
                write_whole(self._structures(target), text)

    def write_table(self, tasks: Sequence[Task]) -> list[dict[str, Any]]:
        """Write and give means and standard deviations by target and density; raises as `write`."""
        found = summary(list(self.rows(tasks, FIGURES)))
        text = io.StringIO()
        table = csv.DictWriter(text, found[0], lineterminator="\n")
        table.writeheader()
        for row in found:
            table.writerow({k: f"{value:.6g}" if isinstance(value, float) else value for k, value in row.items()})
        write_whole(self.directory / TABLE, text.getvalue())
        return found


def open_screen(directory: Path, screen: Screen, weights: Weights) -> ScreenFolder:
    """The folder of a screen, new or to go on; more targets, densities and candidates may come to a finished one.

    Raises
    ------
    AcgenError
        If the folder has a screen with other settings, targets or networks, or other results; nothing is written then.
    """
    file, rows = directory / SCREEN, directory / ROWS
    asked = identity(screen, weights)
    targets: dict[str, Any] = {}
    if file.exists():
        targets = _known_targets(file, asked)
    elif rows.exists() or (directory / STRUCTURES).exists():
        raise AcgenError(f"{directory} has results of something else; choose another --out")
    for name in (ROWS, STRUCTURES):
        (directory / name).mkdir(exist_ok=True)
    together = targets | asked["targets"]
    content = {"format": FORMAT, "screen": asked | {"targets": together}}
    if not file.exists() or targets != together:
        write_whole(file, json.dumps(content, indent=1) + "\n")
    return ScreenFolder(directory, screen)


def identity(screen: Screen, weights: Weights) -> dict[str, Any]:
    """What all candidates of a screen share, JSON-ready; targets, densities, seeds and their number may grow."""
    whole = screen.bases[0].to_dict()
    targets = {
        target.name: {"sha256": target.digest, "instrument": fits_instrument(target, base.instrument)}
        for target, base in zip(screen.targets, screen.bases, strict=True)
    }
    return {
        "settings": {name: whole[name] for name in OPTIONS if name not in _FREE},
        "weights": dict(weights.sha256),
        "targets": targets,
    }


def _known_targets(file: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The targets that a folder has already, if its screen is the one that is asked for."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version, known = content["format"], content["screen"]
        targets = dict(known["targets"])
    except (ValueError, LookupError, TypeError, OSError) as error:
        raise AcgenError(f"{file} cannot be read as a screen ({error}); choose another --out") from error
    if version != FORMAT:
        raise AcgenError(f"{file} has format {version!r}, this acgen reads {FORMAT}; choose another --out")
    both = {name: known_target for name, known_target in asked["targets"].items() if name in targets}
    differs = differences(known | {"targets": targets}, {**asked, "targets": both})
    if differs:
        what = "; ".join(differs)
        raise AcgenError(
            f"{file.parent} has a screen of something else ({what}); nothing is written: choose another --out, or its "
            "options"
        )
    return targets


def row_of(settings: Settings, made: Candidate | Failed) -> dict[str, Any]:
    """One row of `SCHEMA`; what a failed candidate has not is missing."""
    row: dict[str, Any] = {
        "target": target_of(settings).name,
        "density_g_cm3": settings.density,
        "seed": settings.seed,
        "n_atoms": settings.n_atoms,
    }
    if isinstance(made, Failed):
        return row | {"failed": made.reason}
    shares = coordination_fractions(made.atoms)
    row |= {f"cn{cn}_percent": 100.0 * shares[cn] for cn in (2, 3, 4)}
    if made.instrument is not None:
        at = made.instrument.instrument
        row |= {"shift_eV": at.shift, "scale": at.scale, "slope_per_eV": at.slope, "sigma_eV": at.sigma}
    return row | {
        "misfit": made.misfit,
        "judge_misfit": made.judge_misfit,
        "wall_s": round(made.wall_s, 3),
        "spectrum": made.spectrum.tolist(),
        "judge_spectrum": made.judge_spectrum.tolist(),
        "cell_A": made.atoms.cell.array.ravel().tolist(),
        "positions_A": made.atoms.positions.ravel().tolist(),
        "info": json.dumps(made.atoms.info),
    }


def atoms_of(row: Mapping[str, Any]) -> Atoms:
    """The structure of a row that has one."""
    atoms = carbon(np.reshape(row["positions_A"], (-1, 3)), np.reshape(row["cell_A"], (3, 3)))
    atoms.info = json.loads(row["info"])
    return atoms


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Means and standard deviations over the candidates by target and density; empty where all failed."""
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["density_g_cm3"]):
        groups.setdefault((row["target"], row["density_g_cm3"]), []).append(row)
    order = list(dict.fromkeys(row["target"] for row in rows))
    found = []
    for (target, density), group in sorted(groups.items(), key=lambda item: order.index(item[0][0])):
        good = [row for row in group if row["failed"] is None]
        line: dict[str, Any] = {"target": target, "density_g_cm3": density, "candidates": len(good)}
        line["failed"] = len(group) - len(good)
        for name in ("misfit", "judge_misfit", "cn2_percent", "cn3_percent", "cn4_percent"):
            mean, spread = mean_and_spread([row[name] for row in good]) if good else ("", "")
            line |= {name: mean if isinstance(mean, str) else float(mean)}
            line |= {f"{name}_std": spread if isinstance(spread, str) else float(spread)}
        found.append(line)
    return found


def target_of(settings: Settings) -> Target:
    """The target of settings, which those of a screen have."""
    if settings.target is None:
        raise AcgenError("a screen needs a target: give one in the settings")
    return settings.target


def _slug(name: str) -> str:
    """A name as a part of a file name; what is replaced or cut off is told by a checksum."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".")[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _file_name(target: Target) -> str:
    return f"{_slug(target.name)}-{target.digest[:8]}"


def _extxyz(atoms: Atoms) -> str:
    text = io.StringIO()
    ase.io.write(text, atoms, format="extxyz")
    return text.getvalue()
