"""Writing targets and spectra as CSV and XDI, and reading prepared targets back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from acgen import __version__
from acgen.spectra.grid import ENERGY, N_POINTS, PI_STAR
from acgen.spectra.io.contents import clean_label
from acgen.spectra.io.fields import line_numbers
from acgen.spectra.io.table import parse_table
from acgen.spectra.io.text import MAX_BYTES, decode
from acgen.spectra.recipe import Recipe
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

_CSV_HEADING = "energy_eV,target"
_XDI_TARGET = "# Acgen.kind: target"
_TEXT = re.compile(r"# Acgen\.(name|history|warning|recipe|sensitivity|sha256|source): (.{0,9000})")


def target_csv(target: Target) -> str:
    """CSV with the columns energy_eV and target, the second empty where masked."""
    lines = [_CSV_HEADING]
    for energy, value, measured in zip(ENERGY, target.intensity, target.mask, strict=True):
        lines.append(f"{energy:.1f},{_number(value)}" if measured else f"{energy:.1f},")
    return "\n".join(lines) + "\n"


def target_xdi(target: Target, recipe: Recipe | None = None) -> str:
    """XDI with the measured points of a target, its noise, and its history, warnings and recipe in the header."""
    noise = target.noise is not None
    header = [_XDI_TARGET, f"# Acgen.name: {clean_label(target.name)}"]
    header += [f"# Acgen.history: {_line(step)}" for step in target.history]
    header += [f"# Acgen.warning: {_line(warning)}" for warning in target.warnings]
    if target.sensitivity is not None:
        header.append(f"# Acgen.sensitivity: {target.sensitivity!r}")
    if target.sha256:
        header.append(f"# Acgen.sha256: {_line(target.sha256)}")
    header += [f"# Acgen.source: {_line(source)}" for source in target.sources]
    told = target.recipe if recipe is None else json.dumps(recipe.to_dict())
    if told:
        header.append(f"# Acgen.recipe: {_line(told)}")
    columns = [ENERGY[target.mask], target.intensity[target.mask]]
    if target.noise is not None:
        columns.append(target.noise[target.mask])
    return _xdi(("energy eV", "norm", "noise")[: 3 if noise else 2], header, columns)


def spectrum_xdi(spectrum: Spectrum) -> str:
    """XDI of a measured spectrum as it was read, with its history."""
    header = [f"# Sample.name: {clean_label(spectrum.name)}"]
    header += [f"# Acgen.history: {_line(step)}" for step in spectrum.history]
    header += [f"# Acgen.warning: {_line(warning)}" for warning in spectrum.warnings]
    if spectrum.sha256:
        header.append(f"# Acgen.sha256: {spectrum.sha256}")
    header += [f"# Acgen.source: {_line(source)}" for source in spectrum.sources]
    return _xdi(("energy eV", "mu"), header, [spectrum.energy, spectrum.intensity])


def read_target(source: str | Path | bytes, name: str = "") -> Target | None:
    """A target that `target_csv` or `target_xdi` wrote, None if the file is anything else.

    Raises
    ------
    SpectrumError
        If it is such a file but damaged.
    """
    if not isinstance(source, bytes):
        name = name or Path(source).stem
        with open(source, "rb") as file:
            source = file.read(MAX_BYTES + 1)
    begin = source[:20_000].lstrip(b"\xef\xbb\xbf").decode("utf-8", errors="replace").lstrip()
    if begin.split("\n", 1)[0].strip() == _CSV_HEADING:
        return _from_csv(decode(source), name)
    if begin.startswith("# XDI/") and any(line.strip() == _XDI_TARGET for line in begin.splitlines()):
        return _from_xdi(decode(source), name)
    return None


def _from_csv(text: str, name: str) -> Target:
    rows = [line.split(",") for line in text.splitlines()[1:] if line.strip()]
    try:
        energy = np.array([float(row[0]) for row in rows])
        cells = [row[1].strip() for row in rows]
        intensity = np.array([float(cell) if cell else 0.0 for cell in cells])
    except (ValueError, IndexError) as error:
        raise SpectrumError("the prepared target has a row that is not energy,target: prepare it again") from error
    if energy.shape != (N_POINTS,) or not np.allclose(energy, ENERGY, atol=1e-3):
        raise SpectrumError(f"the prepared target is not on the grid {ENERGY[0]}-{ENERGY[-1]} eV: prepare it again")
    history = (f"Read a prepared target, {name}.",)
    return Target(intensity, np.array([bool(cell) for cell in cells]), name, history, measured=True)


def _from_xdi(text: str, name: str) -> Target:
    table = parse_table(text)
    found = [match for line in table.header if (match := _TEXT.fullmatch(line))]
    texts = {
        kind: [match[2] for match in found if match[1] == kind]
        for kind in ("name", "history", "warning", "recipe", "sensitivity", "sha256", "source")
    }
    index = np.round((table.values[:, 0] - ENERGY[0]) / (ENERGY[1] - ENERGY[0]))
    sound = np.isfinite(table.values).all() and table.values.shape[1] in (2, 3)
    if not sound or np.unique(index).size < index.size or index.min() < 0 or index.max() >= N_POINTS:
        raise SpectrumError(f"the prepared target is not on the grid {ENERGY[0]}-{ENERGY[-1]} eV: prepare it again")
    columns = np.zeros((3, N_POINTS))
    columns[: table.values.shape[1], index.astype(int)] = table.values.T
    if not np.allclose(columns[0][index.astype(int)], ENERGY[index.astype(int)], atol=1e-3):
        raise SpectrumError(f"the prepared target is not on the grid {ENERGY[0]}-{ENERGY[-1]} eV: prepare it again")
    noise = columns[2] if table.values.shape[1] == 3 else None
    label = name or next(iter(texts["name"]), "")
    numbers = line_numbers(next(iter(texts["sensitivity"]), ""))
    sensitivity = numbers[0] if numbers else None
    history, warnings = tuple(texts["history"]), tuple(texts["warning"])
    target = Target(columns[1], columns[0] > 0, label, history, warnings, noise, sensitivity, measured=True)
    recipe, sha256 = (next(iter(texts[kind]), "") for kind in ("recipe", "sha256"))
    return replace(target, recipe=recipe, sha256=sha256, sources=tuple(texts["source"]))


def _xdi(labels: tuple[str, ...], header: list[str], columns: list[np.ndarray]) -> str:
    lines = [f"# XDI/1.0 acgen/{__version__}"]
    lines += [f"# Column.{k}: {label}" for k, label in enumerate(labels, start=1)]
    lines += ["# Element.symbol: C", "# Element.edge: K", f"# Scan.edge_energy: {PI_STAR} eV", *header]
    lines += ["# ///", "#----"]
    lines.append("# " + " ".join(label.split()[0] for label in labels))
    lines += ["  ".join(_number(value) for value in row) for row in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Shortest text that gives the same number again."""
    return repr(float(value))


def _line(text: str) -> str:
    return " ".join(text.split())
