"""A guided density scan in a folder, so that one that was interrupted goes on where it was.

`scan.json`
    what was asked, figures of every candidate, and the answer
`scan.csv`
    misfit, coordination and probability by density
`candidates.extxyz`
    the structures, `info` has density, seed and misfits
`scan.png`, `scan.svg`
    misfit, coordination and answer over density
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms

from acgen.errors import AcgenError
from acgen.inference.scan import ScanPoint
from acgen.inference.scan_answer import ScanAnswer
from acgen.networks.models import Models
from acgen.results import figures
from acgen.sampling.generate import Candidate
from acgen.sampling.settings import OPTIONS, Settings

FORMAT = 1
SCAN, STRUCTURES = "scan.json", "candidates.extxyz"
#: Settings in which candidates of one scan may differ.
_FREE = ("density", "cell", "candidates", "seed", "start_t")


def identity(settings: Settings, models: Models, atoms: int) -> dict[str, Any]:
    """What all candidates of one scan share, JSON-ready; densities, seeds and their number may differ."""
    target, whole = settings.target, settings.to_dict()
    if target is None:
        raise AcgenError("a guided scan needs a target: give one in the settings")
    return {
        "target": {"name": target.name, "sha256": target.digest},
        "atoms": atoms,
        "settings": {name: whole[name] for name in OPTIONS if name not in _FREE},
        "weights": dict(models.sha256),
    }


@dataclass(frozen=True)
class Stored:
    """What of a scan is finished: figures and structures of its candidates, in the same order."""

    points: tuple[ScanPoint, ...] = ()
    structures: tuple[Atoms, ...] = ()

    def with_candidate(self, point: ScanPoint, candidate: Candidate) -> Stored:
        """The same and one candidate more."""
        atoms = candidate.atoms.copy()
        atoms.info["density"] = point.density
        return Stored((*self.points, point), (*self.structures, atoms))


def read_scan(directory: Path, asked: Mapping[str, Any]) -> Stored:
    """What is finished of the scan in a folder; nothing if there is none.

    Parameters
    ----------
    directory
        An existing folder.
    asked
        The `identity` of the scan that is to go on.

    Raises
    ------
    AcgenError
        If the folder has another scan, other results, or is damaged.
    """
    file, structures = directory / SCAN, directory / STRUCTURES
    if not file.exists():
        if structures.exists():
            raise AcgenError(f"{directory} has results of something else; choose another --out")
        return Stored()
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version, known = content["format"], content["scan"]
        points = tuple(ScanPoint(**point) for point in content["candidates"])
        cells = {(a.info["density"], a.info["seed"]): a for a in ase.io.iread(structures, index=":")} if points else {}
        kept = tuple(cells[point.density, point.seed] for point in points)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise AcgenError(f"{file} cannot be read as a scan ({error}); choose another --out") from error
    if version != FORMAT:
        raise AcgenError(f"{file} has format {version!r}, this acgen reads {FORMAT}; choose another --out")
    differs = differences(known, asked)
    if differs:
        raise AcgenError(
            f"{directory} has a scan of something else ({'; '.join(differs)}); choose another --out, or its options"
        )
    return Stored(points, kept)


def differences(known: Any, asked: Mapping[str, Any]) -> list[str]:
    """What differs between two identities of a scan or a screen, as words."""
    if not isinstance(known, dict):
        return ["nothing says of what"]
    before = {f"settings {name}": each.earlier for name, each in OPTIONS.items()}  # of a scan older than the setting
    was, now = before | _flat(known), _flat(asked)
    names = [name for name in now if was.get(name) != now[name]]
    return [
        name if name.endswith("sha256") or name.startswith("weights") else f"{name}: {was.get(name)}, not {now[name]}"
        for name in names
    ]


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        found |= _flat(value, f"{prefix}{name} ") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def write_scan(directory: Path, asked: Mapping[str, Any], stored: Stored, answer: ScanAnswer | None = None) -> None:
    """Write what is finished of a scan, and its answer if there is one; each file appears whole."""
    if stored.structures:
        part = directory / f".{STRUCTURES}"
        ase.io.write(part, list(stored.structures), format="extxyz")
        os.replace(part, directory / STRUCTURES)
    content = {"format": FORMAT, "scan": dict(asked), "answer": None if answer is None else answer.to_dict()}
    content["candidates"] = [asdict(point) for point in stored.points]
    part = directory / f".{SCAN}"
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(part, directory / SCAN)
    if answer is not None:
        _write_table(directory / "scan.csv", answer)
        figure = figures.density_scan_figure(answer)
        (directory / "scan.png").write_bytes(figures.png(figure))
        (directory / "scan.svg").write_text(figures.svg(figure), encoding="utf-8")


def _write_table(path: Path, answer: ScanAnswer) -> None:
    """Columns with units, one row for each density."""
    columns: dict[str, Sequence[Any]] = {
        "density_g_cm3": answer.densities,
        "candidates": answer.candidates,
        "misfit": answer.misfit,
        "misfit_std": answer.misfit_spread,
        "judge_misfit": answer.judge_misfit,
        "judge_misfit_std": answer.judge_spread,
        "probability": answer.probability,
    }
    for cn in "234":
        columns[f"cn{cn}_percent"] = [100 * shares[cn] for shares in answer.cn]
        columns[f"cn{cn}_percent_std"] = [100 * shares[cn] for shares in answer.cn_spread]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            table.writerow([f"{value:.6g}" for value in row])
