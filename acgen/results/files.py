"""Files of a run: summary, table of spectra and trajectory, each written in one place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen import __version__
from acgen.results.describe import describe, misfits_of_mean
from acgen.results.run import Run
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.scattering.target import PairTarget
from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import Target
from acgen.structures.cell import carbon


def summary(run: Run) -> dict[str, Any]:
    """The content of `summary.json`: settings, checksums of the weights, means over the candidates, each candidate and
    the log."""
    return {
        "acgen": __version__,
        "settings": run.settings.to_dict(),
        "weights": dict(run.weights),
        "overview": describe(run.candidates) | _of_mean(run),
        "candidates": [candidate.to_dict() for candidate in run.candidates],
        "log": [entry.line for entry in run.log],
    }


def _of_mean(run: Run) -> dict[str, float]:
    """The misfits of the mean spectrum, where candidates were guided by it."""
    if not run.settings.joint or run.settings.target is None:
        return {}
    seen, by_judge = misfits_of_mean(run.settings, run.candidates)
    return {"misfit_of_mean": seen, "judge_misfit_of_mean": by_judge}


def summary_json(run: Run) -> str:
    """The text of `summary.json`."""
    return json.dumps(summary(run), indent=1) + "\n"


def write_results(directory: Path, run: Run) -> None:
    """Write `candidates.extxyz`, `spectra.csv`, `summary.json`, and `pdf.csv` where a pair distribution guided; whole,
    however many candidates are finished."""
    from ase.io import write

    write(directory / "candidates.extxyz", [candidate.atoms for candidate in run.candidates], format="extxyz")
    (directory / "spectra.csv").write_text(spectra_csv(run.settings.target, run.candidates), encoding="utf-8")
    if run.settings.pdf is not None:
        (directory / "pdf.csv").write_text(pdf_csv(run.settings.pdf, run.candidates), encoding="utf-8")
    (directory / "summary.json").write_text(summary_json(run), encoding="utf-8")


def spectra_csv(target: Target | None, candidates: Sequence[Candidate]) -> str:
    """Columns energy_eV, target (empty where masked), candidate_000 …; where an instrument was fitted, also
    candidate_000_seen …, the spectra through it."""
    columns = {f"candidate_{candidate.index:03d}": candidate.spectrum for candidate in candidates}
    columns |= {f"candidate_{c.index:03d}_seen": c.seen for c in candidates if c.instrument is not None}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["energy_eV", "target", *columns])
    for k, energy in enumerate(ENERGY):
        shown = f"{target.intensity[k]:.6f}" if target is not None and target.mask[k] else ""
        table.writerow([f"{energy:.1f}", shown, *(f"{spectrum[k]:.6f}" for spectrum in columns.values())])
    return text.getvalue()


def pdf_csv(target: PairTarget, candidates: Sequence[Candidate]) -> str:
    """Columns r_A, measured, candidate_000 …: g(r), or G(r) in Å⁻², at the points that the cell tells."""
    columns = {"measured": target.drawn(target.values)}
    columns |= {f"candidate_{c.index:03d}": target.drawn(c.pdf) for c in candidates if c.pdf is not None}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["r_A", *columns])
    for k, r in enumerate(target.r):
        table.writerow([f"{r:.2f}", *(f"{curve[k]:.6f}" if k < len(curve) else "" for curve in columns.values())])
    return text.getvalue()


def trajectory(events: Sequence[FrameEvent], cell: np.ndarray) -> list[Atoms]:
    """Frames as structures in a cell (3, 3) in Å, with step, phase, cycle, time, xi and misfit in `info`."""
    return [_image(event, cell) for event in events]


def _image(event: FrameEvent, cell: np.ndarray) -> Atoms:
    frame = event.frame
    atoms = carbon(frame.positions.astype(float), cell)
    atoms.info = {"step": frame.step, "phase": frame.phase, "cycle": frame.cycle, "t": frame.t, "xi": event.xi}
    if frame.misfit is not None:
        atoms.info["misfit"] = frame.misfit
    if frame.pdf_misfit is not None:
        atoms.info["pdf_misfit"] = frame.pdf_misfit
    return atoms
